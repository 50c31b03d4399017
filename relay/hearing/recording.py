"""The audio of one doll while it listens: one array that grows, and forgets what is not needed."""

from __future__ import annotations

import numpy as np

from relay.audio import FRAME_SAMPLES, Pcm

_FIRST_CAPACITY = 32 * FRAME_SAMPLES  # a second: 32 KiB


class Recording:
    """Samples by their position since the recording began.

    The array doubles when what is kept outgrows it, and shrinks again when that was forgotten. So
    a long silence costs no memory and, over many frames, next to no copying.
    """

    __slots__ = ("_kept_from", "_origin", "_samples", "_size")

    def __init__(self) -> None:
        self._samples: Pcm = np.empty(_FIRST_CAPACITY, np.int16)
        self._origin = 0  # position of self._samples[0]
        self._kept_from = 0
        self._size = 0  # samples held in the array, forgotten ones included

    @property
    def end(self) -> int:
        """The position after the last sample: the samples recorded so far."""
        return self._origin + self._size

    @property
    def capacity(self) -> int:
        """Samples that the array has room for."""
        return len(self._samples)

    def append(self, pcm: Pcm) -> None:
        """Add `pcm` at the end."""
        if self._size + len(pcm) > len(self._samples):
            self._make_room(len(pcm))
        self._samples[self._size : self._size + len(pcm)] = pcm
        self._size += len(pcm)

    def forget_before(self, position: int) -> None:
        """Samples before `position` are not asked for any more."""
        self._kept_from = max(self._kept_from, min(position, self.end))

    def between(self, start: int, end: int) -> Pcm:
        """A copy of the samples from `start` to `end`, as far as they were recorded and kept."""
        start, end = max(start, self._kept_from), min(end, self.end)
        return self._samples[start - self._origin : max(start, end) - self._origin].copy()

    def _make_room(self, count: int) -> None:
        kept = self._samples[self._kept_from - self._origin : self._size]
        needed = len(kept) + count
        # Half of it is free afterwards, or the next frames would move everything again.
        capacity = _FIRST_CAPACITY
        while capacity < needed or capacity < 2 * len(kept):
            capacity *= 2
        samples = self._samples if capacity == len(self._samples) else np.empty(capacity, np.int16)
        samples[: len(kept)] = kept  # numpy copies overlapping parts of one array correctly
        self._samples, self._origin, self._size = samples, self._kept_from, len(kept)
