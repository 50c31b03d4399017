"""Requests that reach the provider seconds after they were granted, or never."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.quota.base import SupersededError
from relay.quota.pacing import Pacing
from relay.quota.scheduler import Scheduler
from relay.quota.settings import LimitSettings, QuotaSettings
from relay.quota.store import MemoryStore
from tests.fakes.clocks import MONDAY, loop_clock
from tools.fake_gemini.quota import Allowance, Counting, Limits, Window
from tools.virtual_time import VirtualTimeLoop

MODEL = "gemini-3.5-flash-lite"
A_MINUTE = 5

#: (after how long the doll asks, how long the request travels, how long the answer takes)
turns = st.lists(
    st.tuples(st.floats(0, 15), st.floats(0, 12), st.floats(0, 5)), min_size=1, max_size=15
)


class Service:
    """What dolls ask through some processes of the relay, and the provider's own count of it."""

    def __init__(self, window: Window, processes: int, own: int = A_MINUTE) -> None:
        limits = QuotaSettings(limits={MODEL: LimitSettings(requests_per_minute=own)})
        store, pacing = MemoryStore(loop_clock()), Pacing(ZoneInfo("Asia/Seoul"), keep=0)
        self.quotas = [Scheduler(store, limits, pacing) for _ in range(processes)]
        self.counted = Allowance(Limits(own), Counting(window))
        self.refused = 0
        self.granted: list[float] = []

    async def ask(self, doll: int, travel_s: float, answer_s: float) -> None:
        """One turn, which its answer's first word ends."""
        loop = asyncio.get_running_loop()
        quota = self.quotas[doll % len(self.quotas)]
        async with quota.place(MODEL, doll=f"doll {doll}", tokens=1) as place:
            await place.granted()
            self.granted.append(loop.time())
            loop.call_later(travel_s, self._count)
            await asyncio.sleep(travel_s + answer_s)
        await quota.answered(MODEL)

    def _count(self) -> None:
        now = MONDAY + asyncio.get_running_loop().time()
        self.refused += self.counted.take(now, 1) is not None


def virtually(work: Coroutine[None, None, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(work)


@settings(max_examples=60)
@given(
    st.lists(turns, min_size=1, max_size=4),
    st.sampled_from(["minute", "sliding"]),
    st.integers(1, 2),
)
def test_however_late_requests_arrive_none_is_one_too_many(
    dolls: list[list[tuple[float, float, float]]], window: Window, processes: int
) -> None:
    async def course() -> None:
        service = Service(window, processes)

        async def talk(doll: int) -> None:
            for pause_s, travel_s, answer_s in dolls[doll]:
                await asyncio.sleep(pause_s)
                await service.ask(doll, travel_s, answer_s)

        await asyncio.gather(*map(talk, range(len(dolls))))
        assert len(service.granted) == sum(map(len, dolls))
        assert service.refused == 0

    virtually(course())


@pytest.mark.virtual_time
async def test_nearly_all_of_the_allowance_is_used_when_answers_begin_within_a_second() -> None:
    service = Service("sliding", 1, own=15)

    async def talk(doll: int) -> None:
        while True:
            await service.ask(doll, 0.2, 0.6)

    talks = [asyncio.create_task(talk(doll)) for doll in range(5)]
    await asyncio.sleep(600)
    for task in talks:
        task.cancel()
    assert service.refused == 0
    assert len(service.granted) >= 0.98 * 150


@pytest.mark.virtual_time
async def test_a_turn_that_is_cut_off_frees_its_slot_a_minute_after_that() -> None:
    service = Service("sliding", 1, own=1)
    cut = asyncio.create_task(service.ask(0, 0.1, 20.0))
    await asyncio.sleep(5)
    cut.cancel()
    with pytest.raises((asyncio.CancelledError, SupersededError)):
        await cut
    await service.ask(1, 0.0, 0.0)
    assert 65 < service.granted[1] < 66
    assert service.refused == 0
