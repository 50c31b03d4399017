"""What the doll plays when it has something to say and no voice to say it."""

from __future__ import annotations

import numpy as np

from relay.audio import Pcm

_SORRY_HZ = (659.3, 440.0)  # E5, A4: falling
_THINKING_HZ = (440.0, 523.3)  # A4, C5: rising, as a question
_NOTE_S = 0.22
_PEAK = 0.25 * 32767
_FADE_S = 0.02


def chime(rate_hz: int) -> Pcm:
    """Two falling notes at `rate_hz`, about half a second: something went wrong."""
    return _notes(_SORRY_HZ, rate_hz, _PEAK)


def thinking(rate_hz: int) -> Pcm:
    """Two soft rising notes at `rate_hz`, about half a second: an answer is on its way."""
    return _notes(_THINKING_HZ, rate_hz, _PEAK / 3)


def _notes(frequencies_hz: tuple[float, ...], rate_hz: int, peak: float) -> Pcm:
    t = np.arange(int(_NOTE_S * rate_hz)) / rate_hz
    envelope = np.minimum(1.0, np.minimum(t, _NOTE_S - t) / _FADE_S)
    notes = [peak * envelope * np.sin(2 * np.pi * hz * t) for hz in frequencies_hz]
    return np.concatenate(notes).astype(np.int16)
