from __future__ import annotations

from datetime import UTC

from relay.quota.base import Admission, Later, Now, Priority
from relay.quota.lane import Lane
from relay.quota.pacing import Pacing
from relay.quota.settings import QuotaSettings
from relay.quota.store import MemoryStore
from tests.fakes.clocks import ManualClock

LITE = "gemini-3.5-flash-lite"


def lane(clock: ManualClock, store: MemoryStore | None = None) -> Lane:
    return Lane(LITE, store or MemoryStore(clock), QuotaSettings(), Pacing(UTC))


async def look(lane: Lane) -> Admission:
    ticket = lane.join("a", Priority.TURN, 100)
    try:
        return await lane.admission(ticket)
    finally:
        lane.leave(ticket)


async def grant(lane: Lane) -> Admission:
    ticket = lane.join("a", Priority.TURN, 100)
    try:
        return await lane.grant(ticket)
    finally:
        lane.leave(ticket)


async def test_looking_costs_nothing(clock: ManualClock) -> None:
    store = MemoryStore(clock)
    assert await look(lane(clock, store)) == Now()
    assert await store.models() == []


async def test_after_a_reboot_with_a_clock_far_behind_looking_is_enough_to_let_time_go_on(
    clock: ManualClock,
) -> None:
    """Who is told to wait for a minute asks no further: the wait must end all the same."""
    one = lane(clock)
    for _ in range(15):
        assert await grant(one) == Now()
    clock.reboot(uptime=15, wall=clock.wall - 7200)
    assert isinstance(await look(one), Later)
    clock.pass_(61)
    assert await look(one) == Now()


async def test_an_answer_is_written_down_only_where_something_was_wrong(
    clock: ManualClock,
) -> None:
    store = MemoryStore(clock)
    one = lane(clock, store)
    await one.note(lambda ledger: ledger.answered())
    assert await store.models() == []
    await one.note(lambda ledger: ledger.failed())
    assert (await one.use()).held_s > 0
    await one.note(lambda ledger: ledger.answered())
    assert (await one.use()).held_s == 0
