"""Hearing: when to listen, and what every detector of voice (VAD) offers."""

from __future__ import annotations

from collections.abc import Awaitable
from enum import StrEnum
from typing import Protocol

from relay.audio import Pcm


class ListenMode(StrEnum):
    """How a turn of the speaker's ends. The values are those of the wire (xiaozhi)."""

    MANUAL = "manual"  #: when the doll says so: a button is held, or tapped again
    AUTO = "auto"  #: when the voice has stopped
    REALTIME = "realtime"  #: as auto, and the doll also listens while it speaks


class DetectorUnavailableError(RuntimeError):
    """The detector cannot run on this machine; the message says what to install."""


class VoiceStream(Protocol):
    """One doll's audio, frame after frame. It remembers what came before; others share nothing."""

    def probability(self, frame: Pcm, *, patient: bool = False) -> Awaitable[float]:
        """How likely the next frame is to hold voice, 0 to 1; work on it begins with the call.

        With `patient` it may begin up to 24 ms later, with the frames of other dolls, unless
        `hurry` is called meanwhile.

        `frame` has `FRAME_SAMPLES` samples at `RATE_HZ` and must not change until this returns;
        anything else raises ValueError. One frame at a time: RuntimeError while another waits. A
        cancelled call leaves the stream as if the frame had never come.
        """
        ...

    def hurry(self) -> None:
        """The answer that was asked for patiently is needed now."""
        ...

    def reset(self) -> None:
        """Forget what came before. A frame that still waits is answered as part of the old past."""
        ...


class VoiceDetector(Protocol):
    """Tells voice from everything else. One instance serves all dolls at once."""

    def stream(self) -> VoiceStream:
        """A new, independent stream. It costs next to nothing and needs no closing."""
        ...

    async def close(self) -> None:
        """Give back threads and the model. Called once, when the relay stops."""
        ...


class MelodyDetector(Protocol):
    """Tells by its sound whether an utterance is complete. One instance serves all dolls."""

    async def sounds_complete(self, utterance: Pcm) -> bool:
        """Whether `utterance` (16 kHz, up to a likely end) sounds as if the speaker had finished.

        Never fails: what cannot be told, because too many dolls ask at once or the model breaks,
        is False. Cancelling it ends it at once for the caller.
        """
        ...

    async def close(self) -> None:
        """Give back the thread and the model. Called once, when the relay stops."""
        ...
