"""`doll bench quota`: a day of talk on one free tier, planned with and run into."""

from __future__ import annotations

import asyncio
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from relay.quota import calendar
from tools.bench.quota_day import (
    DAY,
    PER_DAY,
    SPEECH_S,
    START,
    FreeTier,
    Turn,
    Window,
    droughts,
    sessions,
    thinking_s,
)
from tools.bench.quota_grants import grant_costs
from tools.bench.quota_policies import (
    FIRST_SOUND_S,
    MODEL,
    NEXT_MODEL,
    Planned,
    Policy,
    Project,
    Retrying,
    now,
)
from tools.bench.report import Goal, Report
from tools.virtual_time import VirtualTimeLoop

DOLLS = (1, 2, 3, 5, 10)
WINDOWS: tuple[Window, ...] = ("sliding", "clock minute")
FAILING = 0.10
_SEED = 4

_METHOD = (
    f"simulated time: a provider's day in a Korean home, dolls talking in sessions of 4 to 12 "
    f"minutes at 5 turns a minute, all on one model of {PER_DAY} requests a day and 15 a minute, "
    f"with {FAILING:.0%} of the requests ending as a 503 that counts; result: the relay's own "
    "scheduler, and the embedded brain where it says no; baseline: each doll retries 429 and 503 "
    "with back-off (1, 2, 4, 8 s and up to 1 s more, five attempts), as the SDKs do it; 'of "
    "allowed': turns that Gemini answered, of those asked that met no 503, or of the day's "
    "requests without the 503s, whichever is less; 'two models': the first two of the default "
    "chain, with an allowance each, where the other one makes a 503 good"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One simulated day."""

    turns: list[Turn]
    project: Project

    @property
    def of_allowed(self) -> float:
        """Share of the turns that the quota allowed which Gemini answered."""
        askable = sum(not turn.overloaded for turn in self.turns)
        allowed = min(askable, PER_DAY * len(self.project) - self.failed)
        return sum(turn.by_gemini for turn in self.turns) / allowed

    @property
    def failed(self) -> int:
        """Requests that ended as a 503."""
        return sum(server.overloaded for server in self.project.values())

    @property
    def refused(self) -> int:
        """Requests that ended as a 429."""
        return sum(server.refused for server in self.project.values())

    @property
    def answered(self) -> float:
        """Share of the turns that had an answer at all."""
        return sum(turn.answered for turn in self.turns) / len(self.turns)

    @property
    def longest_silence_s(self) -> float:
        """Without any sound, after a question."""
        return max(turn.silence_s for turn in self.turns)

    def figures(self) -> dict[str, Any]:
        """For the report."""
        waits = sorted(turn.wait_s for turn in self.turns)
        return {
            "turns": len(self.turns),
            "by_gemini": sum(turn.by_gemini for turn in self.turns),
            "of_allowed": round(self.of_allowed, 4),
            "answered": round(self.answered, 4),
            "failed_503": self.failed,
            "refused_429": self.refused,
            "wait_p50_s": round(statistics.median(waits), 2),
            "wait_p95_s": round(waits[int(len(waits) * 0.95)], 2),
            "longest_silence_s": round(self.longest_silence_s, 1),
            "longest_without_gemini_h": round(max(droughts(self.turns), default=0.0) / 3600, 1),
        }


async def measure() -> Report:
    """All days, off the event loop that asks; then what a grant costs."""
    ours, theirs = await asyncio.to_thread(_all_days)
    costs = await grant_costs()
    worst = list(ours.values())
    goals = [
        Goal("quota_left_unused", 1 - min(day.of_allowed for day in worst), 0.02, "of allowed"),
        Goal("refused_429", sum(day.refused for day in worst), 0, "requests"),
        Goal("turns_without_answer", 1 - min(day.answered for day in worst), 0, "of turns"),
    ]
    return Report(
        "quota",
        _METHOD,
        {name: day.figures() for name, day in theirs.items()},
        {**{name: day.figures() for name, day in ours.items()}, **costs},
        goals,
    )


def _all_days() -> tuple[dict[str, Outcome], dict[str, Outcome]]:
    ours, theirs = {}, {}
    for window in WINDOWS:
        for dolls in DOLLS:
            name = f"{dolls}_dolls_{window.replace(' ', '_')}"
            ours[name] = simulate(dolls, window, Planned)
            theirs[name] = simulate(dolls, window, Retrying)
    for dolls in DOLLS:
        name = f"{dolls}_dolls_two_models"
        ours[name] = simulate(dolls, "sliding", Planned, models=(MODEL, NEXT_MODEL))
    return ours, theirs


def simulate(
    dolls: int, window: Window, policy: Callable[[], Policy], models: tuple[str, ...] = (MODEL,)
) -> Outcome:
    """One day, in simulated time."""
    project = {
        model: FreeTier(window, FAILING, random.Random(f"{_SEED} {model}"))  # noqa: S311
        for model in models
    }
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_day(dolls, policy, project))


async def _day(dolls: int, policy: Callable[[], Policy], project: Project) -> Outcome:
    chosen = policy()
    talks = [_talk(number, chosen, project) for number in range(dolls)]
    turns = [turn for talk in await asyncio.gather(*talks) for turn in talk]
    return Outcome(sorted(turns, key=lambda turn: turn.asked_at), project)


async def _talk(number: int, policy: Policy, project: Project) -> list[Turn]:
    """A doll's day."""
    dice, turns = random.Random(f"{_SEED} {number}"), []  # noqa: S311
    for begin, end in sessions(number, _SEED):
        await asyncio.sleep(max(0.0, begin - START - now()))
        while START + now() < min(end, calendar.end_of(DAY) - 60):
            turn = await policy.turn(f"doll {number}", project)
            turns.append(turn)
            if turn.answered:
                await asyncio.sleep(FIRST_SOUND_S + SPEECH_S)
            await asyncio.sleep(thinking_s(dice))
    return turns
