"""Samples at one rate into samples at another, as they stream."""

from __future__ import annotations

import numpy as np
import soxr

from relay.audio import Pcm


class Resampler:
    """From one rate to another; the same samples where the rates are equal.

    soxr looks ahead by some milliseconds, so what comes out lags what went in until `flush`.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream = (
            None
            if from_hz == to_hz
            else soxr.ResampleStream(from_hz, to_hz, 1, dtype="int16", quality="MQ")
        )

    def push(self, pcm: Pcm) -> Pcm:
        """What can be told of `pcm` and what came before it; may be empty."""
        return pcm if self._stream is None else self._stream.resample_chunk(pcm)

    def flush(self) -> Pcm:
        """The rest. Nothing may be pushed after it."""
        nothing = np.zeros(0, np.int16)
        return nothing if self._stream is None else self._stream.resample_chunk(nothing, last=True)
