"""Memory through the real path: sockets, sessions, a relay that is killed."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from relay.config import RelaySettings
from relay.llm.base import Message
from relay.memory.records import Fact
from relay.memory.store import MemoryStore
from relay.store.database import Database
from tests.fakes.connection import LOUD
from tests.fakes.relay import Relay, running
from tests.fakes.sockets import doll_socket
from tools.pairing import issue

SAID = Message("user", "안녕")
HELLO: dict[str, Any] = {
    "type": "hello",
    "audio_params": {"format": "pcm", "sample_rate": 16000, "frame_duration": 32},
}


@asynccontextmanager
async def doll(url: str, token: str, name: str) -> AsyncIterator[ClientConnection]:
    headers = {"Device-Id": name, "Authorization": f"Bearer {token}"}
    async with doll_socket(url, headers) as socket:
        await socket.send(json.dumps(HELLO))
        assert json.loads(await socket.recv())["type"] == "hello"
        yield socket


async def ask(socket: ClientConnection) -> None:
    """One turn, up to its `tts stop`."""
    await socket.send(json.dumps({"type": "listen", "state": "start", "mode": "manual"}))
    for _ in range(20):
        await socket.send(LOUD.tobytes())
    await socket.send(json.dumps({"type": "listen", "state": "stop"}))
    while True:
        message = await socket.recv()
        if isinstance(message, str) and json.loads(message).get("state") == "stop":
            return


async def turns(data: Path, name: str) -> list[tuple[str, str]]:
    database = await Database.open(data)
    kept = await MemoryStore(database).load(name, 100)
    await database.close()
    return [(turn.heard, turn.said) for turn in kept.turns]


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with running() as relay:
        yield relay


async def test_dolls_do_not_know_what_others_were_told(relay: Relay) -> None:
    for name in ("one", "two"):
        async with doll(relay.url, await relay.token(name), name) as socket:
            await ask(socket)
    assert [request.history for request in relay.llm.requests] == [(), ()]
    await relay.dolls.memory.flush()
    assert await turns(relay.data, "one") == [("안녕", "그건 나도 잘 모르겠어.")]


async def test_what_an_owner_edits_and_deletes_is_known_in_the_next_turn(relay: Relay) -> None:
    database = await Database.open(relay.data)  # as the command, in another process
    store = MemoryStore(database)
    async with doll(relay.url, await relay.token("one"), "one") as socket:
        await ask(socket)
        await store.set_facts("one", [Fact(0, "진주는 바다를 좋아한다.")])
        await followed(relay, "one")
        await ask(socket)
        await relay.dolls.memory.flush()
        await store.delete_all("one")
        await followed(relay, "one")
        await ask(socket)
    second, third = relay.llm.requests[1:]
    assert SAID in second.history
    assert second.notes == ("[1] 진주는 바다를 좋아한다. (1970-01-01)",)
    assert (third.history, third.notes) == ((), ())
    await relay.dolls.memory.flush()
    assert len(await turns(relay.data, "one")) == 1
    await database.close()


async def followed(relay: Relay, name: str) -> None:
    """Wait until the session knows the newest revision."""
    wanted = (await relay.registry.find(name)).memory_revision
    async with asyncio.timeout(10):
        while relay.dolls._sessions[name].device.record.memory_revision != wanted:
            await asyncio.sleep(0.02)


async def test_a_turn_whose_end_was_told_survives_a_kill(tmp_path: Path) -> None:
    token = await issue(RelaySettings(data=tmp_path), "one")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fakes.relay", "0", str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with doll(await address(process), token, "one") as socket:
            for number in (1, 2):
                await ask(socket)
                if number == 1:
                    await asyncio.sleep(0.1)  # what the writer may take
            await asyncio.sleep(0.1)
            process.send_signal(signal.SIGKILL)
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
    assert await turns(tmp_path, "one") == [("안녕", "그건 나도 잘 모르겠어.")] * 2


async def address(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        async for line in process.stdout:
            if b"url=ws://" in line:
                return line.decode().split("url=")[1].split()[0]
    raise AssertionError("the relay did not start")
