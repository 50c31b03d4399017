"""IMA ADPCM: four bits a sample, 64 kbit/s, for boards that have no Opus.

One packet is one frame of 512 samples: the state of the codec before the frame (i16 predictor,
little-endian, u8 step index of 0 to 88, u8 reserved, 0), then 256 bytes with two samples in each,
the first in the high nibble. So each packet is decoded by itself, and a lost one costs only itself,
while the encoder's state runs on.

That is the layout of CPython's `audioop`, whose C code does the work: 5 us for a frame. CPython
dropped the module in 3.13; there the package `audioop-lts` brings the same code.
"""

from __future__ import annotations

import struct
import warnings

import numpy as np

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm
from relay.wire.codecs.base import bad_audio, check_frame

with warnings.catch_warnings():  # 3.11 and 3.12 announce its removal
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

HEADER = struct.Struct("<hBB")
PACKET_BYTES = HEADER.size + FRAME_SAMPLES // 2
_MAX_INDEX = 88
_SAMPLE_BYTES = 2


class AdpcmDecoder:
    """Takes packets of 260 bytes."""

    def decode(self, packet: bytes | memoryview) -> Pcm:
        if len(packet) != PACKET_BYTES:
            raise bad_audio(f"an adpcm packet has {PACKET_BYTES} bytes, not {len(packet)}")
        predictor, index, reserved = HEADER.unpack_from(packet)
        if index > _MAX_INDEX or reserved:
            raise bad_audio(f"adpcm header: step index {index} (0-88), reserved {reserved} (0)")
        codes = memoryview(packet)[HEADER.size :]
        samples, _ = audioop.adpcm2lin(codes, _SAMPLE_BYTES, (predictor, index))
        return np.frombuffer(samples, np.int16)


class AdpcmEncoder:
    """Makes packets of 260 bytes: 32 ms."""

    rate_hz = RATE_HZ
    frame_samples = FRAME_SAMPLES

    def __init__(self) -> None:
        self._state = (0, 0)  # predictor, step index

    def encode(self, frame: Pcm) -> bytes:
        check_frame(frame, FRAME_SAMPLES)
        header = HEADER.pack(*self._state, 0)
        codes, self._state = audioop.lin2adpcm(frame.tobytes(), _SAMPLE_BYTES, self._state)
        return header + codes

    def reset(self) -> None:
        self._state = (0, 0)
