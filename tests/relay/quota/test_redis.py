from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from redis.asyncio import Redis

from relay.quota.clock import Reading
from relay.quota.redis import PREFIX, RedisStore
from relay.quota.state import State
from relay.quota.store import StoreError
from tests.fakes.clocks import ManualClock
from tests.relay.quota.test_store import count

KEY = "AIzaSyD-this-is-a-secret-0123456789"


async def test_the_key_is_nowhere_in_the_server_and_everything_expires(redis_url: str) -> None:
    store = await RedisStore.open(redis_url, KEY)
    await store.change("model", count)
    async with Redis.from_url(redis_url) as redis:
        names = [name async for name in redis.scan_iter("*")]
        assert all(name.decode().startswith(PREFIX) for name in names)
        assert all(KEY.encode() not in name for name in names)
        kept = {name: await redis.ttl(name) for name in names}
    assert [name for name, seconds in kept.items() if seconds < 0] == [f"{PREFIX}:salt".encode()]
    await store.close()


async def test_who_was_too_slow_decides_again_on_what_is_there_now(redis_url: str) -> None:
    store = await RedisStore.open(redis_url, "slow")
    seen: list[int] = []

    def slow(state: State, reading: Reading) -> tuple[None, bool]:
        seen.append(state.refusals)
        if len(seen) < 3:
            _write_beside(redis_url)
        state.refusals += 100
        return None, True

    await store.change("model", slow)
    assert seen == [0, 1, 2]
    assert await store.change("model", lambda state, _: (state.refusals, False)) == 102
    await store.close()


def _write_beside(url: str) -> None:
    """What another process does in the same moment; this one's loop is busy deciding."""

    async def write() -> None:
        other = await RedisStore.open(url, "slow")
        await other.change("model", count)
        await other.close()

    thread = threading.Thread(target=lambda: asyncio.run(write()))
    thread.start()
    thread.join()


async def test_the_wall_clock_is_the_servers(redis_url: str) -> None:
    wrong = ManualClock(wall=5.0)
    store = await RedisStore.open(redis_url, "clock", clock=wrong)
    reading = await store.change("model", lambda _, reading: (reading, False))
    assert reading.wall > 1_700_000_000
    await store.close()


async def test_a_server_that_is_not_there_is_told_in_one_sentence_without_the_password(
    tmp_path: Path,
) -> None:
    for url in (f"unix://:secret@{tmp_path}/none.sock", "redis://:secret@127.0.0.1:1/0"):
        with pytest.raises(StoreError, match=r"quota\.store") as raised:
            await RedisStore.open(url, KEY)
        assert "secret" not in str(raised.value)


async def test_a_url_that_is_none_is_told_without_repeating_it() -> None:
    with pytest.raises(StoreError, match="no Redis URL") as raised:
        await RedisStore.open("redis://:secret@host:notaport/0", KEY)
    assert "secret" not in str(raised.value)
