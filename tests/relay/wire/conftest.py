"""What the tests of the wire share: the reference codec, its vectors, and a server with dolls."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib.util
import json
import socket
import sys
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI, WebSocket
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection, connect

from relay.wire.codecs.adpcm import AdpcmEncoder
from relay.wire.connection import Connection
from relay.wire.errors import CloseCode, Disconnected
from relay.wire.limits import WireLimits
from relay.wire.messages import Abort, Listen, Mcp, Stt, Tts
from relay.wire.server import websocket_options

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def reference_adpcm() -> ModuleType:
    """The codec written out plainly, in `reference_adpcm.py`."""
    name = "reference_adpcm"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / "reference_adpcm.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def adpcm_vectors() -> dict[str, Any]:
    """`tests/vectors/adpcm.json`, which the firmware's tests use too."""
    path = HERE.parents[1] / "vectors" / "adpcm.json"
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    """The lines that were logged, as dictionaries."""
    with capture_logs() as lines:
        yield lines


def hello(audio_format: str = "adpcm", frame_ms: int = 32, **more: object) -> str:
    params = {"format": audio_format, "sample_rate": 16000, "frame_duration": frame_ms}
    return json.dumps({"type": "hello", "audio_params": params, **more})


def adpcm_packet() -> bytes:
    """One good packet of a quiet tone."""
    tone = (900 * np.sin(np.arange(512) / 7)).astype(np.int16)
    return AdpcmEncoder().encode(tone)


@dataclass
class EchoServer:
    """A relay that says back what it hears, and remembers how each connection ended.

    `listen` is answered by `stt` with its state, `abort` by `tts stop`, audio by the same audio;
    `listen detect` talks until the connection ends; `mcp` makes the handler fail.
    """

    url: str
    port: int
    limits: WireLimits
    ended: asyncio.Queue[Disconnected] = field(default_factory=asyncio.Queue)
    alive: weakref.WeakSet[Connection] = field(default_factory=weakref.WeakSet)

    @contextlib.asynccontextmanager
    async def doll(self, first: str | bytes | None = None, **options: Any) -> AsyncIterator[Any]:
        """A client; `first` is sent at once, and by default it is a hello that is answered."""
        options = {"compression": None, "ping_interval": None, **options}
        async with connect(self.url, **options) as client:
            if first is not None:
                await client.send(first)
            else:
                await client.send(hello())
                answer = json.loads(await client.recv())
                assert answer["type"] == "hello"
            yield client

    async def serve(self, websocket: WebSocket) -> None:
        session_id = f"session-{websocket.headers.get('device-id', 'x')}"
        try:
            connection = await Connection.open(websocket, self.limits, session_id=session_id)
            self.alive.add(connection)
            while True:
                await self._answer(connection, await connection.receive())
        except Disconnected as over:
            self.ended.put_nowait(over)

    async def _answer(self, connection: Connection, received: object) -> None:
        match received:
            case np.ndarray():
                await connection.send_audio(received)
            case Listen(state="detect"):
                await connection.send(Tts("start"))
                silence = np.zeros(connection.encoder.frame_samples, np.int16)
                while True:
                    await connection.send_audio(silence)
            case Listen():
                await connection.send(Stt(received.state))
            case Abort(reason="close"):
                await connection.close(CloseCode.GOING_AWAY, "bye")
            case Abort():
                await connection.send(Tts("stop"))
            case Mcp():
                raise ZeroDivisionError

    def forgotten(self) -> bool:
        """Whether nothing is left of the connections that have ended."""
        gc.collect()
        return not self.alive


Serving = Callable[..., AbstractAsyncContextManager[EchoServer]]


@pytest.fixture
def serving() -> Serving:
    """Start an EchoServer on a free port of loopback, with the limits given."""

    @contextlib.asynccontextmanager
    async def start(**limits: float) -> AsyncIterator[EchoServer]:
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # from here on clients wait instead of being refused
        port = listening.getsockname()[1]
        echo = EchoServer(
            f"ws://127.0.0.1:{port}/doll",
            port,
            WireLimits(**limits),  # type: ignore[arg-type]
        )
        app = FastAPI()
        app.websocket("/doll")(echo.serve)
        config = uvicorn.Config(
            app, log_config=None, lifespan="off", timeout_graceful_shutdown=1, **websocket_options()
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield echo
        finally:
            server.should_exit = True
            await task

    return start


async def answer(client: ClientConnection) -> dict[str, Any]:
    """The next text message."""
    message: dict[str, Any] = json.loads(await client.recv())
    return message


@pytest.fixture
def tools() -> Any:
    """The functions above, for tests in other files of this folder."""

    class Tools:
        hello = staticmethod(hello)
        packet = staticmethod(adpcm_packet)
        answer = staticmethod(answer)

    return Tools
