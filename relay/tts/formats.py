"""What voices behind a network send: raw samples, WAV and MP3, in pieces of any length."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from relay.audio import Pcm
from relay.wav import WavError, WavReader

#: How a WAV file and an MP3 file begin (with a tag, or with the sync word of a frame).
_RIFF: Final = b"RIFF"
_ID3: Final = b"ID3"

#: What stands in the content type of samples and of WAV; nothing at all is taken for samples too.
_READ_HERE: Final = ("pcm", "l16", "raw", "wav", "octet-stream")


class FormatError(ValueError):
    """These bytes are not speech in the form that was asked for."""


class Decoder(Protocol):
    """From bytes to mono samples; sans-I/O."""

    @property
    def rate_hz(self) -> int | None:
        """Samples per second; None until the stream has told."""
        ...

    def push(self, data: bytes) -> Pcm:
        """The samples that are complete with `data`. Raises FormatError."""
        ...

    def flush(self) -> Pcm:
        """The rest. Nothing may be pushed after it."""
        ...


class RawDecoder:
    """16-bit little-endian samples at a rate that was told; or WAV, where it is that after all.

    Several servers answer with WAV whatever they are asked for, and its header would be a click.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._rest = b""  # the beginning, until it is known; then half a sample
        self._wav: WavReader | None = None
        self._begun = False

    @property
    def rate_hz(self) -> int | None:
        """See `Decoder.rate_hz`."""
        if self._wav is not None:
            return self._wav.rate_hz
        return self._rate_hz if self._begun else None

    def push(self, data: bytes) -> Pcm:
        """See `Decoder.push`."""
        data = self._rest + data
        self._rest = b""
        if not self._begun:
            if len(data) < len(_RIFF) and _RIFF.startswith(data):
                self._rest = data
                return np.zeros(0, np.int16)
            self._begun = True
            if data.startswith(_RIFF):
                self._wav = WavReader()
            elif data.startswith(_ID3):
                raise FormatError("it is MP3")
        if self._wav is not None:
            try:
                return self._wav.push(data)
            except WavError as error:
                raise FormatError(str(error)) from None
        whole = len(data) // 2 * 2
        self._rest = data[whole:]
        return np.frombuffer(data[:whole], "<i2").astype(np.int16)

    def flush(self) -> Pcm:
        """See `Decoder.flush`."""
        return np.zeros(0, np.int16)


def decoder_for(content_type: str, rate_hz: int) -> Decoder:
    """How to read an answer of this `content-type`; raw samples are at `rate_hz` if it tells none.

    Raises FormatError for what is no speech, or speech in a form that is not read here.
    """
    kind, _, parameters = content_type.partition(";")
    kind = kind.strip().lower()
    if kind and not any(word in kind for word in _READ_HERE):
        raise FormatError(f"it is {kind}")
    for parameter in parameters.lower().split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "rate" and value.isdecimal() and 4_000 <= int(value) <= 192_000:
            rate_hz = int(value)
    return RawDecoder(rate_hz)
