"""A fake of the service behind Edge's voices, as edge-tts speaks with it, over real sockets.

The package has no setting for its address, so a test points `edge_tts.communicate.WSS_URL` here.
"""

from __future__ import annotations

import asyncio
import http
import re
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from relay.audio import Pcm
from tests.fakes import mp3
from tools.fake_gemini.http import Step

TONE: Pcm = (8_000 * np.sin(2 * np.pi * 440 / mp3.RATE_HZ * np.arange(mp3.RATE_HZ // 2))).astype(
    np.int16
)
_SPEECH = mp3.encode(TONE)
#: Voices that speak another tone, and one that it does not have.
_SPEECHES = {"InJoonNeural": mp3.encode(np.repeat(TONE, 2)[: len(TONE)])}
_NOBODY = "NobodyNeural"
_PIECE = 720


@dataclass(frozen=True)
class Reply:
    """What is sent after a request. `status` other than 101 refuses the connection."""

    messages: tuple[bytes | str, ...] = ()
    status: int = 101
    then: Step | None = None


@dataclass(frozen=True)
class Asked:
    """One request for speech."""

    voice: str
    rate: str
    pitch: str
    text: str


@dataclass
class FakeEdge:
    """`async with serving_edge() as fake:` starts one."""

    url: str = ""
    connections: int = 0
    asked: list[Asked] = field(default_factory=list)
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)
    #: While it hangs it does not even read, and so answers no goodbye, until this is set.
    deaf: asyncio.Event | None = None
    _replies: deque[Reply] = field(default_factory=deque)

    def play(self, *replies: Reply) -> None:
        """Queue replies for the next connections; without one, TONE is spoken."""
        self._replies.extend(replies)

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.connections += 1
        if self._replies and self._replies[0].status != 101:
            return connection.respond(http.HTTPStatus(self._replies.popleft().status), "no")
        return None

    async def handle(self, connection: ServerConnection) -> None:
        config = await connection.recv()
        assert isinstance(config, str)
        assert "audio-24khz-48kbitrate-mono-mp3" in config
        request = await connection.recv()
        assert isinstance(request, str)
        self.asked.append(_read(request))
        reply = self._replies.popleft() if self._replies else self._usual(self.asked[-1].voice)
        try:
            for message in reply.messages:
                await connection.send(message)
            if reply.then is Step.DROP:
                connection.transport.abort()
            elif reply.then is Step.HANG:
                if self.deaf is not None:
                    connection.transport.pause_reading()
                    await self.deaf.wait()
                    connection.transport.resume_reading()
                await connection.wait_closed()
                self.disconnected.set()
        except ConnectionClosed:
            self.disconnected.set()

    def _usual(self, voice: str) -> Reply:
        name = voice.split()[-1].rstrip(")")
        if name == _NOBODY:
            return Reply((text("turn.start"), text("response"), text("turn.end")))
        return speech(_SPEECHES.get(name, _SPEECH))


@asynccontextmanager
async def serving_edge() -> AsyncIterator[FakeEdge]:
    fake = FakeEdge()
    async with serve(fake.handle, "127.0.0.1", 0, process_request=fake.admit) as server:
        port = server.sockets[0].getsockname()[1]
        fake.url = f"ws://127.0.0.1:{port}/edge/v1?TrustedClientToken=fake"
        yield fake


def speech(data: bytes, then: Step | None = None) -> Reply:
    """MP3 in pieces, with what the service sends around it."""
    pieces = [data[at : at + _PIECE] for at in range(0, len(data), _PIECE)]
    messages: list[bytes | str] = [text("turn.start"), text("response"), *map(audio, pieces)]
    if then is None:
        messages += [audio(b"", content_type=False), text("turn.end")]
    return Reply(tuple(messages), then=then)


def text(path: str, body: str = "{}") -> str:
    kind = "Content-Type:application/json; charset=utf-8"
    return f"X-RequestId:fake\r\n{kind}\r\nPath:{path}\r\n\r\n{body}"


def audio(data: bytes, *, content_type: bool = True) -> bytes:
    kind = b"Content-Type:audio/mpeg\r\n" if content_type else b""
    head = b"X-RequestId:fake\r\n" + kind + b"Path:audio\r\n"
    return len(head).to_bytes(2, "big") + head + data


def _read(request: str) -> Asked:
    ssml = request.partition("\r\n\r\n")[2]
    voice = re.search(r"<voice name='([^']*)'>", ssml)
    prosody = re.search(
        r"<prosody pitch='([^']*)' rate='([^']*)' volume='\+0%'>(.*)</prosody>", ssml
    )
    assert voice
    assert prosody
    return Asked(voice[1], prosody[2], prosody[1], prosody[3])
