"""One turn as it is recorded: stands between the turn and its doll, and lets everything pass."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from relay.audio import Pcm
from relay.turn.timeline import Timeline
from relay.wire.codecs import Encoder
from relay.wire.messages import RelayMessage, Stt, Tts

#: Clauses that are noted; an answer that is longer is cut long before.
_MAX_CLAUSES = 500


class Doll(Protocol):
    """Where a turn sends its answer."""

    @property
    def encoder(self) -> Encoder: ...

    async def send(self, message: RelayMessage) -> None: ...

    async def send_audio(self, frame: Pcm) -> None: ...


@dataclass(slots=True)
class Recording:
    """What was heard and said, in sound and in words."""

    device_id: str
    at: float  #: Unix time, when the turn began
    question: Pcm | None  #: 16 kHz; None where there was no speech
    rate_hz: int  #: of the answer
    answer: list[Pcm] = field(default_factory=list)  #: frames as they were sent, with no pauses
    transcript: str = ""
    subtitles: list[str] = field(default_factory=list)
    timeline_ms: dict[str, int] = field(default_factory=dict)


class Tape:
    """A Doll that notes what it is sent."""

    def __init__(
        self,
        doll: Doll,
        recording: Recording,
        answer_s: float,
        keep: Callable[[Recording], None],
    ) -> None:
        self._doll = doll
        self._keep = keep
        self.recording = recording
        self._room = int(answer_s * recording.rate_hz)

    async def around(self, turn: Coroutine[Any, Any, None], timeline: Timeline) -> None:
        """Run a turn, and keep what is on the tape however it ends."""
        try:
            await turn
        finally:
            self.recording.timeline_ms = timeline.since_speech_end_ms()
            self._keep(self.recording)

    @property
    def encoder(self) -> Encoder:
        """The doll's."""
        return self._doll.encoder

    async def send(self, message: RelayMessage) -> None:
        """Send one message, and note it if it is words."""
        match message:
            case Stt(text):
                self.recording.transcript = text
            case Tts(state="sentence_start", text=text):
                if len(self.recording.subtitles) < _MAX_CLAUSES:
                    self.recording.subtitles.append(text)
        await self._doll.send(message)

    async def send_audio(self, frame: Pcm) -> None:
        """Send one frame, and keep it while there is room."""
        await self._doll.send_audio(frame)
        if self._room >= len(frame):
            self._room -= len(frame)
            self.recording.answer.append(frame)
