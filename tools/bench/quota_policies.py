"""What becomes of a doll's question: planned with this relay's scheduler, or retried."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Protocol

from relay.llm.admission import Patience
from relay.llm.gemini_errors import Limit, Refusal
from relay.quota.base import Later, NotToday, OverError
from relay.quota.clock import Reading
from relay.quota.pacing import Pacing
from relay.quota.scheduler import Scheduler
from relay.quota.settings import QuotaSettings
from relay.quota.store import MemoryStore
from relay.turn.settings import TurnSettings
from tools.bench.quota_day import HOME, START, Answer, FreeTier, Turn

MODEL = "gemini-3.5-flash-lite"
NEXT_MODEL = "gemini-3.1-flash-lite"
TOKENS = 1500
FIRST_SOUND_S = 1.0  #: from the request to the first sound of its answer
_SMALL_BRAIN_S = 0.3  # the same for the embedded brain
_FILLER_S = 1.2  # how long one is
_TRAVEL_S = (0.02, 0.3)  # of a request to the server; what leaves last may arrive first
_FAILURE_S = 0.4  # until a 429 or 503 is there


class Policy(Protocol):
    """How a doll's question becomes an answer."""

    async def turn(self, doll: str, project: Project) -> Turn:
        """One question."""
        ...


Project = dict[str, FreeTier]
"""The models of one project, in the order in which they are asked, with an allowance each."""


class Planned:
    """This relay."""

    def __init__(self) -> None:
        clock = _clock()
        settings = QuotaSettings()
        pacing = Pacing(HOME, settings.waking_from, settings.waking_to, settings.keep)
        self._quota = Scheduler(MemoryStore(clock), settings, pacing)
        self._patience = Patience()
        self._turn = TurnSettings()

    async def turn(self, doll: str, project: Project) -> Turn:
        """See Policy.turn."""
        asked, by_gemini, failures = now(), False, 0
        for model, server in project.items():
            answer = await self._ask(doll, model, server)
            by_gemini = answer is Answer.OK
            failures += answer is Answer.OVERLOADED
            if by_gemini or failures > 1:  # at most one more attempt, on another model
                break
        wait = now() - asked
        sound = wait + (FIRST_SOUND_S if by_gemini else _SMALL_BRAIN_S)
        overloaded = not by_gemini and failures > 0
        return Turn(START + asked, by_gemini, True, overloaded, wait, self._silence(sound))

    def _silence(self, sound_s: float) -> float:
        """The longest stretch without sound until the answer, fillers heard in between."""
        if sound_s <= (first := self._turn.filler_after_s):
            return sound_s
        return max(first, min(sound_s - first - _FILLER_S, self._turn.filler_again_s))

    async def _ask(self, doll: str, model: str, server: FreeTier) -> Answer | None:
        async with self._quota.place(model, doll=doll, tokens=TOKENS) as place:
            match place.admission:
                case NotToday():
                    return None
                case Later(seconds) if seconds > self._patience.longest_s:
                    return None
            try:
                async with asyncio.timeout(self._patience.longest_s):
                    await place.granted()
            except (OverError, TimeoutError):
                return None
        answer, hint = await _send(server)
        match answer:
            case Answer.OK:
                await self._quota.answered(model)
            case Answer.OVERLOADED:
                await self._quota.failed(model)
            case Answer.MINUTE:
                await self._quota.refused(model, Refusal(Limit.MINUTE, None, hint))
            case Answer.DAY:
                await self._quota.refused(model, Refusal(Limit.DAY, None, hint))
        return answer


class Retrying:
    """What the SDKs do, and with them the peers: ask, and if refused ask again later."""

    async def turn(self, doll: str, project: Project) -> Turn:
        """See Policy.turn."""
        server = project[MODEL]
        asked, dice = now(), random.Random(f"{doll} {now()}")  # noqa: S311
        refused = False
        for attempt in range(5):
            if attempt:
                await asyncio.sleep(2.0 ** (attempt - 1) + dice.random())
            answer, _ = await _send(server)
            if answer is Answer.OK:
                wait = now() - asked
                return Turn(START + asked, True, True, False, wait, wait + FIRST_SOUND_S)
            refused |= answer is not Answer.OVERLOADED
        wait = now() - asked
        return Turn(START + asked, False, False, not refused, wait, wait)


async def _send(server: FreeTier) -> tuple[Answer, float]:
    await asyncio.sleep(server.dice.uniform(*_TRAVEL_S))
    answer, hint = server.ask(START + now())
    if answer is not Answer.OK:
        await asyncio.sleep(_FAILURE_S)
    return answer, hint


def _clock() -> Callable[[], Reading]:
    now = asyncio.get_running_loop().time
    return lambda: Reading("simulated", now(), START + now())


def now() -> float:
    """Seconds since the simulated day began."""
    return asyncio.get_running_loop().time()
