"""What audio is inside the relay: 16-bit mono samples in numpy arrays."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

#: Mono samples, shape (n,), 16-bit signed. The rate is said where it is not `RATE_HZ`.
Pcm: TypeAlias = NDArray[np.int16]

#: The rate at which the relay hears: what VAD and speech recognition take.
RATE_HZ = 16_000

#: One frame: two I2S DMA buffers on the doll, one Silero window, 32 ms.
FRAME_SAMPLES = 512


def duration_s(pcm: Pcm, rate_hz: int = RATE_HZ) -> float:
    """Seconds that `pcm` takes to play at `rate_hz`."""
    return len(pcm) / rate_hz
