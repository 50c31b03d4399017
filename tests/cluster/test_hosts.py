"""Two relays as on two hosts: one PostgreSQL, one Redis, one balancer that knows no dolls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2
import numpy as np
import pytest

from relay.devices.registry import Registry
from relay.memory.store import KeptExchange, MemoryStore
from relay.store.database import Database
from tests.cluster.processes import RelayProcess, balancer, relay_process
from tests.fakes.relay import Sweep
from tests.relay.test_dolls import Doll
from tools.faults.redis import RedisServer

NAME = "doll-1"
ANSWER = np.concatenate(Sweep(2.5)._chunks()).tobytes()


@dataclass
class Hosts:
    """The relays, and how a doll reaches one of them."""

    relays: list[RelayProcess]
    ports: list[int]
    url: str
    database: Database
    good: str = ""  # the doll's token

    async def token(self, device_id: str) -> str:
        if not self.good:
            self.good = await Registry(self.database).issue(device_id)
        return self.good

    async def where(self) -> int:
        """Which of them has the doll, once only one has."""
        async with asyncio.timeout(10), httpx2.AsyncClient() as client:
            while True:
                counts = []
                for port in self.ports:
                    try:
                        answer = await client.get(f"http://127.0.0.1:{port}/healthz")
                        counts.append(int(answer.json()["dolls"]))
                    except httpx2.HTTPError:
                        counts.append(0)
                if sum(counts) == 1:
                    return counts.index(1)
                await asyncio.sleep(0.02)

    async def remembers(self, device_id: str, turns: int) -> Sequence[KeptExchange]:
        """The doll's turns, once so many are written."""
        async with asyncio.timeout(10):
            while len(past := (await MemoryStore(self.database).load(device_id, 10)).turns) < turns:
                await asyncio.sleep(0.02)
        return past


@pytest.fixture
async def hosts(redis: RedisServer, database: str, tmp_path: Path) -> AsyncIterator[Hosts]:
    async with AsyncExitStack() as stack:
        opened = await Database.open(tmp_path, database)
        stack.push_async_callback(opened.close)
        relays = [
            await stack.enter_async_context(
                relay_process(tmp_path / name, redis=redis.url, database=database)
            )
            for name in ("a", "b")
        ]
        ports = [await relay.port() for relay in relays]
        for relay in relays:
            await relay.seen("redis is there")
        port = await stack.enter_async_context(balancer(ports, tmp_path))
        url = f"ws://127.0.0.1:{port}/xiaozhi/v1/"
        yield Hosts(relays, ports, url, opened)


def heard_once(doll: Doll) -> None:
    """Each sample of the last answer, once and in order."""
    assert b"".join(doll.frames)[: len(ANSWER)] == ANSWER
    assert [state for state in doll.states if state != "sentence_start"] == ["start", "stop"]
    doll.frames.clear()
    doll.states.clear()


async def test_a_doll_moves_between_hosts_in_mid_answer_and_one_of_them_dies(hosts: Hosts) -> None:
    doll = Doll(hosts, NAME)  # type: ignore[arg-type]
    been: set[int] = set()
    async with doll.link() as socket:
        session = doll.session_id
        await doll.ask(socket)
        await doll.take(socket, frames=5)
        been.add(await hosts.where())
        socket.transport.abort()
    for frames in (10, 20, 20):  # three moves in one answer
        async with doll.again() as socket:
            assert (doll.resumed, doll.session_id) == (True, session)
            been.add(await hosts.where())
            await doll.take(socket, frames=frames)
            socket.transport.abort()
    async with doll.again() as socket:
        await doll.take(socket)
        heard_once(doll)
        assert been == {0, 1}
        # the next question belongs to the same conversation, and its host dies in mid-answer
        await doll.ask(socket)
        await doll.take(socket, frames=40)
        await hosts.remembers(NAME, turns=2)  # a busy disk may take a while
        victim = await hosts.where()
        hosts.relays[victim]._process.kill()
        await hosts.relays[victim].ended()
    began = time.monotonic()
    while True:
        try:
            async with doll.again() as socket:
                assert doll.resumed is False
                assert time.monotonic() - began < 3
                doll.frames.clear()
                doll.states.clear()
                await doll.ask(socket)
                await doll.take(socket)
            break
        except OSError:
            await asyncio.sleep(0.05)  # the balancer has not noticed yet
    heard_once(doll)
    turns = await hosts.remembers(NAME, turns=3)
    whole = "그건 나도 잘 모르겠어."
    said = [turn.said for turn in turns]
    assert said[0] == whole
    assert said[1].endswith("…")  # what the one that died had begun to say
    assert said[2].startswith(whole)
