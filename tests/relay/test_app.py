"""The whole relay over real sockets, with providers that do as told."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from relay.app import create_app
from relay.config import Settings
from relay.devices.registry import Registry
from relay.llm.chain import Chain
from relay.persona import load
from relay.services import Services
from relay.store.database import Database
from relay.turn.reply import Reply
from relay.turn.session import Session
from relay.turn.turn import Turn
from relay.wire.connection import Connection
from relay.wire.errors import CloseCode
from relay.wire.server import websocket_options
from tests.fakes.connection import LOUD, QUIET
from tests.fakes.detector import LoudnessDetector
from tests.fakes.llm import FakeLanguageModel
from tests.fakes.sockets import doll_socket
from tests.fakes.stt import FakeSpeechToText
from tests.fakes.tts import FakeTextToSpeech

HELLO = {
    "type": "hello",
    "version": 1,
    "transport": "websocket",
    "audio_params": {"format": "pcm", "sample_rate": 16000, "channels": 1, "frame_duration": 32},
}


class Relay:
    """A running relay."""

    def __init__(self, address: str, services: Services, registry: Registry) -> None:
        self.registry = registry
        self.tokens: dict[str, str] = {}
        self.http = f"http://{address}"
        self.url = f"ws://{address}/xiaozhi/v1/"
        self.services = services

    async def dolls(self) -> int:
        async with httpx2.AsyncClient() as client:
            answer = await client.get(f"{self.http}/healthz")
            assert answer.json()["status"] == "ok"
            return answer.json()["dolls"]

    @asynccontextmanager
    async def doll(self, name: str = "doll-1", **headers: str) -> AsyncIterator[ClientConnection]:
        if name not in self.tokens:
            self.tokens[name] = await self.registry.issue(name)
        shown = {"Authorization": f"Bearer {self.tokens[name]}"}
        given = {"Device-Id": name, "Protocol-Version": "1", **shown, **headers}
        async with doll_socket(self.url, given) as socket:
            await socket.send(json.dumps(HELLO))
            assert json.loads(await socket.recv())["type"] == "hello"
            yield socket


@asynccontextmanager
async def running(settings: dict[str, Any]) -> AsyncIterator[Relay]:
    services = Services(
        settings=Settings(**settings),
        detector=LoudnessDetector(),
        stt=FakeSpeechToText("안녕"),
        brain=Chain(tail=FakeLanguageModel(["흥, 왔어?"])),
        tts=FakeTextToSpeech(0.2),
        persona=load("chacha"),
    )
    folder = tempfile.TemporaryDirectory(prefix="relay-")
    app = create_app(services, await Database.open(Path(folder.name)))
    server = uvicorn.Server(
        uvicorn.Config(
            app, port=0, log_config=None, timeout_graceful_shutdown=2, **websocket_options()
        )
    )
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()
    try:
        yield Relay(f"{host}:{port}", services, app.state.dolls.registry)
    finally:
        server.should_exit = True
        await task
        folder.cleanup()


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with running({}) as relay:
        yield relay


async def ask(socket: ClientConnection) -> list[dict[str, Any] | bytes]:
    """Hold, speak, let go; everything up to `tts stop`."""
    await socket.send(json.dumps({"type": "listen", "state": "start", "mode": "manual"}))
    for _ in range(20):
        await socket.send(LOUD.tobytes())
    await socket.send(json.dumps({"type": "listen", "state": "stop"}))
    got: list[dict[str, Any] | bytes] = []
    while True:
        message = await socket.recv()
        got.append(message if isinstance(message, bytes) else json.loads(message))
        if isinstance(got[-1], dict) and got[-1].get("state") == "stop":
            return got


async def test_a_whole_turn_over_a_real_socket(relay: Relay) -> None:
    async with relay.doll() as socket:
        got = await ask(socket)
    texts = [m for m in got if isinstance(m, dict)]
    assert texts[0] == {"type": "stt", "text": "안녕", "session_id": texts[0]["session_id"]}
    assert [m.get("state") for m in texts[1:]] == ["start", "sentence_start", "stop"] or [
        m.get("state") for m in texts[1:]
    ] == ["start", "sentence_start", "sentence_start", "stop"]
    frames = [m for m in got if isinstance(m, bytes)]
    assert frames
    assert all(len(frame) == 1024 for frame in frames)


async def test_healthz_counts_the_dolls(relay: Relay) -> None:
    assert await relay.dolls() == 0
    async with relay.doll("doll-1"), relay.doll("doll-2"):
        assert await relay.dolls() == 2


async def test_a_wrong_path_is_not_served(relay: Relay) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(relay.url.replace("/v1/", "/v9/"))
    assert refused.value.response.status_code in (403, 404)


async def test_the_same_device_again_replaces_its_old_socket(relay: Relay) -> None:
    async with relay.doll("doll-1") as old, relay.doll("doll-1") as new:
        with pytest.raises(ConnectionClosed):
            await old.recv()
        assert old.close_code == CloseCode.REPLACED
        assert await ask(new)
        assert await relay.dolls() == 1


async def test_a_conversation_goes_on_after_a_reconnect(relay: Relay) -> None:
    async with relay.doll("doll-1") as socket:
        await ask(socket)
    async with relay.doll("doll-1") as socket:
        await ask(socket)
    assert len(relay.services.brain.tail.requests[1].history) == 2


async def test_a_full_relay_says_so() -> None:
    async with running({"relay": {"max_dolls": 1}}) as relay, relay.doll("doll-1"):
        with pytest.raises((InvalidStatus, ConnectionClosed)):
            async with relay.doll("doll-2"):
                pass


async def test_other_dolls_do_not_notice_one_that_misbehaves(relay: Relay) -> None:
    async with relay.doll("good") as good:
        async with relay.doll("bad") as bad:
            await bad.send(json.dumps({"type": "listen", "state": "start", "mode": "auto"}))
            await bad.send(b"\x01")
            await bad.send("[]")
            await bad.send("{")
            await bad.send(json.dumps({"type": "teapot"}))
            codes = [json.loads(await bad.recv())["code"] for _ in range(4)]
            assert codes == ["bad_audio", "not_an_object", "not_json", "unknown_type"]
            assert await ask(good)
            with pytest.raises(ConnectionClosed):
                for _ in range(2000):
                    await bad.send("{}")
                while True:
                    await bad.recv()
            assert bad.close_code in (CloseCode.FLOOD, CloseCode.BAD_MESSAGES)
        assert await ask(good)


async def test_a_doll_that_vanishes_mid_answer_is_forgotten(relay: Relay) -> None:
    relay.services.tts.seconds_per_clause = 60.0
    async with relay.doll("doll-1") as socket:
        await socket.send(json.dumps({"type": "listen", "state": "start", "mode": "manual"}))
        for _ in range(20):
            await socket.send(LOUD.tobytes())
        await socket.send(json.dumps({"type": "listen", "state": "stop"}))
        while not isinstance(await socket.recv(), bytes):
            pass
        socket.transport.abort()
    while await relay.dolls():
        await asyncio.sleep(0.01)
    tts = relay.services.tts
    while tts.finished + tts.stopped < len(tts.calls):
        await asyncio.sleep(0.01)


async def test_a_restart_closes_dolls_with_going_away() -> None:
    async with running({}) as relay:
        doll = relay.doll()
        socket = await doll.__aenter__()
        await socket.send(QUIET.tobytes())
    with pytest.raises(ConnectionClosed):
        await socket.recv()
    assert socket.close_code in (1001, 1012)
    await doll.__aexit__(None, None, None)


def alive() -> int:
    """Objects of sessions that are still somewhere."""
    gc.collect()
    return sum(isinstance(o, (Connection, Session, Reply, Turn)) for o in gc.get_objects())


async def test_nothing_is_left_of_dolls_that_misbehaved(relay: Relay) -> None:
    async def garbage(socket: ClientConnection) -> None:
        for message in ("[]", b"\x00", "{", json.dumps({"type": "abort"}), b"\xff" * 4000):
            await socket.send(message)

    async def vanish(socket: ClientConnection) -> None:
        await socket.send(json.dumps({"type": "listen", "state": "start", "mode": "auto"}))
        await socket.send(LOUD.tobytes())
        socket.transport.abort()

    async def flood(socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(1000):
                await socket.send("{}")

    tasks, before = len(asyncio.all_tasks()), alive()
    for number, misbehave in enumerate([garbage, vanish, flood] * 4):
        with contextlib.suppress(ConnectionClosed):
            async with relay.doll(f"bad-{number}") as socket:
                await misbehave(socket)
    while await relay.dolls() or len(asyncio.all_tasks()) > tasks:
        await asyncio.sleep(0.01)
    del socket
    assert alive() == before
