"""The owner's page at one relay shows the dolls of another one, in processes of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from relay.devices.registry import Registry
from relay.store.database import Database
from tests.cluster.pages import PASSWORD, owner, page
from tests.cluster.processes import RelayProcess, relay_process
from tests.relay.test_dolls import Doll
from tools.faults.redis import RedisServer

NAME = "doll-1"


class Two:
    """Two relays as on two hosts; dolls come to the second one."""

    def __init__(self, relays: list[RelayProcess], ports: list[int], database: Database) -> None:
        self.relays, self.ports, self.database = relays, ports, database
        self.url = f"ws://127.0.0.1:{ports[1]}/xiaozhi/v1/"

    async def token(self, device_id: str) -> str:
        return await Registry(self.database).issue(device_id)


@pytest.fixture
async def two(redis: RedisServer, database: str, tmp_path: Path) -> AsyncIterator[Two]:
    async with AsyncExitStack() as stack:
        opened = await Database.open(tmp_path, database)
        stack.push_async_callback(opened.close)
        shared = {"redis": redis.url, "database": database}
        relays = [
            await stack.enter_async_context(relay_process(tmp_path / name, **shared))
            for name in ("a", "b")
        ]
        ports = [await relay.port() for relay in relays]
        for relay in relays:
            await relay.seen("redis is there")
        yield Two(relays, ports, opened)


def state(told: dict[str, Any]) -> str:
    """Of the only doll."""
    (doll,) = told["dolls"]
    return str(doll["state"])


async def test_a_page_shows_what_a_doll_at_another_relay_says_until_that_relay_dies(
    two: Two,
) -> None:
    doll = Doll(two, NAME)  # type: ignore[arg-type]
    async with (
        owner(two.ports[0], two.database) as client,
        doll.link() as socket,
        page(client) as shown,
    ):
        start = await shown.until("start", lambda _: True)
        assert state(start) == "idle"
        assert start["dolls"][0]["relay"]
        await shown.until("load", lambda told: len(told["workers"]) == 2)
        await doll.ask(socket)
        await doll.take(socket)
        assert (await shown.until("heard", lambda _: True))["text"] == "안녕"
        assert (await shown.until("said", lambda _: True))["device"] == NAME
        turn = await shown.until("turn", lambda _: True)
        assert turn["outcome"] == "answered"
        assert turn["timeline_ms"]["first_audio"] >= 0
        two.relays[1]._process.kill()
        await two.relays[1].ended()
        gone = await shown.until("overview", lambda told: state(told) == "offline")
        assert gone["workers"] == []


async def test_a_page_that_opens_later_knows_the_turns_of_all(two: Two) -> None:
    doll = Doll(two, NAME)  # type: ignore[arg-type]
    async with owner(two.ports[0], two.database) as client, doll.link() as socket:
        await doll.ask(socket)
        await doll.take(socket)
        await two.relays[1].seen("turn")
        async with page(client) as shown:
            start = await shown.until("start", lambda _: True)
            assert [turn["device_id"] for turn in start["turns"]] == [NAME]


async def test_nothing_goes_over_redis_while_no_page_is_open(two: Two, redis: RedisServer) -> None:
    from relay.cluster.server import open_redis

    doll = Doll(two, NAME)  # type: ignore[arg-type]
    async with open_redis(redis.url, "relay.redis") as client, client.pubsub() as heard:
        await heard.psubscribe("doll:cluster:*")
        async with doll.link() as socket:
            await doll.ask(socket)
            await doll.take(socket)
            await two.relays[1].seen("turn")
        kinds = []
        while (message := await heard.get_message(timeout=0.1)) is not None:
            if message["type"] == "pmessage":
                kinds.append(message["data"])
        assert not [data for data in kinds if b"live." in data]


TEXT = 'name = "{name}"\nlanguages = ["ko"]\ncharacter = "Quiet."\n'


async def test_a_persona_that_is_edited_at_one_relay_counts_at_the_other(two: Two) -> None:
    registry = Registry(two.database)
    await registry.issue(NAME)
    await registry.change(NAME, persona="own")

    def called(name: str) -> Callable[[dict[str, Any]], bool]:
        return lambda told: bool(told["dolls"][0]["character"] == name)

    async with (
        owner(two.ports[0], two.database) as here,
        owner(two.ports[1], two.database) as there,
        page(there) as shown,
    ):
        for name in ("보리", "콩"):
            answer = await here.put("/api/personas/own", json={"text": TEXT.format(name=name)})
            assert answer.status_code == 204, answer.text
            await shown.until("overview", called(name))
        assert (await there.get("/api/personas/own")).json()["text"] == TEXT.format(name="콩")
        assert (await there.delete("/api/personas/own")).status_code == 204
        async with asyncio.timeout(10):
            while (await here.get("/api/personas/own")).status_code != 404:
                await asyncio.sleep(0.05)


async def test_wrong_passwords_at_one_relay_count_at_the_other(two: Two) -> None:
    async with (
        owner(two.ports[0], two.database) as here,
        owner(two.ports[1], two.database) as there,
    ):
        for _ in range(10):
            answer = await here.post("/api/login", json={"password": "a guess that is wrong"})
            if answer.status_code == 429:
                break
        assert answer.status_code == 429
        async with asyncio.timeout(10):
            while (await there.post("/api/login", json={"password": PASSWORD})).status_code != 429:
                await asyncio.sleep(0.05)
