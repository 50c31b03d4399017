"""A relay that a page can hold: it hears a question and says the very same sounds back."""

from __future__ import annotations

import asyncio
import audioop
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

_FRAME_S = 0.032
_AHEAD = 4  # frames sent before pacing begins
_SILENT_FRAMES = 12
_LOUD = 300


@dataclass
class EchoRelay:
    """Answers each question with its own frames, one sentence, and the account it got."""

    close_on_listen: bool = False
    mute: bool = False  # hears, and never answers
    headers: list[dict[str, str]] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)
    heard: list[np.ndarray] = field(default_factory=list)  # the last question's frames, decoded
    port: int = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/xiaozhi/v1/"

    async def serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.headers.append(dict(socket.request.headers))
        try:
            await self._hello(socket)
            await self._turns(socket)
        except ConnectionClosed:
            pass

    async def _hello(self, socket: ServerConnection) -> None:
        json.loads(await socket.recv())
        params = {"format": "adpcm", "sample_rate": 16000, "channels": 1, "frame_duration": 32}
        await self._say(socket, "hello", transport="websocket", session_id="s", audio_params=params)

    async def _turns(self, socket: ServerConnection) -> None:
        frames: list[bytes] | None = None
        auto = False
        async for message in socket:
            if isinstance(message, bytes):
                if frames is None:
                    continue
                frames.append(message)
                self.heard.append(_decode(message))
                if auto and self._ended():
                    await self._reply(socket, frames)
                    frames = None
                continue
            fields = json.loads(message)
            if fields["type"] == "listen" and fields["state"] == "start":
                if self.close_on_listen:
                    await socket.close(1011)
                    return
                frames, auto = [], fields["mode"] != "manual"
                self.heard.clear()
            elif fields["type"] == "listen" and frames is not None:
                await self._reply(socket, frames)
                frames = None
            elif fields["type"] == "report":
                self.reports.append(fields)

    def _ended(self) -> bool:
        loud = [bool(np.abs(frame.astype(int)).max() > _LOUD) for frame in self.heard]
        return any(loud) and not any(loud[-_SILENT_FRAMES:])

    async def _reply(self, socket: ServerConnection, frames: list[bytes]) -> None:
        if self.mute:
            return
        await self._say(socket, "stt", text=f"{len(frames)} frames")
        await self._say(socket, "llm", emotion="happy", text="🙂")
        await self._say(socket, "tts", state="start")
        await self._say(socket, "tts", state="sentence_start", text="that is what I heard.")
        for n, frame in enumerate(frames):
            await socket.send(frame)
            if n >= _AHEAD:
                await asyncio.sleep(_FRAME_S)
        await self._say(socket, "tts", state="stop")

    async def _say(self, socket: ServerConnection, kind: str, **fields: Any) -> None:
        await socket.send(json.dumps({"type": kind, "session_id": "s", **fields}))


def _decode(frame: bytes) -> np.ndarray:
    predictor, index, _ = struct.unpack("<hBB", frame[:4])
    return np.frombuffer(audioop.adpcm2lin(frame[4:], 2, (predictor, index))[0], np.int16)


@asynccontextmanager
async def serving(relay: EchoRelay) -> AsyncIterator[EchoRelay]:
    async with serve(relay.serve, "127.0.0.1", 0, compression=None) as server:
        relay.port = server.sockets[0].getsockname()[1]
        yield relay


@pytest.fixture
async def echo_relay() -> AsyncIterator[EchoRelay]:
    async with serving(EchoRelay()) as relay:
        yield relay


@pytest.fixture
def question() -> Path:
    return Path(__file__).parents[2] / "tools/demo/questions/en-arithmetic.wav"
