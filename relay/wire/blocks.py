"""Audio in pieces of any length, cut anew into frames of one length."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from relay.audio import Pcm


class Blocks:
    """Collects samples and hands them on in frames of exactly `frame_samples`.

    Devices send 20 to 120 ms at a time, voices speak in chunks of seconds, and VAD and codecs take
    one length only. Frames may be views of what was pushed: neither side changes samples in place.
    """

    def __init__(self, frame_samples: int) -> None:
        self._size = frame_samples
        self._rest = np.empty(0, np.int16)

    def __len__(self) -> int:
        """Samples that wait for the rest of their frame; less than a frame."""
        return len(self._rest)

    def push(self, pcm: Pcm) -> Iterator[Pcm]:
        """Add samples; the frames that are now complete, oldest first."""
        if len(pcm) == self._size and not len(self._rest):
            return iter((pcm,))
        if len(self._rest):
            pcm = np.concatenate((self._rest, pcm))
        whole = len(pcm) - len(pcm) % self._size
        self._rest = pcm[whole:].copy()  # a view would keep the whole of a long chunk alive
        return iter([pcm[at : at + self._size] for at in range(0, whole, self._size)])

    def flush(self, pad: bool = True) -> Iterator[Pcm]:
        """What is left, at most one frame: filled up with silence, or short without `pad`."""
        rest, self._rest = self._rest, np.empty(0, np.int16)
        if not len(rest):
            return iter(())
        return iter((np.pad(rest, (0, self._size - len(rest))) if pad else rest,))

    def clear(self) -> None:
        """Forget what is left."""
        self._rest = np.empty(0, np.int16)
