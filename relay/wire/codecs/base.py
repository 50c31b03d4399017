"""What a codec of the wire offers. One decoder and one encoder belong to one connection."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from relay.audio import Pcm
from relay.wire.errors import CloseCode, ErrorCode, WireError

_INT16 = np.dtype(np.int16)


class Decoder(Protocol):
    """Turns what a device sends into samples."""

    def decode(self, packet: bytes | memoryview) -> Pcm:
        """The samples of one packet at 16 kHz, of whatever duration it has; not to be changed.

        Raises WireError (`bad_audio`) and is as it was before.
        """
        ...


class Encoder(Protocol):
    """Turns samples into what a device plays."""

    @property
    def rate_hz(self) -> int:
        """Samples per second that `encode` takes."""
        ...

    @property
    def frame_samples(self) -> int:
        """The one length of frame that `encode` takes."""
        ...

    def encode(self, frame: Pcm) -> bytes:
        """One packet for one frame, on the event loop: 0.2 ms at most. Raises ValueError."""
        ...

    def reset(self) -> None:
        """Forget the frames before: called at the start of a reply, as devices do."""
        ...


def unsupported(message: str) -> WireError:
    """The refusal of an audio format; it ends the session."""
    return WireError(ErrorCode.UNSUPPORTED_FORMAT, message, CloseCode.UNSUPPORTED_FORMAT)


def bad_audio(message: str) -> WireError:
    """The refusal of one packet; the session goes on."""
    return WireError(ErrorCode.BAD_AUDIO, message)


def check_frame(frame: Pcm, samples: int) -> None:
    """Raise ValueError unless `frame` is what the encoder takes."""
    if frame.shape != (samples,) or frame.dtype != _INT16:
        raise ValueError(f"a frame is {samples} samples of int16, not {frame.shape} {frame.dtype}")
