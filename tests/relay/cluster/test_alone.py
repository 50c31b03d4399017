from __future__ import annotations

import asyncio

import pytest

from relay.cluster import alone as module
from relay.cluster.alone import alone
from relay.cluster.bus import Bus
from tests.relay.cluster.conftest import Join
from tools.faults.redis import RedisServer


class Work:
    def __init__(self) -> None:
        self.at: list[str] = []
        self._news = asyncio.Event()

    def begin(self, bus: Bus) -> asyncio.Task[None]:
        async def work() -> None:
            self.at.append(bus.name)
            self._news.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.at.remove(bus.name)

        return asyncio.create_task(alone(bus, "work", work))

    async def begun(self) -> str:
        async with asyncio.timeout(10):
            while not self.at:
                self._news.clear()
                await self._news.wait()
        (name,) = self.at
        return name


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RENEW_S", 0.05)


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_one_of_the_workers_does_it_and_another_one_after_it(
    join: Join, server: RedisServer
) -> None:
    work, buses = Work(), [await join(), await join()]
    tasks = {bus.name: work.begin(bus) for bus in buses}
    first = await work.begun()
    await asyncio.sleep(0.2)  # the others ask again and again
    assert work.at == [first]
    await end(tasks.pop(first))
    ((second, task),) = tasks.items()
    assert await work.begun() == second
    server.stop()
    while any(bus.is_up for bus in buses):
        await asyncio.sleep(0.01)
    assert work.at == [second]  # it goes on without the server
    server.start()
    for bus in buses:
        await bus.up()
    assert work.at == [second]
    await end(task)


async def test_another_one_begins_as_soon_as_its_worker_is_dead(join: Join) -> None:
    work, first, second = Work(), await join(), await join()
    key = f"{first.prefix}:only:work"
    await first.redis.set(key, "0123456789abcdef")  # nobody listens under that name
    begun = work.begin(second)
    assert await work.begun() == second.name
    await end(begun)


async def test_a_key_that_names_no_worker_is_taken(join: Join) -> None:
    work, bus = Work(), await join()
    await bus.redis.set(f"{bus.prefix}:only:work", b"\xff nobody")
    begun = work.begin(bus)
    assert await work.begun() == bus.name
    await end(begun)


async def test_what_it_raises_is_raised(join: Join) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await alone(await join(), "failing", fail)
