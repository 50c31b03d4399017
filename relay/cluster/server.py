"""The connection to the Redis or Valkey server that workers share."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from redis.asyncio import Redis

#: For the server's answer, and for a free connection to it.
TIMEOUT_S: Final = 2.0

#: A burst of dolls waits for one of these instead of opening hundreds.
_CONNECTIONS: Final = 8


class ServerError(Exception):
    """The server cannot be used; one line that says what to do, without the URL."""


def open_redis(url: str, setting: str) -> Redis:
    """A client for `url`, which the setting of that name holds. Connects when it is used.

    Nothing is tried twice in secret: who asks decides what a failure means. Raises ServerError.
    """
    try:
        from redis.asyncio import BlockingConnectionPool, Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError as error:
        raise ServerError(
            f"{setting}: Redis needs the extra `redis`: pip install 'talking-doll[redis]' ({error})"
        ) from None
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=TIMEOUT_S,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:  # its text repeats the URL, which may hold a password
        raise ServerError(f"{setting}: this is no Redis URL (redis://host:6379/0).") from None
    return Redis.from_pool(pool)


async def answer(waited_for: object) -> Any:
    """What the server answers. redis-py types a method for both its clients, asyncio's or not."""
    return await cast("Awaitable[Any]", waited_for)
