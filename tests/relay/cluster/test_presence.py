"""Claims of dolls in a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from relay.cluster.bus import Bus
from relay.cluster.presence import DOLL_TTL_S, Presence
from tests.relay.cluster.conftest import Join
from tools.faults.redis import RedisServer


@asynccontextmanager
async def living(bus: Bus, clock_s: float = 1e9) -> AsyncIterator[Presence]:
    presence = Presence(bus, lambda: clock_s)
    running = asyncio.create_task(presence.run())
    try:
        yield presence
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until_known(presence: Presence, device_id: str, worker: str | None) -> None:
    async with asyncio.timeout(10):
        while (await presence.elsewhere([device_id])).get(device_id) != worker:
            await asyncio.sleep(0.01)


async def test_who_comes_last_has_the_doll_and_knows_who_had_it(join: Join) -> None:
    a_bus, b_bus = await join(), await join()
    async with living(a_bus) as a, living(b_bus) as b:
        first = await a.claim("doll-1")
        assert first.before == ""
        await until_known(b, "doll-1", a_bus.name)
        assert await a.elsewhere(["doll-1", "doll-2"]) == {}
        second = await b.claim("doll-1")
        assert second.before == a_bus.name
        await until_known(a, "doll-1", b_bus.name)
        await a.release(first)  # too late: it is another's
        await until_known(a, "doll-1", b_bus.name)
        await b.release(second)
        assert await a.elsewhere(["doll-1"]) == {}


async def test_a_doll_that_comes_back_to_its_worker_is_claimed_anew(join: Join) -> None:
    async with living(await join()) as a:
        first = await a.claim("doll-1")
        second = await a.claim("doll-1")
        assert second.before == ""
        await a.release(first)
        async with living(await join()) as b:
            assert (await b.claim("doll-1")).before
        await a.release(second)


@pytest.mark.parametrize("b_s", [1e9 - 3600, 1e9 + 3600])
async def test_clocks_that_differ_put_nothing_in_a_wrong_order(join: Join, b_s: float) -> None:
    async with living(await join()) as a, living(await join(), b_s) as b:
        lost: list[str] = []
        a.on_lost = lost.append
        b.on_lost = lost.append
        await a.claim("doll-1")
        claim = await b.claim("doll-1")
        await a._refresh_all()  # as if it had not been told
        await b._refresh_all()
        assert lost == ["doll-1"]
        assert b._mine == {"doll-1": claim}
        assert not a._mine
        await b.release(claim)


async def test_a_worker_that_died_has_no_dolls_and_leaves_nothing_for_long(
    join: Join, server: RedisServer
) -> None:
    a_bus, b_bus = await join(), await join()
    async with living(b_bus) as b:
        async with living(a_bus) as a:
            await a.claim("doll-1")
            await until_known(b, "doll-1", a_bus.name)
        async with Redis.from_url(server.url) as redis:
            await redis.delete(f"{a_bus.prefix}:worker:{a_bus.name}")  # it expires
            assert await b.elsewhere(["doll-1"]) == {}
            async for key in redis.scan_iter("*"):
                assert 0 < await redis.ttl(key) <= DOLL_TTL_S


async def test_a_server_that_forgets_is_told_again(join: Join, server: RedisServer) -> None:
    a_bus, b_bus = await join(), await join()
    async with living(a_bus) as a, living(b_bus) as b:
        claims = [await a.claim(f"doll-{number}") for number in range(3)]
        server.stop()
        while a_bus.is_up or b_bus.is_up:
            await asyncio.sleep(0.01)
        meanwhile = await a.claim("doll-9")
        server.start()
        for device_id in ("doll-0", "doll-2", "doll-9"):
            await until_known(b, device_id, a_bus.name)
        for claim in (*claims, meanwhile):
            await a.release(claim)


async def test_a_doll_that_moved_while_nobody_could_tell_is_given_up_by_who_had_it_first(
    join: Join, server: RedisServer
) -> None:
    a_bus, b_bus = await join(), await join()
    async with living(a_bus) as a, living(b_bus, 1e9 + 5) as b:
        lost = asyncio.Event()
        a.on_lost = lambda device_id: lost.set()
        await a.claim("doll-1")
        server.stop()
        while a_bus.is_up or b_bus.is_up:
            await asyncio.sleep(0.01)
        claim = await b.claim("doll-1")
        server.start()
        async with asyncio.timeout(20):
            await lost.wait()
        await until_known(a, "doll-1", b_bus.name)
        await b.release(claim)


@pytest.mark.parametrize("value", [b"", b"x", b"1|../../etc|1", b"\xff\xfe", b"9" * 400])
async def test_a_hostile_value_is_nobody_s_claim(
    join: Join, server: RedisServer, value: bytes
) -> None:
    bus = await join()
    async with living(bus) as presence, Redis.from_url(server.url) as redis:
        await redis.set(f"{bus.prefix}:at:doll-1", value, ex=60)
        assert await presence.elsewhere(["doll-1"]) == {}
        claim = await presence.claim("doll-1")
        assert claim.before == ""
        await presence.release(claim)
