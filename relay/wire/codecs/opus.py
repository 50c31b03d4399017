"""Opus, the format of stock boards: 60 ms packets, with silence as packets of one byte (DTX).

The binding is `opuslib-next-bundled`: a wheel of 0.4 MB with libopus in it for Linux, macOS and
Windows. PyAV (ffmpeg, 104 MB) takes as long to encode and 2.5 times as long to decode. We call
libopus' own functions on our own buffers, since the binding's wrapper doubles the time of a decode.

The decoder gives 16 kHz whatever rate the device encoded at: in Opus the rate belongs to each side
alone (RFC 6716, section 2.1.1). Decoding 60 ms takes about 30 us, encoding about 500; both release
the interpreter lock.
"""

from __future__ import annotations

import ctypes
import importlib
import threading
from typing import Any

import numpy as np

from relay.audio import RATE_HZ, Pcm
from relay.wire.codecs.base import bad_audio, check_frame, unsupported

ENCODE_RATE_HZ = 24_000  #: what stock boards expect if nothing else is said
ENCODE_MS = 60
BITS_PER_S = 24_000
COMPLEXITY = 5  #: of 0 to 10; above it the time grows and the voice does not improve audibly

_MAX_SAMPLES = RATE_HZ * 120 // 1000  # no Opus packet is longer (RFC 6716, section 3.4, R5)
_MAX_PACKET = 1275  # bytes of room for one packet; at 24 kbit/s it takes about 160
_REASONS = {-1: "bad argument", -2: "longer than 120 ms", -4: "not an Opus packet"}


def _binding() -> Any:
    """The package, loaded when the first device needs it. Raises WireError if it is not there."""
    try:
        return importlib.import_module("opuslib_next")
    except (ImportError, OSError, RuntimeError):  # the last two: libopus itself does not load
        raise unsupported(
            "this relay has no Opus; its owner can add it with pip install 'talking-doll[opus]'"
        ) from None


class OpusDecoder:
    """Takes packets of any Opus mode, mono or stereo, up to 120 ms."""

    def __init__(self) -> None:
        opus = _binding()
        self._decoder = opus.Decoder(RATE_HZ, 1)
        self._decode = opus.api.decoder.libopus_decode
        self._pcm = np.empty(_MAX_SAMPLES, np.int16)
        self._into = self._pcm.ctypes.data_as(opus.api.c_int16_pointer)

    def decode(self, packet: bytes | memoryview) -> Pcm:
        if not packet:  # libopus would take it for a lost packet and make up sound
            raise bad_audio("an empty opus packet")
        data = bytes(packet)
        samples: int = self._decode(
            self._decoder.decoder_state, data, len(data), self._into, _MAX_SAMPLES, 0
        )
        if samples < 0:
            raise bad_audio(f"opus: {_REASONS.get(samples, f'error {samples}')}")
        return self._pcm[:samples].copy()


class OpusEncoder:
    """Makes packets of 60 ms from 24 kHz, about 24 kbit/s."""

    rate_hz = ENCODE_RATE_HZ
    frame_samples = ENCODE_RATE_HZ * ENCODE_MS // 1000
    heavy = True

    def __init__(self) -> None:
        opus = _binding()
        self._encoder = opus.Encoder(ENCODE_RATE_HZ, 1, "voip")
        self._encoder.bitrate = BITS_PER_S
        self._encoder.complexity = COMPLEXITY
        self._encode = opus.api.encoder.libopus_encode
        self._samples = opus.api.c_int16_pointer
        self._packet = ctypes.create_string_buffer(_MAX_PACKET)
        # A cancelled turn leaves its last frame to a thread; the next turn must not join it inside.
        self._one_at_a_time = threading.Lock()

    def encode(self, frame: Pcm) -> bytes:
        check_frame(frame, self.frame_samples)
        frame = np.ascontiguousarray(frame)
        with self._one_at_a_time:
            size: int = self._encode(
                self._encoder.encoder_state,
                frame.ctypes.data_as(self._samples),
                self.frame_samples,
                self._packet,
                _MAX_PACKET,
            )
            if size < 0:
                raise ValueError(f"opus: error {size}")
            return self._packet.raw[:size]

    def reset(self) -> None:
        with self._one_at_a_time:
            self._encoder.reset_state()
