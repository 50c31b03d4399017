"""MP3 into samples as it streams, by FFmpeg's decoder.

PyAV, and not a smaller decoder, because it takes bytes as they come; the smaller ones want to read
a file by themselves, which costs a thread for each clause. Nothing is decoded but MP3.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from relay.audio import Pcm
from relay.llm.extras import MissingExtraError
from relay.tts.formats import FormatError

try:
    import av
    from av.audio.codeccontext import AudioCodecContext
    from av.audio.frame import AudioFrame
    from av.error import FFmpegError
except ImportError as error:
    raise MissingExtraError("MP3", "edge", error) from None


class Mp3Decoder:
    """A `Decoder`. A tenth of a second takes about 0.1 ms: little enough for the event loop."""

    def __init__(self) -> None:
        self._codec = cast("AudioCodecContext", av.CodecContext.create("mp3float", "r"))
        self._rate_hz: int | None = None

    @property
    def rate_hz(self) -> int | None:
        """See `Decoder.rate_hz`. Known with the first samples."""
        return self._rate_hz

    def push(self, data: bytes) -> Pcm:
        """See `Decoder.push`."""
        return self._decode(data) if data else np.zeros(0, np.int16)  # FFmpeg takes it for the end

    def flush(self) -> Pcm:
        """See `Decoder.flush`."""
        return self._decode(None)

    def _decode(self, data: bytes | None) -> Pcm:
        decoded: list[Pcm] = [np.zeros(0, np.int16)]
        try:
            for packet in self._codec.parse(data):
                decoded += map(self._mono, self._codec.decode(packet))
            if data is None:
                decoded += map(self._mono, self._codec.decode(None))
        except (FFmpegError, ValueError) as error:
            raise FormatError(f"it is no MP3: {error}") from None
        return np.concatenate(decoded)

    def _mono(self, frame: AudioFrame) -> Pcm:
        """One frame; shape of its samples: (channels, n), floats of full scale 1."""
        if self._rate_hz not in (None, frame.sample_rate):
            raise FormatError("the rate changes in the middle")
        self._rate_hz = frame.sample_rate
        samples = np.round(frame.to_ndarray().mean(axis=0) * 32768)
        pcm: Pcm = np.clip(samples, -32768, 32767).astype(np.int16)
        return pcm
