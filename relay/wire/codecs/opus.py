"""Opus, the format of stock boards: 60 ms packets, with silence as packets of one byte (DTX).

The binding is `opuslib-next-bundled`: a wheel of 0.4 MB with libopus in it for Linux, macOS and
Windows. PyAV (ffmpeg, 104 MB) takes as long to encode and 2.5 times as long to decode. We call
libopus' own functions on our own buffers, since the binding's wrapper doubles the time of a decode.

The decoder gives 16 kHz whatever rate the device encoded at: in Opus the rate belongs to each side
alone (RFC 6716, section 2.1.1). Decoding 60 ms takes about 30 us, encoding about 190. That is done
where the frame is, on the event loop: the way to a thread and back costs half as much again, for
each packet of each doll.
"""

from __future__ import annotations

import ctypes
import importlib
from typing import Any

import numpy as np

from relay.audio import RATE_HZ, Pcm
from relay.wire.codecs.base import bad_audio, check_frame, unsupported

ENCODE_RATE_HZ = 24_000  #: what stock boards expect if nothing else is said
ENCODE_MS = 60
BITS_PER_S = 24_000
#: Of 0 to 10. By complexity: what 60 ms of three spoken answers took, how far their spectrum was
#: from the original (40 mel bands, mean over frames): 10: 424 us, 4.58 dB; 5: 455 us, 4.97 dB; 3:
#: 355 us, 5.05 dB; 1: 185 us, 5.17 dB; 0: 164 us, 5.20 dB. The microcontroller decodes all alike.
COMPLEXITY = 1

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

    def __init__(self) -> None:
        opus = _binding()
        self._encoder = opus.Encoder(ENCODE_RATE_HZ, 1, "voip")
        self._encoder.bitrate = BITS_PER_S
        self._encoder.complexity = COMPLEXITY
        self._encode = opus.api.encoder.libopus_encode
        self._samples = opus.api.c_int16_pointer
        self._packet = ctypes.create_string_buffer(_MAX_PACKET)

    def encode(self, frame: Pcm) -> bytes:
        check_frame(frame, self.frame_samples)
        frame = np.ascontiguousarray(frame)
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
        self._encoder.reset_state()
