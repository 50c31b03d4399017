"""The shell in virtual time: who waits how long, and for what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

import pytest

from relay.llm.gemini_errors import Limit, Refusal
from relay.quota.base import (
    Admission,
    Later,
    NotToday,
    Now,
    OverError,
    Priority,
    SupersededError,
)
from relay.quota.clock import Reading
from relay.quota.log import WINDOW_S
from relay.quota.pacing import Pacing, Step
from relay.quota.scheduler import STORE_RETRY_S, Scheduler
from relay.quota.settings import LimitSettings, QuotaSettings
from relay.quota.store import Change, MemoryStore, StoreError, T
from tests.fakes.clocks import loop_clock

pytestmark = pytest.mark.virtual_time

LITE = "gemini-3.5-flash-lite"
MINUTE = pytest.approx(WINDOW_S, abs=0.01)


def scheduler(store: MemoryStore | None = None, **limits: int) -> Scheduler:
    settings = QuotaSettings(limits={LITE: LimitSettings(**limits)} if limits else {})
    pacing = Pacing(ZoneInfo("America/Los_Angeles"))
    return Scheduler(store or MemoryStore(loop_clock()), settings, pacing)


@pytest.fixture
async def quota() -> AsyncIterator[Scheduler]:
    quota = scheduler()
    yield quota
    await quota.close()


def now() -> float:
    return asyncio.get_running_loop().time()


async def ask(
    quota: Scheduler, doll: str = "a", priority: Priority = Priority.TURN, model: str = LITE
) -> tuple[Admission, float]:
    """Take a place and wait for it: what was told, and when it was granted. The answer is quick."""
    async with quota.place(model, doll=doll, tokens=100, priority=priority) as place:
        await place.granted()
        granted = now()
    await quota.answered(model)
    return place.admission, granted


async def fill(quota: Scheduler, requests: int = 15) -> None:
    for number in range(requests):
        await ask(quota, f"doll {number}")


async def test_a_free_allowance_grants_at_once(quota: Scheduler) -> None:
    assert await ask(quota) == (Now(), 0)


async def test_what_was_told_comes_true(quota: Scheduler) -> None:
    await fill(quota)
    admission, granted = await ask(quota)
    assert isinstance(admission, Later)
    assert admission.seconds == MINUTE
    assert granted == pytest.approx(admission.seconds, abs=0.01)


async def test_each_one_who_waits_is_told_a_wait_of_its_own(quota: Scheduler) -> None:
    for number in range(15):
        await ask(quota, f"doll {number}")
        await asyncio.sleep(2)
    waiting = [asyncio.create_task(ask(quota, f"new {number}")) for number in range(3)]
    for number, (admission, granted) in enumerate(await asyncio.gather(*waiting)):
        assert isinstance(admission, Later)
        assert granted == pytest.approx(30 + admission.seconds, abs=0.05)
        assert admission.seconds == pytest.approx(WINDOW_S - 30 + 2 * number, abs=0.05)


async def test_a_newer_utterance_takes_the_place_of_the_one_that_waits(quota: Scheduler) -> None:
    await fill(quota)
    older = asyncio.create_task(ask(quota, "a"))
    await asyncio.sleep(10)
    newer = asyncio.create_task(ask(quota, "a"))
    with pytest.raises(SupersededError):
        await older
    assert now() == 10
    assert (await newer)[1] == MINUTE


async def test_a_turn_goes_before_background_work_that_came_first(quota: Scheduler) -> None:
    await fill(quota, 14)
    background = asyncio.create_task(ask(quota, "a", Priority.BACKGROUND))
    await asyncio.sleep(1)
    assert (await ask(quota, "b"))[1] == 1
    assert (await background)[1] > 40


async def test_dolls_take_turns_when_all_want_to_talk_all_the_time(quota: Scheduler) -> None:
    served = dict.fromkeys("abcde", 0)

    async def chatter(doll: str) -> None:
        while True:
            await ask(quota, doll)
            served[doll] += 1
            await asyncio.sleep(1)

    dolls = [asyncio.create_task(chatter(doll)) for doll in served]
    await asyncio.sleep(600)
    for task in dolls:
        task.cancel()
    assert max(served.values()) - min(served.values()) <= 1
    assert sum(served.values()) >= 9 * 15


async def test_a_doll_that_was_silent_finds_a_slot_while_another_one_chatters(
    quota: Scheduler,
) -> None:
    await ask(quota, "quiet")
    await asyncio.sleep(120)
    chatter = asyncio.create_task(_chatter(quota, "chatty"))
    await asyncio.sleep(20)
    assert (await ask(quota, "quiet"))[0] == Now()
    chatter.cancel()


async def _chatter(quota: Scheduler, doll: str) -> None:
    while True:
        await ask(quota, doll)


async def test_a_place_that_is_given_up_makes_room(quota: Scheduler) -> None:
    await fill(quota, 15)
    first = asyncio.create_task(ask(quota, "a"))
    second = asyncio.create_task(ask(quota, "b"))
    await asyncio.sleep(1)
    first.cancel()
    admission, granted = await second
    assert isinstance(admission, Later)
    assert granted == MINUTE
    assert (await quota.snapshot())[0].waiting == 0


async def test_who_holds_a_place_and_does_not_send_stops_nobody(quota: Scheduler) -> None:
    async with quota.place(LITE, doll="a", tokens=1) as place:
        assert (await ask(quota, "b"))[1] == 0
        await fill(quota, 14)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await place.granted()
        await asyncio.sleep(50)
        assert (await ask(quota, "c"))[1] == MINUTE


async def test_leaving_without_a_grant_costs_nothing(quota: Scheduler) -> None:
    for _ in range(30):
        async with quota.place(LITE, doll="a", tokens=1):
            pass
    assert (await quota.snapshot())[0].minute_requests == 0


async def test_a_place_is_for_one_request(quota: Scheduler) -> None:
    async with quota.place(LITE, doll="a", tokens=1) as place:
        await place.granted()
        with pytest.raises(RuntimeError):
            await place.granted()


async def test_who_waits_is_told_when_the_day_ends_meanwhile(quota: Scheduler) -> None:
    await fill(quota)
    waiting = asyncio.create_task(ask(quota, "a"))
    await asyncio.sleep(1)
    await quota.refused(LITE, Refusal(Limit.DAY, 500, None))
    with pytest.raises(OverError) as over:
        await waiting
    assert over.value.until is not None
    assert now() == 1


async def test_a_503_sends_the_next_one_elsewhere_and_an_answer_calls_it_back(
    quota: Scheduler,
) -> None:
    await ask(quota)
    await quota.failed(LITE)
    await quota.failed(LITE)
    waiting = asyncio.create_task(ask(quota, "b"))
    await asyncio.sleep(0.5)
    await quota.answered(LITE)
    admission, granted = await waiting
    assert isinstance(admission, Later)
    assert granted == pytest.approx(0.5, abs=0.01)


async def test_a_model_that_is_gone_is_not_asked_again(quota: Scheduler) -> None:
    await quota.retired(LITE)
    async with quota.place(LITE, doll="a", tokens=1) as place:
        assert place.admission == NotToday(None)
        with pytest.raises(OverError):
            await place.granted()


async def test_models_do_not_share_an_allowance_but_versions_of_one_do(quota: Scheduler) -> None:
    await fill(quota)
    assert (await ask(quota, model="gemini-3.1-flash-lite"))[0] == Now()
    async with quota.place(LITE + "-preview", doll="a", tokens=1) as place:
        assert isinstance(place.admission, Later)


async def test_two_processes_on_one_store_keep_the_limit_and_both_get_through() -> None:
    store = MemoryStore(loop_clock())
    first, second = scheduler(store), scheduler(store)
    await fill(first, 10)
    await fill(second, 5)
    one, two = await asyncio.gather(ask(first, "a"), ask(second, "b"))
    # Neither knows of the other's queue, so one is told less than it waits; it is asked again.
    assert one[1] == MINUTE
    assert two[1] == pytest.approx(WINDOW_S, abs=0.1)


async def test_a_wait_that_another_process_made_longer_is_waited_out() -> None:
    store = MemoryStore(loop_clock())
    first, second = scheduler(store, requests_per_minute=1), scheduler(store, requests_per_minute=1)
    await fill(first, 1)
    granted = [when for _, when in await asyncio.gather(ask(first, "a"), ask(second, "b"))]
    assert sorted(granted) == [MINUTE, pytest.approx(2 * WINDOW_S, abs=0.1)]


class BrokenStore(MemoryStore):
    broken = True

    async def change(self, model: str, change: Change[T]) -> T:
        if self.broken:
            raise StoreError("The disk is full.")
        return await super().change(model, change)


async def test_a_store_that_does_not_work_sends_nothing_and_stops_nobody() -> None:
    store = BrokenStore(loop_clock())
    quota = scheduler(store)
    async with quota.place(LITE, doll="a", tokens=1) as place:
        assert place.admission == Later(STORE_RETRY_S)
        with pytest.raises(OverError):
            await place.granted()
    await quota.failed(LITE)
    store.broken = False
    assert (await ask(quota))[0] == Now()


async def test_the_snapshot_tells_how_each_model_stands(quota: Scheduler) -> None:
    await fill(quota)
    await quota.refused("gemini-3.1-flash-lite", Refusal(Limit.DAY, 20, None))
    other, lite = await quota.snapshot()
    assert (lite.model, lite.minute_requests, lite.day_requests) == (LITE, 15, 15)
    assert (lite.limits.requests_per_day, lite.learned, lite.step) == (500, False, Step.FREE)
    assert lite.day_forecast > 15
    assert (other.limits.requests_per_day, other.learned, other.step) == (20, True, Step.SPENT)
    assert isinstance(other.over, NotToday)


async def test_a_thousand_dolls_that_wait_do_not_wake_each_other_all_the_time() -> None:
    quota = scheduler(requests_per_minute=1000, tokens_per_minute=10_000_000)
    waiting = [asyncio.create_task(ask(quota, f"doll {number}")) for number in range(300)]
    await asyncio.gather(*waiting)
    assert (await quota.snapshot())[0].minute_requests == 300


async def test_a_wait_that_rounding_left_over_ends() -> None:
    await asyncio.sleep(1e6)  # from here on the loop's time is coarser than the ledger's
    start, wall = now(), loop_clock()().wall

    def clock() -> Reading:
        return Reading("loop", now() - start, wall + now() - start)

    quota = scheduler(MemoryStore(clock), requests_per_minute=1)
    for _ in range(20):
        await asyncio.sleep(1 / 7)
        await ask(quota)
    assert now() - start == pytest.approx(19 * WINDOW_S, abs=1)
    await quota.close()
