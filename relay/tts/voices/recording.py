"""Reads what a phone records: WAV, FLAC, OGG, Opus, MP3, and the M4A, AAC and AMR of voice memos.

PyAV reads all of them, and the embedded recogniser brings it anyway; libsndfile and miniaudio know
no AAC, which is what most phones make.
"""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray

from relay.llm.extras import MissingExtraError
from relay.tts.voices.checks import Recording
from relay.tts.voices.voice import VoiceError

try:
    import av
    from av.error import FFmpegError
except ImportError as error:
    raise MissingExtraError("own voice", "voice", error) from None

MAX_FILE_BYTES: Final = 50 << 20
LONGEST_S: Final = 180.0  #: more is not even looked at

#: FFmpeg knows some three hundred formats, and playlists among them that open other files. Only
#: these are read, and from memory, so that a file cannot reach beyond itself.
_FORMATS: Final = "wav,w64,aiff,flac,ogg,mp3,aac,amr,mov,mp4,m4a,3gp,3g2,matroska,webm,caf"


def decode(data: bytes) -> Recording:
    """Read a recording; several channels become one. Blocks. Raises VoiceError."""
    if len(data) > MAX_FILE_BYTES:
        raise VoiceError(
            f"the recording has {len(data) >> 20} MB, at most {MAX_FILE_BYTES >> 20} are read; "
            "half a minute is enough"
        )
    try:
        samples, rate_hz = _decoded(data)
    except (FFmpegError, ValueError, IndexError) as error:
        raise VoiceError(
            f"this is no recording that can be read ({type(error).__name__}); "
            "save it as WAV, FLAC, OGG, MP3 or M4A"
        ) from None
    if not len(samples):
        raise VoiceError("there is no sound in this file")
    return Recording(samples, rate_hz)


def _decoded(data: bytes) -> tuple[NDArray[np.float32], int]:
    options = {"format_whitelist": _FORMATS}
    with av.open(io.BytesIO(data), "r", options=options) as container:
        stream = container.streams.audio[0]
        if stream.codec_context is None:
            raise ValueError("nothing decodes this")
        rate_hz = stream.codec_context.sample_rate
        if not 4_000 <= rate_hz <= 192_000:
            raise ValueError("the sample rate is out of bounds")
        resampler = av.AudioResampler(format="fltp", rate=rate_hz)
        chunks: list[NDArray[np.float32]] = []
        length = 0
        for frame in container.decode(stream):
            for part in resampler.resample(frame):
                chunks.append(_mono(part))
                length += len(chunks[-1])
            if length > LONGEST_S * rate_hz:
                raise VoiceError(
                    f"the recording is longer than {LONGEST_S / 60:.0f} minutes; "
                    "half a minute is enough"
                )
        chunks += [_mono(part) for part in resampler.resample(None)]
    samples = np.concatenate(chunks) if chunks else np.zeros(0, np.float32)
    return np.nan_to_num(samples), rate_hz


def _mono(frame: av.AudioFrame) -> NDArray[np.float32]:
    """The mean of the channels: FFmpeg's own mixing makes two loud ones louder than full scale."""
    return np.asarray(frame.to_ndarray().mean(axis=0), dtype=np.float32)
