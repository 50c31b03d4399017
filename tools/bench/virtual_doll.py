"""A doll in virtual time: speaks to a `MemorySocket` in real frames, and notes when what came."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from relay.audio import FRAME_SAMPLES, RATE_HZ
from relay.wire.codecs.adpcm import AdpcmEncoder
from tools.bench.virtual import MemorySocket

FRAME_S = FRAME_SAMPLES / RATE_HZ


def _packet(level: int) -> bytes:
    frame = np.full(FRAME_SAMPLES, level, np.int16)
    frame[1::2] *= -1
    return AdpcmEncoder().encode(frame)


LOUD, QUIET = _packet(8000), _packet(0)

_HELLO: dict[str, Any] = {
    "type": "hello",
    "features": {"report": True, "resume": True},
    "audio_params": {"format": "adpcm", "sample_rate": RATE_HZ, "frame_duration": 32},
}


@dataclass(slots=True)
class VirtualDoll:
    """One doll over one socket after another. Times are the loop's seconds."""

    socket: MemorySocket
    session_id: str = ""
    resumed: bool = False
    received: int = 0  #: messages of the session, as the wire counts them
    frames_at: list[float] = field(default_factory=list)  #: of the answer that came last
    stops: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _reader: asyncio.Task[None] | None = None

    async def hello(self, **resume: Any) -> None:
        """Say hello, and take what comes from then on."""
        self._say(**_HELLO, **({"resume": resume} if resume else {}))
        while not self.session_id:
            message = await self.socket.receive()
            if message is None:
                raise ConnectionError(f"the relay closed with {self.socket.code}")
            if isinstance(message, str) and (said := json.loads(message))["type"] == "hello":
                self.session_id = said["session_id"]
                self.resumed = bool(said.get("resumed"))
        self._reader = asyncio.create_task(self._read())

    async def speak(self, seconds: float, packet: bytes = LOUD) -> None:
        """Send sound in real time."""
        for _ in range(round(seconds / FRAME_S)):
            self.socket.send(packet)
            await asyncio.sleep(FRAME_S)

    async def hold(self, seconds: float) -> None:
        """Hold the button, speak, and let go."""
        self.begin("manual")
        await self.speak(seconds)
        self.let_go()

    def let_go(self) -> None:
        """Close the microphone."""
        self._say(type="listen", state="stop")

    def begin(self, mode: str) -> None:
        """Open the microphone."""
        self.frames_at.clear()
        self._say(type="listen", state="start", mode=mode)

    def abort(self) -> None:
        """Interrupt."""
        self._say(type="abort")

    def report(self) -> None:
        """Tell how the answer was played."""
        self._say(type="report", frames_played=100, frames_lost=0, underruns=0)

    async def first_frame(self) -> float:
        """When the first sound of the answer came. Raises ConnectionError."""
        while not self.frames_at:
            await self._more()
        return self.frames_at[0]

    async def stopped(self, before: int) -> None:
        """Wait for one more `tts stop` than `before`. Raises ConnectionError."""
        while self.stops <= before:
            await self._more()

    async def leave(self, code: int = 1000) -> None:
        """Go, and leave nothing behind."""
        self.socket.drop(code)
        if self._reader is not None:
            await asyncio.wait([self._reader])

    async def _more(self) -> None:
        if self.gone.is_set():
            raise ConnectionError(f"the relay closed with {self.socket.code}")
        self._news.clear()
        await self._news.wait()

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while (message := await self.socket.receive()) is not None:
            if isinstance(message, bytes):
                self.received += 1
                self.frames_at.append(loop.time())
            else:
                said = json.loads(message)
                self.received += said["type"] not in ("hello", "pong", "error")
                self.stops += said["type"] == "tts" and said["state"] == "stop"
            self._news.set()
        self.gone.set()
        self._news.set()

    def _say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))
