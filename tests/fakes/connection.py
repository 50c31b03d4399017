"""A doll's connection in memory: a test plays the doll."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np
import structlog

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm
from relay.wire.codecs.pcm import PcmEncoder
from relay.wire.errors import CloseCode, Disconnected
from relay.wire.messages import DeviceMessage, Hello, Listen, RelayMessage, Resume, Stt, Tts

FRAME_S = FRAME_SAMPLES / RATE_HZ
LOUD = np.full(FRAME_SAMPLES, 8000, np.int16)
LOUD[1::2] *= -1
QUIET = np.zeros(FRAME_SAMPLES, np.int16)


@dataclass(frozen=True, slots=True)
class Sent:
    """Something that the relay sent, and when, in the loop's seconds."""

    at: float
    what: RelayMessage | Pcm


class FakeConnection:
    """Stands in for `relay.wire.connection.Connection`; `sent` is all that the doll would get."""

    def __init__(
        self, device_id: str = "doll-1", *, resumes: bool = False, resume: Resume | None = None
    ) -> None:
        self.device_id = device_id
        self.session_id = "session-1"
        self.log = structlog.get_logger().bind(device=device_id)
        self.resumable = resumes or resume is not None
        self.hello = Hello(resume=resume)
        self.greeted: bool | None = None  # whether as one whose session goes on
        self.output = self
        self.encoder = PcmEncoder()
        self.sent: list[Sent] = []
        self.closed: tuple[CloseCode, str] | None = None
        self.send_delay_s = 0.0
        self._incoming: asyncio.Queue[DeviceMessage | Pcm | Disconnected] = asyncio.Queue()
        self._gone: Disconnected | None = None
        self._news = asyncio.Event()

    # What the relay calls.

    async def receive(self) -> DeviceMessage | Pcm:
        item = await self._incoming.get()
        if isinstance(item, Disconnected):
            self._gone = item
            raise item
        return item

    async def send(self, message: RelayMessage) -> None:
        await self._out(message)

    async def send_audio(self, frame: Pcm) -> None:
        assert len(frame) == self.encoder.frame_samples
        await self._out(frame)

    # What it calls in two steps: texts are delivered as they are.

    def message(self, message: RelayMessage) -> RelayMessage:
        return message

    async def audio(self, frame: Pcm) -> bytes:
        assert len(frame) == self.encoder.frame_samples
        return frame.tobytes()

    form = "samples"  #: what it understands

    def go_on(self, session_id: str) -> None:
        self.session_id = session_id

    async def greet(self, carried_on: FakeConnection | None = None) -> None:
        await asyncio.sleep(self.send_delay_s)
        if self._gone:
            raise self._gone
        self.greeted = carried_on is not None

    async def deliver(self, data: RelayMessage | bytes) -> None:
        await self._out(np.frombuffer(data, np.int16) if isinstance(data, bytes) else data)

    async def close(self, code: CloseCode, reason: str) -> None:
        self.closed = (code, reason)
        self.vanish()

    async def _out(self, what: RelayMessage | Pcm) -> None:
        if self._gone:
            raise self._gone
        if self.send_delay_s:
            await asyncio.sleep(self.send_delay_s)
        self.sent.append(Sent(asyncio.get_running_loop().time(), what))
        self._news.set()

    # What the doll does.

    def say(self, message: DeviceMessage) -> None:
        self._incoming.put_nowait(message)

    async def speak(self, seconds: float, frame: Pcm = LOUD) -> None:
        """Send sound in real time."""
        for _ in range(round(seconds / FRAME_S)):
            await asyncio.sleep(FRAME_S)
            self._incoming.put_nowait(frame)

    async def ask(self, seconds: float = 1.0) -> None:
        """Hold the button, speak, let go."""
        self.say(Listen(state="start", mode="manual"))
        await self.speak(seconds)
        self.say(Listen(state="stop"))

    def vanish(self, code: int = 1006) -> None:
        self._incoming.put_nowait(Disconnected(code, "gone"))

    # What the doll got.

    @property
    def states(self) -> list[str]:
        """The states of the `tts` messages."""
        return [m.what.state for m in self.sent if isinstance(m.what, Tts)]

    @property
    def texts(self) -> list[str]:
        """The subtitles."""
        return [
            m.what.text
            for m in self.sent
            if isinstance(m.what, Tts) and m.what.state == "sentence_start"
        ]

    @property
    def heard(self) -> list[str]:
        return [m.what.text for m in self.sent if isinstance(m.what, Stt)]

    @property
    def frames(self) -> list[Sent]:
        return [m for m in self.sent if isinstance(m.what, np.ndarray)]

    async def until_stop(self, count: int = 1) -> None:
        """Wait for the `count`-th `tts stop`."""
        while self.states.count("stop") < count:
            await self._more()

    async def until_frame(self, count: int = 1) -> None:
        """Wait for the `count`-th frame of audio."""
        while len(self.frames) < count:
            await self._more()

    async def _more(self) -> None:
        self._news.clear()
        await self._news.wait()
