"""How a clause sounds whoever spoke it: silence around it, loudness, fades; see `flow`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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


def fade(part: NDArray[np.float64]) -> None:
    """Let `part` rise from nothing, along a quarter of a sine squared, in place."""
    part *= np.sin(np.linspace(0, np.pi / 2, len(part))) ** 2


def ratio(decibels: float) -> float:
    """An amplitude ratio."""
    return float(10 ** (decibels / 20))
