"""Both ends of the way, without a server between them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cluster.bus import Bus, BusError
from relay.cluster.ferry import QUIET_S, WINDOW, Ferry, Landing
from relay.cluster.handover import CUT, END, MORE, Got, More, Over, packed
from relay.turn.moved import RestLostError
from relay.wire.errors import CloseCode, Disconnected
from relay.wire.messages import Hello
from tools.virtual_time import VirtualTimeLoop

pytestmark = pytest.mark.virtual_time


class FakeBus:
    """Carries to a landing and back; `there` says whether the other worker is."""

    def __init__(self) -> None:
        self.there = True
        self.is_up = True
        self.told: list[tuple[str, Any]] = []
        self.ferry: Ferry | None = None
        self.landing: Landing | None = None
        self._tasks: set[asyncio.Future[Any]] = set()

    async def tell(self, worker: str, kind: str, body: object) -> bool:
        if not self.is_up:
            raise BusError("redis is away")
        self.told.append((kind, body))
        if self.there and isinstance(body, More) and self.landing is not None:
            self.landing.take(body)
        if self.there and isinstance(body, Got) and self.ferry is not None:
            self.ferry.got(body.place)
        return self.there

    async def is_there(self, worker: str) -> bool:
        return self.there

    def start(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.told]


def ends() -> tuple[FakeBus, Ferry, Landing]:
    bus = FakeBus()
    bus.ferry = Ferry(cast("Bus", bus), "there", 7, Hello())
    bus.landing = Landing(cast("Bus", bus), "here", 7)
    return bus, bus.ferry, bus.landing


async def test_the_maker_is_never_far_ahead_of_the_ear() -> None:
    bus, ferry, landing = ends()
    sending = asyncio.create_task(send(ferry, 3 * WINDOW))
    await asyncio.sleep(0.1)
    assert bus.kinds().count(MORE) == WINDOW
    for number in range(3 * WINDOW):
        assert await anext(landing) == b"%d" % number
        landing.passed_on()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert bus.kinds().count(MORE) <= number + 1 + WINDOW
    await sending
    landing.finish()
    with pytest.raises(StopAsyncIteration):
        await anext(landing)


async def send(ferry: Ferry, count: int) -> None:
    for number in range(count):
        await ferry.deliver(b"%d" % number)


async def test_who_waits_for_room_at_a_worker_that_has_died_is_told() -> None:
    bus, ferry, _ = ends()
    sending = asyncio.create_task(send(ferry, 3 * WINDOW))
    await asyncio.sleep(10 * QUIET_S)  # the doll's link may be lost for long
    assert not sending.done()
    bus.there = False
    with pytest.raises(Disconnected):
        await asyncio.wait_for(sending, 2 * QUIET_S)
    assert ferry.over.is_set()


@pytest.mark.parametrize("how", ["gone", "no server"])
async def test_what_cannot_be_sent_ends_the_answer(how: str) -> None:
    bus, ferry, _ = ends()
    bus.there, bus.is_up = how != "gone", how != "no server"
    with pytest.raises(Disconnected):
        await ferry.deliver("text")
    assert ferry.over.is_set()


async def test_an_answer_whose_maker_dies_is_lost_behind_all_that_came() -> None:
    bus, ferry, landing = ends()
    await ferry.deliver("one")
    bus.there = False
    assert await anext(landing) == "one"
    with pytest.raises(RestLostError, match="gone"):
        await asyncio.wait_for(anext(landing), 2 * QUIET_S)


async def test_a_long_thought_is_waited_for() -> None:
    _, ferry, landing = ends()
    waiting = asyncio.ensure_future(anext(landing))
    await asyncio.sleep(30)
    await ferry.deliver("at last")
    assert await waiting == "at last"


async def test_who_leaves_tells_the_maker_unless_all_had_come() -> None:
    bus, _, landing = ends()
    landing.leave()
    landing.leave()
    await asyncio.sleep(0)
    assert bus.told == [(CUT, Over(7))]
    bus, _, landing = ends()
    landing.finish()
    landing.leave()
    await asyncio.sleep(0)
    assert not bus.told


async def test_after_its_end_nothing_is_sent_any_more_and_the_session_hears_of_it() -> None:
    bus, ferry, _ = ends()
    receiving = asyncio.ensure_future(ferry.receive())
    await ferry.finish()
    await asyncio.sleep(0)
    assert bus.kinds() == [END]
    with pytest.raises(Disconnected):
        await ferry.deliver("late")
    assert not receiving.done()
    await ferry.close(CloseCode.REPLACED, "")
    with pytest.raises(Disconnected):
        await receiving


@given(st.lists(st.integers(0, 12), max_size=30))
def test_repeated_ones_count_once_and_a_missing_one_is_noticed(places: list[int]) -> None:
    loop = VirtualTimeLoop()

    async def run() -> None:
        _, _, landing = ends()
        expected: list[str] = []
        for place in places:
            landing.take(More(7, place, packed(str(place))))
            if place == len(expected) + 1:
                expected.append(str(place))
            elif place > len(expected) + 1:
                break
        for text in expected:
            assert await anext(landing) == text
        if places and any(place > len(expected) + 1 for place in places[-1:]):
            with pytest.raises(RestLostError, match="missing"):
                await anext(landing)

    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
