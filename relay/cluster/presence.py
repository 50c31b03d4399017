"""Which worker has which doll: a key for each doll in the Redis server.

Who comes last has the doll: claims of one doll are put in order by the server, in one step. A claim
says who had it before, so that the newer socket can have the older one closed wherever that is.

Keys are refreshed together, many dolls a command, and last somewhat longer than that takes: a
worker that was killed leaves nothing behind for long. A claim that is not in the server any more
(it was restarted, or could not be reached) is put there again, unless a newer one is.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from relay.cluster.bus import Bus, BusError

#: A worker says so often that it lives, and is held for dead after this; seconds.
BEAT_S: Final = 5.0
WORKER_TTL_S: Final = 15

#: All dolls are refreshed so often, and forgotten after this; seconds.
REFRESH_S: Final = 30.0
DOLL_TTL_S: Final = 120

#: After the server has come back, all workers have told it what they have.
_SOON_S: Final = 1.0

#: Dolls that one command refreshes.
_AT_ONCE: Final = 500

# A claim: `milliseconds|worker|number`. The time is the worker's clock, but always later than that
# of the claim before, so that clocks which differ between machines put nothing in a wrong order.
_CLAIM = """
local before = redis.call('GET', KEYS[1])
local at = tonumber(ARGV[1])
local was = before and tonumber(string.match(before, '^%d+'))
if was and was >= at then at = was + 1 end
local claim = string.format('%.0f', at) .. ARGV[2]
redis.call('SET', KEYS[1], claim, 'EX', ARGV[3])
return {claim, before}
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
"""
# Which of these claims are not good any more. Those that are not there are put there.
_REFRESH = """
local lost = {}
for i, key in ipairs(KEYS) do
    local there, mine = redis.call('GET', key), ARGV[i + 1]
    local at = there and tonumber(string.match(there, '^%d+'))
    if at and there ~= mine and at >= tonumber(string.match(mine, '^%d+')) then
        lost[#lost + 1] = i
    elseif there == mine then
        redis.call('EXPIRE', key, ARGV[1])
    else
        redis.call('SET', key, mine, 'EX', ARGV[1])
    end
end
return lost
"""

_READABLE: Final = re.compile(rb"\d{1,16}\|([0-9a-f]{16})\|\d{1,16}")


@dataclass(frozen=True, slots=True)
class Claim:
    """A doll is at this worker."""

    device_id: str
    value: bytes  #: as it is in the server
    before: str = ""  #: the other worker that had it, as far as that is known


class Presence:
    """One for a worker. Without the server all claims are good."""

    def __init__(self, bus: Bus, clock: Callable[[], float] = time.time) -> None:
        self._bus = bus
        self._clock = clock
        self._mine: dict[str, Claim] = {}
        self._numbers = itertools.count(1)
        self._wake = asyncio.Event()
        self._claim = bus.redis.register_script(_CLAIM)
        self._release = bus.redis.register_script(_RELEASE)
        self._refresh = bus.redis.register_script(_REFRESH)
        self.on_lost: Callable[[str], None] = _nobody
        """Called with a doll of ours that turns out to be at another worker."""
        bus.follow(self._wake.set)

    async def claim(self, device_id: str) -> Claim:
        """This doll is here, and nowhere else any more."""
        mine = f"|{self._bus.name}|{next(self._numbers)}"
        now = str(int(self._clock() * 1000))
        claim = Claim(device_id, f"{now}{mine}".encode())
        with contextlib.suppress(BusError):
            value, before = await self._call(
                self._claim, [self._key(device_id)], [now, mine, DOLL_TTL_S]
            )
            worker = _worker(before)
            claim = Claim(device_id, value, "" if worker == self._bus.name else worker)
        self._mine[device_id] = claim
        return claim

    async def release(self, claim: Claim) -> None:
        """It is not here any more; nothing happens if it has been claimed anew meanwhile."""
        if self._mine.get(claim.device_id) is claim:
            del self._mine[claim.device_id]
        with contextlib.suppress(BusError):  # it expires
            await self._call(self._release, [self._key(claim.device_id)], [claim.value])

    def forget(self, device_id: str) -> None:
        """Another worker has it, and has said so."""
        self._mine.pop(device_id, None)

    async def elsewhere(self, device_ids: Iterable[str]) -> dict[str, str]:
        """Those of these dolls that are at other workers which live, with the worker of each."""
        ids = list(device_ids)
        if not ids:
            return {}
        found: dict[str, str] = {}
        with contextlib.suppress(BusError):
            values = await self._mget([self._key(device_id) for device_id in ids])
            at = {i: w for i, v in zip(ids, values, strict=True) if (w := _worker(v))}
            workers = sorted({worker for worker in at.values() if worker != self._bus.name})
            if workers:
                beats = await self._mget([self._worker_key(worker) for worker in workers])
                live = {w for w, beat in zip(workers, beats, strict=True) if beat is not None}
                found = {device_id: worker for device_id, worker in at.items() if worker in live}
        return found

    async def run(self) -> None:
        """Keep the claims good, for ever."""
        due = 0.0
        loop = asyncio.get_running_loop()
        while True:
            await self._bus.up()
            wait_s = BEAT_S
            if self._wake.is_set():  # the server may have forgotten everything
                due, wait_s = loop.time(), _SOON_S  # and the others tell it what they have, too
            self._wake.clear()
            with contextlib.suppress(BusError):
                beats = self._bus.redis.set(self._worker_key(self._bus.name), 1, ex=WORKER_TTL_S)
                await self._bus.call(beats)
                if loop.time() >= due:
                    await self._refresh_all()
                    due = loop.time() + (REFRESH_S if wait_s == BEAT_S else 0.0)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    async def leave(self) -> None:
        """This worker ends."""
        with contextlib.suppress(BusError):
            if self._bus.is_up:
                await self._bus.call(self._bus.redis.delete(self._worker_key(self._bus.name)))

    async def _refresh_all(self) -> None:
        claims = iter(tuple(self._mine.values()))
        while some := tuple(islice(claims, _AT_ONCE)):
            keys = [self._key(claim.device_id) for claim in some]
            values = [DOLL_TTL_S, *(claim.value for claim in some)]
            for place in await self._call(self._refresh, keys, values):
                device_id = some[place - 1].device_id
                if self._mine.get(device_id) is some[place - 1]:
                    del self._mine[device_id]
                    self.on_lost(device_id)

    async def _call(self, script: Any, keys: list[str], args: list[Any]) -> Any:
        if not self._bus.is_up:
            raise BusError("redis is away")
        return await self._bus.call(script(keys=keys, args=args))

    async def _mget(self, keys: list[str]) -> list[Any]:
        if not self._bus.is_up:
            raise BusError("redis is away")
        found: list[Any] = await self._bus.call(self._bus.redis.mget(keys))
        return found

    def _key(self, device_id: str) -> str:
        return f"{self._bus.prefix}:at:{device_id}"

    def _worker_key(self, worker: str) -> str:
        return f"{self._bus.prefix}:worker:{worker}"


def _worker(value: object) -> str:
    """Whose claim that is; nobody's if it is none."""
    match = _READABLE.fullmatch(value) if isinstance(value, bytes) else None
    return match[1].decode() if match else ""


def _nobody(_: str) -> None:
    pass
