"""Ledgers in Redis (or Valkey), for relays on several machines that share a project.

There is one implementation of the rules, the ledger; Redis keeps its state, with a number, and a
stream of what was added to its log (see `copy`). A change reads the state and what is new in the
stream, decides here, and writes with a script that takes the new state only if the number is still
the one that was read, all in one step of the server; who was too slow decides again on what is
there now. The changes of one process go one after another, so only processes meet there.

The wall clock is the server's, so that all machines have the same day. How durable a grant is, is
a setting of the server: with `appendonly yes` and `appendfsync always` it is as durable as
SQLite's.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from relay.quota.clock import Clock, system_clock
from relay.quota.copy import Copy, Page
from relay.quota.sqlite import project_of
from relay.quota.state import State
from relay.quota.store import Change, StoreError

T = TypeVar("T")

PREFIX = "doll:quota"
TIMEOUT_S = 2.0  #: for the server's answer; nobody waits long for an allowance
ATTEMPTS = 50  #: as many others may be faster, one after another
_KEEP_S = 60 * 86400  # of a project that is asked no more

# TIME is read in the same step as the state, or another process could read later and write earlier.
_READ = """
local time = redis.call('TIME')
local row = redis.call('HMGET', KEYS[1], 'version', 'state')
local number, seen = tonumber(row[1] or '0'), tonumber(ARGV[1])
if number < seen then seen = 0 end
local pages = redis.call('XRANGE', KEYS[2], string.format('%.0f-0', seen + 1), '+')
return {number, row[2], time[1] .. '.' .. string.format('%06d', time[2]), pages}
"""
_WRITE = """
local number = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
if number + 1 ~= tonumber(ARGV[1]) then
    return 0
end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'state', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('SADD', KEYS[3], ARGV[4])
redis.call('EXPIRE', KEYS[3], ARGV[3])
if ARGV[6] ~= '' then
    redis.call('XADD', KEYS[2], ARGV[1] .. '-0', 'requests', ARGV[6])
    redis.call('XTRIM', KEYS[2], 'MINID', ARGV[5])
    redis.call('EXPIRE', KEYS[2], ARGV[3])
end
return 1
"""


class RedisStore:
    """The ledgers of one project on a server that other relays use at the same time."""

    def __init__(self, redis: Redis, project: str, clock: Clock) -> None:
        self._redis = redis
        self._project = f"{PREFIX}:{project}"
        self._clock = clock
        self._read = redis.register_script(_READ)
        self._write = redis.register_script(_WRITE)
        self._copies: defaultdict[str, tuple[asyncio.Lock, Copy]] = defaultdict(
            lambda: (asyncio.Lock(), Copy())
        )

    @classmethod
    async def open(cls, url: str, key: str, *, clock: Clock = system_clock) -> RedisStore:
        """Connect. `key` says whose allowance it is; the server sees a salted hash of it.

        Raises StoreError.
        """
        try:
            redis = Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        except ValueError:  # its text repeats the URL, which may hold a password
            raise StoreError("quota.store: this is no Redis URL (redis://host:6379/0).") from None
        try:
            with _told():
                await redis.set(f"{PREFIX}:salt", secrets.token_bytes(16), nx=True)
                salt = await redis.get(f"{PREFIX}:salt")
        except BaseException:
            await redis.aclose()
            raise
        return cls(redis, project_of(key, cast("bytes", salt)), clock)

    async def change(self, model: str, change: Change[T]) -> T:
        """See Store.change."""
        lock, copy = self._copies[model]
        async with lock:
            for _ in range(ATTEMPTS):
                with copy.taken_back():
                    state, wall = await self._state(model, copy)
                    result, write = change(state, replace(self._clock(), wall=wall))
                    if not write:
                        return result
                    page = copy.page(state)
                    if await self._written(model, page):
                        copy.kept(page)
                        return result
                await asyncio.sleep(random.uniform(0, 0.005))  # noqa: S311 (spreads the contenders)
        raise StoreError("The quota's Redis (quota.store) is used by too many at once.")

    async def _state(self, model: str, copy: Copy) -> tuple[State, float]:
        """A ledger, and the server's wall clock."""
        with _told():
            number, head, wall, stream = await _answer(
                self._read(keys=self._keys(model), args=[copy.number])
            )
        pages = [(int(name.partition(b"-")[0]), fields[1]) for name, fields in stream]
        return copy.state(head, number, pages), float(wall)

    async def _written(self, model: str, page: Page) -> bool:
        """Write a page if none with its number was written meanwhile."""
        with _told():
            written = await _answer(
                self._write(
                    keys=[*self._keys(model), self._project],
                    args=[
                        page.number,
                        page.head,
                        _KEEP_S,
                        model,
                        page.oldest,
                        page.requests or b"",
                    ],
                )
            )
        return bool(written)

    def _keys(self, model: str) -> list[str]:
        return [f"{self._project}:{model}", f"{self._project}:{model}:journal"]

    async def models(self) -> list[str]:
        """See Store.models."""
        with _told():
            names = await _answer(self._redis.smembers(self._project))
        return sorted(name.decode() for name in names)

    async def close(self) -> None:
        """See Store.close."""
        await self._redis.aclose()


async def _answer(answer: object) -> Any:
    # redis-py types one method for its blocking and its asyncio client alike.
    return await cast("Awaitable[Any]", answer)


@contextmanager
def _told() -> Iterator[None]:
    """Failures of the server in one sentence, without the URL."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise StoreError(
            f"The quota's Redis (quota.store) cannot be used: {type(error).__name__}."
        ) from None
