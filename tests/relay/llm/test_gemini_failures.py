"""Every way in which Gemini fails, over real sockets and through the real SDK.

Whatever happens, a model answers, or raises a ProviderError whose kind says what to do; it sends
one request, tells nobody the key, and is as good as new for the next turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from relay.audio import Pcm
from relay.errors import ErrorKind, ModelGoneError, ProviderError
from relay.gemini_server import GeminiServer
from relay.llm.base import Emotion, Heard, LanguageModel, Part, SpeechModel
from relay.llm.gemini import GeminiModel
from relay.streaming import Deadlines
from tests.fakes import gemini as fakes
from tests.fakes.gemini import FakeGemini, Rules, serving_gemini
from tests.relay.llm.contract import PATIENT, hung_up, leaks, request
from tools.fake_gemini.faults import FAULTS, Chance
from tools.fake_gemini.quota import Counting, Limits, Window

LITE = "gemini-3.5-flash-lite"
IMPATIENT = Deadlines(first_s=0.5, gap_s=0.5, total_s=60)
UTTERANCE: Pcm = (8_000 * np.sin(np.arange(16_000) * 0.1)).astype(np.int16)


@dataclass
class Outcome:
    """What came of one question."""

    parts: list[Heard | Part] = field(default_factory=list)
    error: ProviderError | None = None

    @property
    def text(self) -> str:
        return "".join(part for part in self.parts if isinstance(part, str))


@asynccontextmanager
async def asking(
    fake: FakeGemini, model: str = LITE, deadlines: Deadlines = PATIENT
) -> AsyncIterator[GeminiModel]:
    brain = GeminiModel(GeminiServer(fakes.KEY, fake.url), model, deadlines=deadlines)
    try:
        yield brain
    finally:
        await brain.close()


async def reply(model: LanguageModel) -> Outcome:
    outcome = Outcome()
    try:
        async with aclosing(model.reply(request())) as parts:
            async for part in parts:
                outcome.parts.append(part)
    except ProviderError as error:
        outcome.error = error
    return outcome


async def hear(model: SpeechModel) -> Outcome:
    outcome = Outcome()
    try:
        async with aclosing(model.hear(UTTERANCE, replace(request(), text=""))) as parts:
            async for part in parts:
                outcome.parts.append(part)
    except ProviderError as error:
        outcome.error = error
    return outcome


RATE, QUOTA, AUTH = ErrorKind.RATE, ErrorKind.QUOTA, ErrorKind.AUTH
NETWORK, SERVER, BLOCKED = ErrorKind.NETWORK, ErrorKind.SERVER, ErrorKind.BLOCKED
BAD = ErrorKind.BAD_REQUEST

FAILURES: dict[str, tuple[ErrorKind, float | None]] = {
    "429-minute": (RATE, 47.618),
    "429-tokens": (RATE, 23.018),
    "429-soon": (RATE, 0.102),
    "429-day": (QUOTA, 32_270.97),
    "429-day-tokens": (QUOTA, 37_025.72),
    "429-day-lie": (QUOTA, None),  # a day is not over in 43.8 s
    "429-several": (QUOTA, None),
    "429-zero": (QUOTA, None),
    "429-family": (RATE, 59.1),
    "429-bare": (RATE, None),
    "429-delay-only": (RATE, 0.848),
    "429-array": (RATE, 31.2),
    "429-old": (RATE, None),
    "503": (SERVER, None),
    "500": (SERVER, None),
    "504": (SERVER, None),
    "502-html": (SERVER, None),
    "400": (BAD, None),
    "400-region": (AUTH, None),
    "400-key": (AUTH, None),
    "403-leaked": (AUTH, None),
    "403-suspended": (AUTH, None),
    "404": (BAD, None),
    "hang": (NETWORK, None),
    "hang-headers": (NETWORK, None),
    "hang-middle": (NETWORK, None),
    "drop": (NETWORK, None),
    "drop-headers": (NETWORK, None),
    "drop-middle": (NETWORK, None),
    "error-middle": (SERVER, None),
    "bad-json": (SERVER, None),
    "unfinished": (SERVER, None),
    "html": (SERVER, None),
    # Legal events that the SDK cannot read: a failure that is told, and not silence.
    "no-space": (SERVER, None),
    "comments": (SERVER, None),
    "done": (SERVER, None),
    "blocked-prompt": (BLOCKED, None),
    "prohibited-prompt": (BLOCKED, None),
    "blocked": (BLOCKED, None),
    "blocked-at-once": (BLOCKED, None),
    "recitation": (BLOCKED, None),
    "empty": (SERVER, None),
    "empty-object": (SERVER, None),
    "empty-candidate": (SERVER, None),
    "max-tokens": (SERVER, None),
}
HARMLESS = ("slow", "line-feeds", "one-write", "bytes", "thoughts", "future")


def test_every_fault_of_the_fake_is_spoken_of_here() -> None:
    assert sorted((*FAILURES, *HARMLESS)) == sorted(FAULTS)


@pytest.mark.parametrize("ask", [reply, hear])
@pytest.mark.parametrize("name", FAILURES)
async def test_each_failure_has_its_kind_and_costs_one_request(
    name: str, ask: Callable[[GeminiModel], Awaitable[Outcome]]
) -> None:
    kind, retry_after_s = FAILURES[name]
    deadlines = IMPATIENT if name.startswith("hang") else PATIENT
    async with serving_gemini() as fake, asking(fake, deadlines=deadlines) as model:
        fake.play(name)
        error = (await ask(model)).error
        assert error is not None
        assert error.kind is kind
        assert error.retry_after_s == pytest.approx(retry_after_s, abs=0.01)
        assert len(fake.journal.requests) == 1
        assert not leaks(error, fakes.KEY)
        assert error.__context__ is None
        assert "\n" not in error.message
        if name.startswith("hang"):
            await hung_up(fake.journal)
        else:
            after = await ask(model)
            assert after.error is None
            assert after.text


@pytest.mark.parametrize("ask", [reply, hear])
@pytest.mark.parametrize("name", HARMLESS)
@pytest.mark.filterwarnings("ignore:SOME_FUTURE_REASON")
async def test_what_only_looks_odd_is_answered(
    name: str, ask: Callable[[GeminiModel], Awaitable[Outcome]]
) -> None:
    async with serving_gemini() as fake, asking(fake) as model:
        fake.play(name)
        outcome = await ask(model)
    assert outcome.error is None
    assert outcome.text
    assert "thought" not in outcome.text
    assert not set("{}\\") & set(outcome.text)


@pytest.mark.parametrize("window", ["sliding", "minute"])
async def test_what_goes_over_the_limit_is_refused_with_a_time_to_come_back(window: Window) -> None:
    rules = Rules(limits=Limits(3, None, 500), counting=Counting(window))
    async with fake_at(rules) as (fake, clock), asking(fake) as model:
        assert [(await reply(model)).error for _ in range(3)] == [None] * 3
        clock.now += 20
        error = (await hear(model)).error
        assert error is not None
        assert (error.kind, error.retry_after_s) == (RATE, pytest.approx(40))
        clock.now += 40
        assert (await reply(model)).error is None


async def test_the_end_of_the_day_is_told_in_hours() -> None:
    async with fake_at(Rules(limits=Limits(15, None, 1))) as (fake, clock), asking(fake) as model:
        await reply(model)
        clock.now += 20 * 3600
        error = (await reply(model)).error
        assert error is not None
        assert (error.kind, error.retry_after_s) == (QUOTA, pytest.approx(4 * 3600))
        clock.now += 4 * 3600
        assert (await reply(model)).error is None


async def test_a_model_without_allowance_is_not_waited_for() -> None:
    async with (
        serving_gemini(Rules(limits=None)) as fake,
        asking(fake, "gemini-3.1-pro-preview") as model,
    ):
        error = (await reply(model)).error
    assert error is not None
    assert (error.kind, error.retry_after_s) == (QUOTA, None)


@pytest.mark.parametrize("model_name", ["gemini-2.0-flash", "gemini-9"])
async def test_a_model_that_is_gone_is_not_asked_for_again(model_name: str) -> None:
    async with serving_gemini() as fake, asking(fake, model_name) as model:
        error = (await reply(model)).error
    assert isinstance(error, ModelGoneError)
    assert model_name in error.message


@pytest.mark.parametrize("ask", [reply, hear])
async def test_a_refused_system_instruction_is_worked_around_in_the_same_turn(
    ask: Callable[[GeminiModel], Awaitable[Outcome]],
) -> None:
    rules = Rules(without_system_instruction=frozenset({LITE}))
    async with serving_gemini(rules) as fake, asking(fake) as model:
        assert (await ask(model)).text
        assert [(await ask(model)).error for _ in range(2)] == [None, None]
        assert len(fake.journal.requests) == 4  # the refused one, and one each


async def test_the_utterance_arrives_whole() -> None:
    async with serving_gemini() as fake, asking(fake) as model:
        outcome = await hear(model)
        (sound,) = fake.asked[-1].sounds
    assert sound.rate_hz == 16_000
    assert np.array_equal(sound.samples, UTTERANCE)
    heard, emotion = outcome.parts[:2]
    assert isinstance(heard, Heard)
    assert heard.kind == "speech"
    assert heard.text
    assert isinstance(emotion, Emotion)


async def test_no_deadline_is_announced_that_google_refuses() -> None:
    async with (
        serving_gemini() as fake,
        asking(fake, deadlines=Deadlines(first_s=3, gap_s=3, total_s=5)) as model,
    ):
        assert (await reply(model)).error is None
        announced = fake.journal.requests[-1].headers.get("x-server-timeout", "10")
    assert float(announced) >= 10


async def test_a_wrong_key_is_told_and_not_shown() -> None:
    async with serving_gemini() as fake:
        wrong = "AIzaSyWrongWrongWrongWrongWrongWrongWro"
        model = GeminiModel(GeminiServer(wrong, fake.url), LITE, deadlines=PATIENT)
        error = (await reply(model)).error
        await model.close()
    assert error is not None
    assert error.kind is AUTH
    assert not leaks(error, wrong)


@pytest.mark.filterwarnings("ignore:SOME_FUTURE_REASON")
async def test_on_the_worst_of_days_every_question_ends_in_words_or_in_an_error() -> None:
    names = [name for name in FAULTS if "hang" not in name and name != "slow"]
    chances = tuple(Chance(name, 0.02, burst=1 + len(name) % 2) for name in names)
    async with serving_gemini(Rules(chances=chances, seed=7)) as fake, asking(fake) as model:
        outcomes = [
            outcome
            for _ in range(15)
            for outcome in await asyncio.gather(*(reply(model) for _ in range(6)), hear(model))
        ]
        assert len(fake.journal.requests) == len(outcomes)
    failed = [outcome for outcome in outcomes if outcome.error]
    assert len(outcomes) > len(failed) > 20
    assert all(outcome.text for outcome in outcomes if not outcome.error)


class Clock:
    """Unix time that stands still; it begins with a day on the Pacific coast."""

    def __init__(self) -> None:
        self.now = 1_795_420_800.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def fake_at(rules: Rules) -> AsyncIterator[tuple[FakeGemini, Clock]]:
    clock = Clock()
    async with serving_gemini(rules, clock=clock) as fake:
        yield fake, clock
