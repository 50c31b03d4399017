"""A whole relay in memory and in virtual time: dolls, sessions, database; no socket.

The database has threads of its own; while one works the clock stands still. What dolls send goes
through the same parser and codecs as on a socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.websockets import WebSocket

from relay.config import Settings, load
from relay.dolls import Dolls
from relay.llm.chain import Chain
from relay.persona import load as load_persona
from relay.services import Services
from relay.store.database import Database
from relay.stt.base import SpeechToText
from relay.tts.base import TextToSpeech
from relay.wire.errors import CloseCode
from tools.loudness import LoudnessDetector
from tools.virtual_time import VirtualTimeLoop


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run this in virtual time, on the thread of the caller."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)


class StandingDatabase(Database):
    """The relay's database, for which the virtual clock waits."""

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        with _clock_stands():
            async with super().reading() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        with _clock_stands():
            async with super().writing() as connection:
                yield connection


@contextlib.contextmanager
def _clock_stands() -> Any:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    with loop.standing():
        yield


class MemoryRelay:
    """`async with memory_relay(…) as relay:` is one that runs."""

    def __init__(self, services: Services, database: Database) -> None:
        self.services = services
        self.dolls = Dolls(services, database)
        self._served: set[asyncio.Task[None]] = set()

    async def token(self, name: str) -> str:
        """Make this doll the relay's own."""
        return await self.dolls.registry.issue(name)

    def connect(self, name: str, token: str) -> MemorySocket:
        """Open a socket to the relay; the hello is the doll's to say."""
        socket = MemorySocket(name, token)
        task = asyncio.create_task(self.dolls.serve(socket.relay_side))
        self._served.add(task)
        task.add_done_callback(self._served.discard)
        task.add_done_callback(socket.served)
        return socket

    async def settled(self) -> None:
        """Wait until no socket is served any more, and what was said is written."""
        while self._served:
            await asyncio.wait(set(self._served))
        await self.dolls.memory.flush()


@asynccontextmanager
async def memory_relay(
    stt: SpeechToText, brain: Chain, tts: TextToSpeech, flags: dict[str, dict[str, object]]
) -> AsyncIterator[MemoryRelay]:
    """`flags` are settings by their sections."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    with tempfile.TemporaryDirectory(prefix="doll-bench-") as folder:
        relay_flags = {**flags.get("relay", {}), "data": folder, "database": ""}
        settings = load(flags={**flags, "relay": relay_flags})
        with loop.standing():
            database = await StandingDatabase.open(Path(folder))
        services = _services(settings, stt, brain, tts)
        relay = MemoryRelay(services, database)
        watch = asyncio.create_task(relay.dolls.watch())
        try:
            yield relay
        finally:
            await relay.dolls.close()
            await relay.settled()
            watch.cancel()
            await asyncio.wait([watch])
            await services.close()
            with loop.standing():
                await database.close()


def _services(settings: Settings, stt: SpeechToText, brain: Chain, tts: TextToSpeech) -> Services:
    return Services(
        settings=settings,
        detector=LoudnessDetector(),
        stt=stt,
        brain=brain,
        tts=tts,
        persona=load_persona(settings.persona.name),
    )


class MemorySocket:
    """Both ends of one WebSocket: an ASGI application on the one, a doll on the other."""

    def __init__(self, name: str, token: str) -> None:
        self._to_relay: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._to_doll: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.code: int | None = None  #: with which the relay has closed it
        self._gone = False
        headers = {"device-id": name, "client-id": name, "authorization": f"Bearer {token}"}
        scope = {
            "type": "websocket",
            "path": "/xiaozhi/v1/",
            "query_string": b"",
            "scheme": "ws",
            "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "subprotocols": [],
        }
        self._to_relay.put_nowait({"type": "websocket.connect"})
        self.relay_side = WebSocket(scope, self._to_relay.get, self._from_relay)

    async def _from_relay(self, event: Any) -> None:
        if self._gone:
            raise OSError("the doll is gone")
        if event["type"] == "websocket.send":
            text = event.get("text")
            self._to_doll.put_nowait(event["bytes"] if text is None else text)
        elif event["type"] == "websocket.close":
            self.code = event.get("code", CloseCode.NORMAL)
            self._end()

    def send(self, data: str | bytes) -> None:
        """The doll says something; nothing happens once the socket is closed."""
        if not self._gone:
            key = "text" if isinstance(data, str) else "bytes"
            self._to_relay.put_nowait({"type": "websocket.receive", key: data})

    async def receive(self) -> str | bytes | None:
        """What the relay sent next; None at the end."""
        return await self._to_doll.get()

    def drop(self, code: int = 1006) -> None:
        """The doll is gone."""
        if not self._gone:
            self._to_relay.put_nowait({"type": "websocket.disconnect", "code": code})
            self._end()

    def served(self, _: object) -> None:
        """The relay's side is over."""
        self._end()

    def _end(self) -> None:
        if not self._gone:
            self._gone = True
            self._to_doll.put_nowait(None)
