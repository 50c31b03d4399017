"""WAV files: written whole, and read as they stream."""

from __future__ import annotations

import io
import struct
import wave
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from relay.audio import Pcm

#: A file is given up whose samples have not begun by here.
MAX_HEADER_BYTES: Final = 1 << 16

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE

#: A server that streams does not know the size; these stand for "until the end".
_UNKNOWN_SIZES: Final = (0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


class WavError(ValueError):
    """This is not a WAV file, or not one of a kind that is read here."""


def encode(pcm: Pcm, rate_hz: int) -> bytes:
    """A WAV file with `pcm`."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(pcm.astype("<i2").tobytes())
    return file.getvalue()


@dataclass(frozen=True, slots=True)
class _Format:
    rate_hz: int
    channels: int
    sample_bytes: int
    floating: bool


class WavReader:
    """A WAV file in pieces of any length; sans-I/O.

    Reads 8, 16, 24 and 32 bits and 32-bit floats; several channels become one.
    """

    def __init__(self) -> None:
        self._head = bytearray()
        self._format: _Format | None = None
        self._left: int | None = None  # bytes of samples to come; None: until the end
        self._in_data = False
        self._rest = b""  # of a frame that a piece has cut

    @property
    def rate_hz(self) -> int | None:
        """Samples per second, once the header has told."""
        return self._format.rate_hz if self._format and self._in_data else None

    def push(self, data: bytes) -> Pcm:
        """The samples that are complete with `data`. Raises WavError."""
        if not self._in_data:
            self._head += data
            data = self._read_head()
            if not self._in_data:
                return np.zeros(0, np.int16)
        assert self._format is not None
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        data = self._rest + data
        size = self._format.channels * self._format.sample_bytes
        whole = len(data) // size * size
        self._rest = data[whole:]
        return _mono(data[:whole], self._format)

    def _read_head(self) -> bytes:
        """Take the chunks before the samples; returns the first samples once they begin."""
        head = bytes(self._head)
        if not head.startswith(b"RIFF"[: len(head)]) or head[8:12] != b"WAVE"[: len(head[8:12])]:
            raise WavError("this does not begin like a WAV file")
        at = 12
        while len(head) >= at + 8:
            name, size = struct.unpack_from("<4sI", head, at)
            at += 8
            if name == b"data":
                if self._format is None:
                    raise WavError("the samples come before their format")
                self._left = None if size in _UNKNOWN_SIZES else size
                self._in_data = True
                self._head.clear()
                return head[at:]
            if name == b"fmt " and len(head) >= at + size:
                self._format = _read_format(head[at : at + size])
            at += size + size % 2  # chunks are padded to even lengths
        if len(head) > MAX_HEADER_BYTES:
            raise WavError("the header has no end")
        return b""


def _read_format(chunk: bytes) -> _Format:
    if len(chunk) < 16:
        raise WavError("the format is cut short")
    kind, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if kind == _EXTENSIBLE and len(chunk) >= 26:
        kind = struct.unpack_from("<H", chunk, 24)[0]
    floating = kind == _FLOAT
    if kind not in (_PCM, _FLOAT) or bits not in ((32,) if floating else (8, 16, 24, 32)):
        raise WavError(f"samples of kind {kind} with {bits} bits are not read here")
    if not 1 <= channels <= 8 or not 4_000 <= rate_hz <= 192_000:
        raise WavError(f"{channels} channels at {rate_hz} Hz are not read here")
    return _Format(rate_hz, channels, bits // 8, floating)


def _mono(data: bytes, kind: _Format) -> Pcm:
    frames = _full_scale(data, kind).reshape(-1, kind.channels).mean(axis=1)
    samples: Pcm = np.clip(np.round(frames), -32768, 32767).astype(np.int16)
    return samples


def _full_scale(data: bytes, kind: _Format) -> NDArray[np.float64]:
    """The samples, 32768 being full scale."""
    if kind.floating:
        return np.nan_to_num(np.frombuffer(data, "<f4").astype(np.float64) * 32768)
    if kind.sample_bytes == 1:  # the one width without a sign
        return (np.frombuffer(data, np.uint8).astype(np.float64) - 128) * 256
    if kind.sample_bytes == 3:  # widened at the low end
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return wide.reshape(-1).view("<i4").astype(np.float64) / 65536
    if kind.sample_bytes == 4:
        return np.frombuffer(data, "<i4").astype(np.float64) / 65536
    return np.frombuffer(data, "<i2").astype(np.float64)
