"""Ledgers in Redis (or Valkey), for relays on several machines that share a project.

There is one implementation of the rules, the ledger; Redis keeps its state, with a version. A
change reads both, decides here, and writes with a script that takes the new state only if the
version is still the one that was read, all in one step of the server; who was too slow decides
again on what is there now. At some requests a minute that is rare.

The wall clock is the server's, so that all machines have the same day. How durable a grant is, is
a setting of the server: with `appendonly yes` and `appendfsync always` it is as durable as
SQLite's.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from relay.quota.clock import Clock, system_clock
from relay.quota.sqlite import project_of
from relay.quota.state import encode
from relay.quota.store import Change, StoreError, read

T = TypeVar("T")

PREFIX = "doll:quota"
TIMEOUT_S = 2.0  #: for the server's answer; nobody waits long for an allowance
ATTEMPTS = 50  #: as many others may be faster, one after another
_KEEP_S = 60 * 86400  # of a project that is asked no more

# TIME is read in the same step as the state, or another process could read later and write earlier.
_READ = """
local time = redis.call('TIME')
local row = redis.call('HMGET', KEYS[1], 'version', 'state')
return {row[1] or '0', row[2], time[1] .. '.' .. string.format('%06d', time[2])}
"""
_WRITE = """
if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[1] then
    return 0
end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'state', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('SADD', KEYS[2], ARGV[5])
redis.call('EXPIRE', KEYS[2], ARGV[4])
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
        name = f"{self._project}:{model}"
        for _ in range(ATTEMPTS):
            with _told():
                version, data, wall = await _answer(self._read(keys=[name]))
            state = read(data)
            result, write = change(state, replace(self._clock(), wall=float(wall)))
            if not write:
                return result
            with _told():
                written = await _answer(
                    self._write(
                        keys=[name, self._project],
                        args=[version, int(version) + 1, encode(state), _KEEP_S, model],
                    )
                )
            if written:
                return result
            await asyncio.sleep(random.uniform(0, 0.005))  # noqa: S311 (spreads the contenders)
        raise StoreError("The quota's Redis (quota.store) is used by too many at once.")

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
