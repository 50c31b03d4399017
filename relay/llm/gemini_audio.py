"""An utterance as it goes to Gemini: FLAC, which is lossless and two fifths of a WAV.

At 1 Mbit/s upstream a question of 2.5 s takes 0.34 s instead of 0.84 s; encoding it takes 1 ms.
"""

from __future__ import annotations

import io

import numpy as np

from relay.audio import FRAME_SAMPLES, RATE_HZ, Pcm
from relay.llm.extras import MissingExtraError

try:
    import soundfile
except (ImportError, OSError) as error:  # OSError: without its wheel it looks for libsndfile
    raise MissingExtraError("Gemini", "gemini", ImportError(str(error))) from None

MIME_TYPE = "audio/flac"
MAX_S = 60  #: longer utterances lose their beginning; a request may have 20 MB, this is 1.2 MB

_SHORTEST_S = 0.2  # no word is shorter
_QUIETEST = 80.0  # RMS of the loudest 32 ms, of 32,768: -52 dB, a whisper is louder


def worth_hearing(utterance: Pcm) -> bool:
    """Whether there can be speech in it at all: the last look before a request is spent.

    The voice detector has looked before; but a model that gets silence makes up what was said.
    """
    whole = len(utterance) // FRAME_SAMPLES
    if len(utterance) < _SHORTEST_S * RATE_HZ:
        return False
    frames = utterance[: whole * FRAME_SAMPLES].reshape(whole, FRAME_SAMPLES).astype(np.float32)
    frames -= frames.mean(axis=1, keepdims=True)  # an offset is no sound
    return bool(np.sqrt((frames**2).mean(axis=1)).max() >= _QUIETEST)


def flac(utterance: Pcm) -> bytes:
    """Encode 16 kHz audio; the CPU takes about 0.4 ms for each second."""
    file = io.BytesIO()
    soundfile.write(file, utterance[-MAX_S * RATE_HZ :], RATE_HZ, format="FLAC", subtype="PCM_16")
    return file.getvalue()
