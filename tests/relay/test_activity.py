from __future__ import annotations

import asyncio

import pytest

from relay.activity import Activity

pytestmark = pytest.mark.virtual_time

QUIET_S = 5.0


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_spare_work_waits_until_nobody_has_talked_for_a_while() -> None:
    activity, done = Activity(), []

    async def work() -> None:
        done.append(now())

    with activity.turn():
        spare = asyncio.create_task(activity.spare(work, QUIET_S))
        await asyncio.sleep(12)
    await spare
    assert done == [pytest.approx(12 + QUIET_S, abs=QUIET_S)]
    assert done[0] >= 12 + QUIET_S


async def test_spare_work_is_given_up_at_once_when_somebody_speaks_and_begun_anew() -> None:
    activity = Activity()
    begun: list[float] = []
    cancelled: list[float] = []

    async def work() -> None:
        begun.append(now())
        try:
            await asyncio.sleep(3)
        except asyncio.CancelledError:
            cancelled.append(now())
            raise

    spare = asyncio.create_task(activity.spare(work, QUIET_S))
    await asyncio.sleep(1)
    activity.notice()
    await spare
    assert begun == [0, 1 + QUIET_S]
    assert cancelled == [1]


async def test_what_spare_work_raises_is_raised() -> None:
    async def work() -> None:
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        await Activity().spare(work, QUIET_S)


async def test_cancelling_cancels_the_work_too() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    before = asyncio.all_tasks()
    spare = asyncio.create_task(Activity().spare(work, QUIET_S))
    await asyncio.sleep(1)
    spare.cancel()
    with pytest.raises(asyncio.CancelledError):
        await spare
    assert ended.is_set()
    assert asyncio.all_tasks() <= before
