"""Samples as they are: 16 bits, little-endian, 16 kHz."""

from __future__ import annotations

import numpy as np

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm
from relay.wire.codecs.base import bad_audio, check_frame

#: A packet holds 20 to 120 ms.
MIN_SAMPLES, MAX_SAMPLES = RATE_HZ * 20 // 1000, RATE_HZ * 120 // 1000


class PcmDecoder:
    """Takes packets of 640 to 3840 bytes."""

    def decode(self, packet: bytes | memoryview) -> Pcm:
        size = len(packet)
        if size % 2 or not MIN_SAMPLES <= size // 2 <= MAX_SAMPLES:
            raise bad_audio(
                f"a pcm packet has {2 * MIN_SAMPLES} to {2 * MAX_SAMPLES} bytes, two for each "
                f"sample; this one has {size}"
            )
        return np.frombuffer(packet, "<i2").astype(np.int16, copy=False)


class PcmEncoder:
    """Makes packets of 1024 bytes: 32 ms."""

    rate_hz = RATE_HZ
    frame_samples = FRAME_SAMPLES

    def encode(self, frame: Pcm) -> bytes:
        check_frame(frame, FRAME_SAMPLES)
        return frame.astype("<i2", copy=False).tobytes()

    def reset(self) -> None:
        pass
