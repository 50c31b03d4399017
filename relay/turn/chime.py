"""Two falling notes: what the doll plays when it has something to say and no voice to say it."""

from __future__ import annotations

import numpy as np

from relay.audio import Pcm

_NOTES_HZ = (659.3, 440.0)  # E5, A4
_NOTE_S = 0.22
_PEAK = 0.25 * 32767
_FADE_S = 0.02


def chime(rate_hz: int) -> Pcm:
    """The notes as samples at `rate_hz`, about half a second."""
    t = np.arange(int(_NOTE_S * rate_hz)) / rate_hz
    envelope = np.minimum(1.0, np.minimum(t, _NOTE_S - t) / _FADE_S)
    notes = [_PEAK * envelope * np.sin(2 * np.pi * hz * t) for hz in _NOTES_HZ]
    return np.concatenate(notes).astype(np.int16)
