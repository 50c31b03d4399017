"""Work that nobody waits for goes on after an exception."""

from __future__ import annotations

import asyncio

import pytest

from relay.upkeep import PAUSE_S, keep_up


@pytest.mark.virtual_time
async def test_it_begins_anew_after_a_pause() -> None:
    begun: list[float] = []

    async def work() -> None:
        begun.append(asyncio.get_running_loop().time())
        if len(begun) < 3:
            raise ZeroDivisionError

    start = asyncio.get_running_loop().time()
    await keep_up(work)
    assert [at - start for at in begun] == pytest.approx([0.0, PAUSE_S, 2 * PAUSE_S])


@pytest.mark.virtual_time
async def test_it_ends_when_it_is_cancelled() -> None:
    async def work() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(keep_up(work))
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


async def test_a_revoked_doll_goes_also_after_a_bug_in_what_looks_for_it() -> None:
    from relay import upkeep
    from tests.fakes.relay import running

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upkeep, "PAUSE_S", 0.01)
        async with running() as relay:
            seen = asyncio.Event()
            broken = True

            async def follower(_: bool) -> None:
                nonlocal broken
                if broken:
                    broken = False
                    raise ZeroDivisionError
                seen.set()

            relay.dolls._following.watch.follow(follower)
            async with asyncio.timeout(20):
                await seen.wait()
