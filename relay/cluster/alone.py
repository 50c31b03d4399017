"""Work that one of the workers does for all: a lease in the Redis server says which."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Final

from relay.cluster.bus import Bus, BusError

#: How often a lease is renewed, or asked for, and how long it lasts; seconds.
RENEW_S: Final = 5.0
LEASE_S: Final = 15

_NAME: Final = re.compile(rb"[0-9a-f]{16}")

# Who has it: the caller if nobody had it, or only a worker that the caller knows is dead.
_HOLD = """
local has = redis.call('GET', KEYS[1])
if has and has ~= ARGV[1] and has ~= ARGV[2] then return has end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
return ARGV[1]
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
"""


async def alone(bus: Bus, what: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` for as long as no other worker does. Returns when it returns; raises what it does.

    When the worker that does it ends or dies, another one begins within `RENEW_S`, and when it
    hangs or its machine is not in the network any more, within `LEASE_S` after that. While the
    server is away who does it goes on, and nobody else begins; who alone has lost the server may
    do it together with another one for a while: `work` must bear that.
    """
    key = f"{bus.prefix}:only:{what}"
    hold, release = bus.redis.register_script(_HOLD), bus.redis.register_script(_RELEASE)
    mine = bus.name.encode()

    async def ask(dead: bytes = b"") -> bytes:
        holder = await bus.call(hold(keys=[key], args=[mine, dead, LEASE_S]))
        return holder if isinstance(holder, bytes) else b""

    task: asyncio.Task[None] | None = None
    try:
        while True:
            if task is None:
                await bus.up()
            try:
                holder = await ask()
                if holder != mine and not await _lives(bus, holder):
                    holder = await ask(dead=holder)
                holds = holder == mine
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


async def _lives(bus: Bus, worker: bytes) -> bool:
    """Whether that is a worker that listens. Raises BusError."""
    return _NAME.fullmatch(worker) is not None and await bus.is_there(worker.decode())
