"""What one doll of a crowd does and sees, sans-I/O: the time goes in, packets come out.

rest ─ listen: think, speak, wait ─ answer: play to its end ─ listen …
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from random import Random

from tools.bench.spoken import GRID_S, Codec, message

LISTEN = message(1, b'{"type":"listen","state":"start","mode":"auto"}')
ABORT = message(1, b'{"type":"abort"}')
REPORT = message(1, b'{"type":"report","frames_played":100,"frames_lost":0,"underruns":0}')

#: Silence before a question: a person thinks for so long. On the grid of the packets.
THINK_S = (1.0, 6.0)
_THINK_STEPS = (round(THINK_S[0] / GRID_S), round(THINK_S[1] / GRID_S))

#: A question that is not answered for so long is lost.
_PATIENCE_S = 5.0


class _State(Enum):
    RESTING = auto()
    LISTENING = auto()
    ANSWERING = auto()


@dataclass(slots=True)
class Seen:
    """What all dolls of a crowd saw in one stretch of time. Times are in seconds."""

    first_audio: list[float] = field(default_factory=list)  #: beyond the configured silence
    packets_in: int = 0  #: that the dolls sent
    packets_out: int = 0  #: that the dolls got
    late: int = 0  #: packets that came after the moment in which they were to be played
    latest: float = 0.0  #: how much after it, at most
    lost: int = 0  #: questions without an answer
    closed: int = 0  #: connections that the relay ended


class Talk:
    """One doll. `seen` gives the record of the moment, which all dolls share."""

    __slots__ = (
        "_at",
        "_due",
        "_frames",
        "_playing_from",
        "_random",
        "_seen",
        "_speech",
        "_state",
        "_stopped",
        "_think",
        "codec",
        "speaks",
        "wakes_at",
    )

    def __init__(self, codec: Codec, random: Random, seen: Callable[[], Seen]) -> None:
        self.codec = codec
        self.wakes_at: float | None = None  #: when it begins to talk; None: it rests
        self.speaks = True  #: else it listens to a quiet room
        self._random = random
        self._seen = seen
        self._state = _State.RESTING
        self._speech = codec.speeches[0]
        self._think = 0  # packets of silence before it
        self._at = 0  # packets sent since it listens
        self._due: float | None = None  # when the packet was sent that completes the silence
        self._playing_from: float | None = None  # since the first packet of the answer
        self._frames = 0  # of the answer, that have come
        self._stopped = False  # the answer is complete

    def tick(self, now: float) -> bytes | None:
        """What it sends now. To be called once in each `codec.packet_s`."""
        if self.wakes_at is None:
            if self._state is not _State.RESTING:
                self._state = _State.RESTING
                return ABORT
            return None
        if self._state is _State.LISTENING:
            return self._listen(now)
        if self._state is _State.ANSWERING:
            if not self._stopped or now < self._played_at():
                return None
            report = REPORT if self.codec.reports and self._frames else b""
            return report + self._begin(now)
        return None if now < self.wakes_at else self._begin(now)

    def started(self) -> None:
        """The relay says that an answer comes: the microphone is closed."""
        if self._state is _State.LISTENING:
            self._state = _State.ANSWERING

    def audio(self, now: float) -> None:
        """A packet of the answer has come."""
        seen = self._seen()
        seen.packets_out += 1
        if self._state is not _State.ANSWERING:
            return
        if self._playing_from is None:
            self._playing_from = now
            if self._due is not None:
                seen.first_audio.append(now - self._due - self.codec.settle_s)
        late = now - self._played_at()
        if late > 0:
            seen.late += 1
            seen.latest = max(seen.latest, late)
        self._frames += 1

    def stopped(self) -> None:
        """The answer is complete."""
        self._stopped = self._state is _State.ANSWERING

    def closed(self) -> None:
        """The relay has ended the connection."""
        self._seen().closed += 1

    def _played_at(self) -> float:
        """When all that has come of the answer has been played: the next packet is needed then."""
        if self._playing_from is None:
            return 0.0
        return self._playing_from + self._frames * self.codec.answer_packet_s

    def _begin(self, now: float) -> bytes:
        self._state = _State.LISTENING
        self._speech = self._random.choice(self.codec.speeches)
        steps = self._random.randint(*_THINK_STEPS)
        self._think = round(steps * GRID_S / self.codec.packet_s)
        self._at, self._due, self._playing_from = 0, None, None
        self._frames, self._stopped = 0, False
        return LISTEN + self._listen(now)

    def _listen(self, now: float) -> bytes:
        seen, silence = self._seen(), self.codec.silence
        if self._due is not None and now - self._due > _PATIENCE_S:
            seen.lost += 1
            return self._begin(now)
        at = self._at - self._think
        self._at += 1
        seen.packets_in += 1
        if not self.speaks:
            return silence[self._at % len(silence)]
        if at == self._speech.completes:
            self._due = now
        if 0 <= at < len(self._speech.packets):
            return self._speech.packets[at]
        return silence[at % len(silence)]
