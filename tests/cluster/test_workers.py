"""`doll relay --workers 2`: real processes, one port, and what happens to them."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from relay.config import ConfigError, Settings
from relay.devices.registry import Registry
from relay.serve import serve
from relay.store.database import Database
from tests.cluster.processes import relay_process
from tests.relay.test_dolls import Doll
from tools.faults.redis import RedisServer

DOLLS = 12


class Way:
    """How a doll gets to the relay."""

    def __init__(self, url: str, registry: Registry) -> None:
        self.url = url
        self._registry = registry
        self._tokens: dict[str, str] = {}

    async def token(self, device_id: str) -> str:
        if device_id not in self._tokens:
            self._tokens[device_id] = await self._registry.issue(device_id)
        return self._tokens[device_id]


def test_several_workers_without_redis_are_refused_in_one_line() -> None:
    with pytest.raises(ConfigError, match=r"relay\.redis = .*docs/cluster\.md") as raised:
        serve(Settings(relay={"workers": 2}))
    assert "\n" not in str(raised.value)


async def test_workers_share_a_port_and_are_replaced_when_they_die_or_on_demand(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        relay = await stack.enter_async_context(relay_process(tmp_path, redis=redis.url, workers=2))
        await relay.seen("listening", 2)
        await relay.seen("redis is there", 2)
        database = await Database.open(tmp_path)
        stack.push_async_callback(database.close)
        url = f"ws://127.0.0.1:{await relay.port()}/xiaozhi/v1/"
        way = Way(url, Registry(database))

        dolls = [Doll(way, f"doll-{number}") for number in range(DOLLS)]  # type: ignore[arg-type]
        sockets = [await stack.enter_async_context(doll.link()) for doll in dolls]
        connected = await relay.seen("connected", DOLLS)
        at = {line["device"]: line["worker"] for line in connected}
        assert set(at.values()) == {1, 2}

        # One is killed: its dolls come back to the same port, the others notice nothing.
        before = {worker.pid for worker in relay.workers()}
        (second,) = await relay.seen("a worker starts", worker=2)
        victim = next(w for w in relay.workers() if w.pid == second["pid"])
        victim.kill()
        hit = [doll for doll in dolls if at[doll.name] == 2]
        spared = next(doll for doll in dolls if at[doll.name] == 1)
        spared_socket = sockets[dolls.index(spared)]
        for doll in hit:
            with pytest.raises(ConnectionClosed):
                await sockets[dolls.index(doll)].recv()
        async with hit[0].again() as socket:
            assert hit[0].resumed is False
            await hit[0].ask(socket)
            await hit[0].take(socket, frames=5)
        await spared.ask(spared_socket)
        await spared.take(spared_socket)
        await spared_socket.send(json.dumps({"type": "report"}))  # it needs nothing of it again
        await relay.seen("a worker has died", worker=2, exitcode=-9)
        await relay.seen("a worker starts", 2, worker=2)
        await relay.seen("listening", 2, worker=2)

        # All are replaced, one after another.
        relay.send(signal.SIGHUP)
        await relay.seen("a worker is replaced", worker=1)
        await relay.seen("a worker is replaced", worker=2)
        async with asyncio.timeout(20):
            while len(now := {worker.pid for worker in relay.workers()}) != 2 or now & before:
                await asyncio.sleep(0.05)
        async with Doll(way, "doll-0").link():  # type: ignore[arg-type]
            pass
        relay.send(signal.SIGTERM)
        assert await relay.ended() == 0


async def test_what_is_wrong_with_a_setting_is_told_once_and_nothing_is_tried_again(
    redis: RedisServer, tmp_path: Path
) -> None:
    wrong = tmp_path / "data"
    wrong.write_text("no folder")
    async with relay_process(wrong, redis=redis.url, workers=2) as relay:
        assert await relay.ended() == 1  # the fake has no one-line errors: `doll relay` exits 2
        assert not [line for line in relay.events if line["event"] == "a worker starts"]
