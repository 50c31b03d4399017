from __future__ import annotations

import asyncio

import pytest

from relay.wire.deadline import Deadline

pytestmark = pytest.mark.virtual_time


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_wait_that_takes_too_long_is_ended() -> None:
    deadline, started = Deadline(), now()
    with pytest.raises(TimeoutError), deadline.within(5):
        await asyncio.Event().wait()
    assert now() - started == 5


async def test_each_wait_has_its_own_time() -> None:
    deadline = Deadline()
    for seconds in (5, 2, 10, 3):
        with deadline.within(seconds):
            await asyncio.sleep(seconds - 1)
    started = now()
    for seconds in (7, 1):
        with pytest.raises(TimeoutError), deadline.within(seconds):
            await asyncio.Event().wait()
    assert now() - started == 8


async def test_nothing_happens_between_two_waits() -> None:
    deadline = Deadline()
    with deadline.within(1):
        pass
    await asyncio.sleep(100)
    started = now()
    with pytest.raises(TimeoutError), deadline.within(1):
        await asyncio.Event().wait()
    assert now() - started == 1


async def test_a_thousand_waits_leave_one_timer() -> None:
    deadline, loop = Deadline(), asyncio.get_running_loop()
    before = len(loop._scheduled)  # type: ignore[attr-defined]
    for _ in range(1000):
        with deadline.within(60):
            pass
    assert len(loop._scheduled) == before + 1  # type: ignore[attr-defined]


async def test_a_wait_can_be_ended_at_once() -> None:
    deadline = Deadline()
    asyncio.get_running_loop().call_later(3, deadline.expire)
    started = now()
    with pytest.raises(TimeoutError), deadline.within(60):
        await asyncio.Event().wait()
    assert now() - started == 3
    deadline.expire()  # there is no wait: nothing to end
    with deadline.within(60):
        await asyncio.sleep(1)


async def test_a_task_that_is_cancelled_by_others_stays_cancelled() -> None:
    deadline = Deadline()

    async def wait() -> None:
        with deadline.within(60):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_task_that_is_cancelled_in_the_moment_of_the_deadline_stays_cancelled() -> None:
    deadline = Deadline()

    async def wait() -> None:
        with deadline.within(5):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_at(deadline._at, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_within_a_wait_that_was_over_time_is_the_error_and_cancels_nothing() -> None:
    deadline = Deadline()

    async def wait() -> str:
        with pytest.raises(OSError), deadline.within(5):
            try:
                await asyncio.Event().wait()
            finally:
                raise OSError
        await asyncio.sleep(1)
        return "went on"

    assert await asyncio.create_task(wait()) == "went on"
