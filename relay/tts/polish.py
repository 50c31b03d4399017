"""From what a model spoke to what a doll plays: no dead air, even loudness, no clicks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from relay.audio import Pcm

#: Loudness is looked at in windows of this length.
WINDOW_S = 0.01

#: Windows this far below the loudest one are silence at the ends of a clause.
QUIET_DB = -42.0
#: What is kept around the sound: soft beginnings, and ends that fade.
LEAD_S = 0.02
TAIL_S = 0.05
FADE_IN_S = 0.005
FADE_OUT_S = 0.02

#: Windows this far below the loudest one are no voice, and do not count for the loudness.
VOICED_DB = -25.0
#: Loudness of the voiced part, RMS relative to full scale, and the peak that it may not pass.
TARGET_DBFS = -20.0
PEAK = 0.89
#: Nothing is made louder than this: it would be noise.
MOST_GAIN = 10.0

#: Seconds of silence behind a clause, by the mark at its end.
PAUSES_S = {",": 0.12, ";": 0.18, ":": 0.18, ".": 0.25, "!": 0.25, "?": 0.25, "…": 0.3, "。": 0.25}
#: Where a clause ends without a mark, the next one follows nearly at once.
NO_MARK_S = 0.04
#: Closing quotes and brackets stand behind the mark that counts.
CLOSING = "\"'”’)]」』 \n\t~"


def pause_after(text: str) -> float:
    """Seconds of silence that belong behind `text`."""
    return PAUSES_S.get(text.rstrip(CLOSING)[-1:], NO_MARK_S)


def polish(samples: NDArray[np.float32], rate_hz: int, pause_s: float) -> Pcm:
    """Cut, level and fade `samples` (mono, full scale 1), and put `pause_s` of silence behind.

    Empty when there is no sound in `samples`.
    """
    window = round(WINDOW_S * rate_hz)
    whole = samples[: len(samples) // window * window].reshape(-1, window)
    loudness = np.sqrt(np.square(whole, dtype=np.float64).mean(axis=1))
    loudest = loudness.max(initial=0.0)
    if not np.isfinite(loudest) or loudest < 1e-4:
        return np.zeros(0, np.int16)
    sounding = np.flatnonzero(loudness > loudest * ratio(QUIET_DB))
    start = max(0, sounding[0] * window - round(LEAD_S * rate_hz))
    end = min(len(samples), (sounding[-1] + 1) * window + round(TAIL_S * rate_hz))
    voiced = loudness[loudness > loudest * ratio(VOICED_DB)]
    gain = ratio(TARGET_DBFS) / np.sqrt(np.square(voiced).mean())
    clause = samples[start:end].astype(np.float64)
    clause *= min(gain, PEAK / np.abs(clause).max(), MOST_GAIN)
    fade(clause[: round(FADE_IN_S * rate_hz)])
    fade(clause[::-1][: round(FADE_OUT_S * rate_hz)])
    spoken = np.append(clause, np.zeros(round(pause_s * rate_hz)))
    return np.round(spoken * 32767).astype(np.int16)


def fade(part: NDArray[np.float64]) -> None:
    """Let `part` rise from nothing, along a quarter of a sine squared, in place."""
    part *= np.sin(np.linspace(0, np.pi / 2, len(part))) ** 2


def ratio(decibels: float) -> float:
    """An amplitude ratio."""
    return float(10 ** (decibels / 20))
