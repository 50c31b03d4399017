"""Gemini TTS without a voice: a tone for each syllable, as long as speech would take."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator

import numpy as np

from relay.audio import Pcm

RATE_HZ = 24_000
MIME = f"audio/L16;codec=pcm;rate={RATE_HZ}"
WAV_MIME = "audio/wav"
TOKENS_PER_SECOND = 25  # of the answer

_SYLLABLE_S = 0.16
_LETTERS_PER_SYLLABLE = 3  # where a letter is not a syllable, as it is in Hangul
_LONGEST_S = 60.0
_CHUNK_S = 0.2
_VOICES_HZ = (180, 205, 120, 240)


def speech(text: str, voice: int) -> Pcm:
    """Shape (n,), at `RATE_HZ`. `voice` chooses a pitch."""
    letters = [letter for letter in text if letter.isalnum()]
    ascii_letters = sum(letter.isascii() for letter in letters)
    count = len(letters) - ascii_letters + -(-ascii_letters // _LETTERS_PER_SYLLABLE)
    syllables = max(1, min(count, int(_LONGEST_S / _SYLLABLE_S)))
    time = np.arange(int(_SYLLABLE_S * RATE_HZ)) / RATE_HZ
    envelope = np.sin(np.pi * time / _SYLLABLE_S)
    tones = []
    for number in range(syllables):
        pitch = _VOICES_HZ[voice % len(_VOICES_HZ)] * (1 + 0.1 * np.sin(number))
        tone = sum(np.sin(2 * np.pi * pitch * part * time) / part for part in (1, 2, 3, 4))
        tones.append(envelope * tone)
    return (8_000 * np.concatenate(tones)).astype(np.int16)


def chunks(pcm: Pcm) -> Iterator[bytes]:
    """The speech as it is streamed: raw little-endian samples."""
    step = int(_CHUNK_S * RATE_HZ)
    for start in range(0, len(pcm), step):
        yield pcm[start : start + step].astype("<i2").tobytes()


def wav(pcm: Pcm) -> bytes:
    """The speech as one file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(pcm.astype("<i2").tobytes())
    return out.getvalue()
