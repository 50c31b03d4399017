"""Work that one of the workers does for all: a lease in the Redis server says which."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from relay.cluster.bus import Bus, BusError

#: How often a lease is renewed, or asked for, and how long it lasts; seconds.
RENEW_S: Final = 5.0
LEASE_S: Final = 15

_HOLD = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2]) then return 1 end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
"""


async def alone(bus: Bus, what: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` for as long as no other worker does. Returns when it returns; raises what it does.

    When the worker that does it ends or dies, another one begins, within `LEASE_S` at the latest.
    While the server is away who does it goes on, and nobody else begins.
    """
    key = f"{bus.prefix}:only:{what}"
    hold, release = bus.redis.register_script(_HOLD), bus.redis.register_script(_RELEASE)
    task: asyncio.Task[None] | None = None
    try:
        while True:
            if task is None:
                await bus.up()
            try:
                holds = bool(await bus.call(hold(keys=[key], args=[bus.name, LEASE_S])))
            except BusError:
                holds = task is not None
            if holds and task is None:
                task = asyncio.ensure_future(work())
            elif task is not None and not holds:
                task.cancel()
                await asyncio.wait((task,))
                task = None
            if task is None:
                await asyncio.sleep(RENEW_S)
            elif (await asyncio.wait((task,), timeout=RENEW_S))[0]:
                return task.result()
    finally:
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))
            if bus.is_up:
                bus.start(bus.call(release(keys=[key], args=[bus.name])))
