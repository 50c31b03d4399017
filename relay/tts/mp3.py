"""The MP3 of Microsoft's voices into samples as it streams, by libsndfile.

libsndfile, because the utterances for Gemini are packed with it anyway, and FFmpeg would take 16 MB
more; but it reads whole files only. So each frame is made to stand by itself, and the few that a
message brings become a small file. A frame's data may begin in the frames before it, up to 255
bytes back (the bit reservoir); as RFC 5219 does with its ADU frames, they are moved into the frame
that needs them, which has room for them at a higher bit rate. Layout: ISO/IEC 13818-3, 2.4.

About frames that are damaged inside libsndfile's decoder writes a line on standard error.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

import numpy as np

from relay.audio import Pcm
from relay.llm.extras import MissingExtraError
from relay.tts.formats import FormatError

try:
    import soundfile
except ImportError as error:
    raise MissingExtraError("MP3", "edge", error) from None

#: The only form that edge-tts asks for: MPEG-2, layer III, one channel.
RATE_HZ: Final = 24_000
FRAME_SAMPLES: Final = 576

#: Bytes of a frame by its bit rate, 8 to 160 kbit/s: 24 ms of it. Index 0 is of no use.
_LENGTHS: Final[tuple[int, ...]] = (
    0,
    *(3 * kbit_s for kbit_s in (*range(8, 64, 8), *range(64, 161, 16))),
)
_HEADER: Final = 4
#: The side information: where the frame's data begin, and how they are to be read.
_SIDE: Final = 9
_RESERVOIR: Final = 255

#: Heads the frames that stand by themselves: 160 kbit/s, without a checksum.
_ALONE: Final = b"\xff\xf3\xe4\xc0"
_ROOM: Final = _LENGTHS[14] - _HEADER - _SIDE
_SILENCE: Final = _ALONE + bytes(_SIDE + _ROOM)

#: A frame sounds into the next, and the filters remember as much again.
_HISTORY: Final = 2

#: So much that is no frame is no MP3.
_MOST_JUNK: Final = 4_096


class Mp3Decoder:
    """A `Decoder`. A tenth of a second takes about 0.1 ms: little enough for the event loop."""

    def __init__(self) -> None:
        self._rest = b""
        self._reservoir = b""
        self._history = [_SILENCE] * _HISTORY
        self._junk = 0
        self._begun = False

    @property
    def rate_hz(self) -> int | None:
        """See `Decoder.rate_hz`. Known with the first samples."""
        return RATE_HZ if self._begun else None

    def push(self, data: bytes) -> Pcm:
        """See `Decoder.push`."""
        self._rest += data
        frames = [self._alone(frame) for frame in self._frames()]
        if not frames:
            return np.zeros(0, np.int16)
        self._begun = True
        pcm = _decoded((*self._history, *frames))[_HISTORY * FRAME_SAMPLES :]
        self._history = (self._history + frames)[-_HISTORY:]
        return pcm

    def flush(self) -> Pcm:
        """See `Decoder.flush`. Half a frame at the end is left out."""
        if (self._rest or self._junk) and not self._begun:
            raise FormatError("it is no MP3 of 24 kHz")
        return np.zeros(0, np.int16)

    def _frames(self) -> Iterator[bytes]:
        """Take the whole frames out of the rest, and what lies between them."""
        at = 0
        while len(self._rest) - at >= _HEADER:
            length = _length(self._rest[at : at + _HEADER])
            if not length:
                following = self._rest.find(b"\xff", at + 1)
                following = len(self._rest) if following < 0 else following
                self._junk += following - at
                if self._junk > _MOST_JUNK:
                    raise FormatError("it is no MP3 of 24 kHz")
                at = following
                continue
            if at + length > len(self._rest):
                break
            yield self._rest[at : at + length]
            self._junk = 0
            at += length
        self._rest = self._rest[at:]

    def _alone(self, frame: bytes) -> bytes:
        """This frame with all that it needs; silence where that is not there."""
        checksum = 0 if frame[1] & 1 else 2
        side = frame[_HEADER + checksum :][:_SIDE]
        own = frame[_HEADER + checksum + _SIDE :]
        begin = side[0] if side else 0
        available = len(self._reservoir)
        data = (self._reservoir[available - begin :] + own)[:_ROOM]
        self._reservoir = (self._reservoir + own)[-_RESERVOIR:]
        # After the byte for `begin` and a bit for private use: how many bits of data there are.
        needed = int.from_bytes(side[1:3], "big") >> 3 & 0xFFF
        if begin > available or needed > 8 * len(data):
            return _SILENCE
        return _ALONE + b"\0" + side[1:] + data.ljust(_ROOM, b"\0")


def _length(header: bytes) -> int:
    """How many bytes the frame with this header has; 0 if that is none, or of another form."""
    first, second, third, fourth = header
    # Sync word, MPEG-2, layer III; 24 kHz; mono.
    if first != 0xFF or second & 0xFE != 0xF2 or third & 0x0C != 0x04 or fourth & 0xC0 != 0xC0:
        return 0
    rate = third >> 4
    if not 0 < rate < len(_LENGTHS):
        return 0
    return _LENGTHS[rate] + (third >> 1 & 1)


def _decoded(frames: tuple[bytes, ...]) -> Pcm:
    """The samples of frames that stand by themselves.

    A frame of silence stands at both ends: the first of a file may be read as its title, and the
    last is not read without one behind it.
    """
    file = io.BytesIO(b"".join((_SILENCE, *frames, _SILENCE)))
    try:
        samples, _ = soundfile.read(file, dtype="float32")
    except (soundfile.SoundFileError, ValueError) as error:
        raise FormatError(f"it is no MP3: {error}") from None
    if samples.shape != ((len(frames) + 2) * FRAME_SAMPLES,):
        raise FormatError("it is no MP3 of 24 kHz")
    scaled = np.round(np.nan_to_num(samples[FRAME_SAMPLES:-FRAME_SAMPLES]) * 32768)
    pcm: Pcm = np.clip(scaled, -32768, 32767).astype(np.int16)
    return pcm
