"""Waiting for an allowance of requests a minute: the relay's own scheduler, in virtual time.

Turns come by a Poisson law, each of another doll, at a share of what the allowance gives. A turn
that cannot be granted within a doll's patience goes to the embedded brain.
"""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import dataclass
from random import Random

from relay.llm.admission import Patience
from relay.quota.base import Later, NotToday, OverError
from relay.quota.clock import Reading
from relay.quota.pacing import Pacing
from relay.quota.scheduler import Scheduler
from relay.quota.settings import LimitSettings, QuotaSettings
from relay.quota.store import MemoryStore
from tools.bench.quota_day import HOME, START
from tools.virtual_time import VirtualTimeLoop

_MODEL = "gemini-3.5-flash-lite"
_TOKENS = 100


@dataclass(frozen=True, slots=True)
class Waits:
    """What became of the turns."""

    turns: int
    granted: float  #: share of them
    p50_s: float  #: until they were
    p95_s: float
    fullest_minute: int  #: requests that were sent in 60 s


def waits(per_minute: int, load: float, minutes: float, seed: int = 1) -> Waits:
    """So many minutes at `load`, a share of the limit (1.2: a fifth more than it allows)."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_run(per_minute, load, minutes, seed))


async def _run(per_minute: int, load: float, minutes: float, seed: int) -> Waits:
    loop, dice, patience = asyncio.get_running_loop(), Random(seed), Patience()  # noqa: S311
    allowed = LimitSettings(
        requests_per_minute=per_minute,
        tokens_per_minute="unlimited",
        requests_per_day="unlimited",
    )
    settings = QuotaSettings(limits={_MODEL: allowed})
    store = MemoryStore(lambda: Reading("simulated", loop.time(), START + loop.time()))
    quota = Scheduler(store, settings, Pacing(HOME))
    sent: list[float] = []
    took: list[float] = []

    async def turn(doll: str) -> None:
        asked = loop.time()
        async with quota.place(_MODEL, doll=doll, tokens=_TOKENS) as place:
            match place.admission:
                case NotToday():
                    return
                case Later(seconds) if seconds > patience.longest_s:
                    return
            try:
                async with asyncio.timeout(patience.longest_s):
                    await place.granted()
            except (OverError, TimeoutError):
                return
        sent.append(loop.time())
        took.append(loop.time() - asked)

    count = 0
    async with asyncio.TaskGroup() as turns:
        while loop.time() < minutes * 60:
            turns.create_task(turn(f"doll {count}"))
            count += 1
            await asyncio.sleep(dice.expovariate(per_minute * load / 60))
    await quota.close()
    took.sort()
    return Waits(
        turns=count,
        granted=len(took) / count,
        p50_s=statistics.median(took) if took else 0.0,
        p95_s=took[int(len(took) * 0.95)] if took else 0.0,
        fullest_minute=_fullest(sent),
    )


def _fullest(sent: list[float]) -> int:
    most = first = 0
    for last, at in enumerate(sent):
        while sent[first] <= at - 60:
            first += 1
        most = max(most, last - first + 1)
    return most
