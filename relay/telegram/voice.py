"""Voice messages as the relay hears and speaks: Opus in Ogg to samples, and back.

libopus is the one that stock boards need as well (the extra `opus`, 0.4 MB). All of this takes the
CPU: call it in a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from relay.audio import RATE_HZ, Pcm
from relay.resample import Resampler
from relay.telegram import ogg
from relay.wire.codecs.opus import ENCODE_MS, ENCODE_RATE_HZ, OpusDecoder, OpusEncoder
from relay.wire.errors import WireError

#: Of a voice message: no utterance at a doll is longer, and a bigger file is not fetched.
MOST_SECONDS: Final = 60
MOST_BYTES: Final = 1_000_000

#: Of an answer that is spoken.
_MOST_SPOKEN_S = 120


class VoiceError(Exception):
    """It cannot be heard, or spoken; the text is for the log."""


def heard(data: bytes) -> Pcm:
    """A voice message at 16 kHz, its first `MOST_SECONDS`. Raises VoiceError."""
    try:
        file = ogg.read(data)
        decoder = OpusDecoder()
        pieces, samples = [np.zeros(0, np.int16)], 0
        for packet in file.packets:
            pieces.append(decoder.decode(packet))
            samples += len(pieces[-1])
            if samples >= MOST_SECONDS * RATE_HZ:
                break
    except (ogg.OggError, WireError) as error:
        raise VoiceError(str(error)) from None
    pcm: Pcm = np.concatenate(pieces)
    return pcm[file.pre_skip * RATE_HZ // ogg.GRANULE_HZ : MOST_SECONDS * RATE_HZ]


def spoken(pieces: Sequence[Pcm], rate_hz: int) -> bytes:
    """Speech as a voice message. Raises VoiceError."""
    try:
        encoder = OpusEncoder()
    except WireError as error:
        raise VoiceError(str(error)) from None
    resampler = Resampler(rate_hz, ENCODE_RATE_HZ)
    pcm = np.concatenate([*map(resampler.push, pieces), resampler.flush()])
    pcm = pcm[: _MOST_SPOKEN_S * ENCODE_RATE_HZ]
    size = encoder.frame_samples
    pcm = np.pad(pcm, (0, -len(pcm) % size))
    packets = [encoder.encode(pcm[at : at + size]) for at in range(0, len(pcm), size)]
    return ogg.write(packets, ENCODE_MS * ogg.GRANULE_HZ // 1000, ENCODE_RATE_HZ)
