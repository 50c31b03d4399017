"""How high a voice is, over a recording: enough to notice that a man and a child take turns.

Nothing here can tell two women apart, or a voice from a good imitation of it: for that it takes a
model of voices, and no maintained package carries a small one (the ones that are there download
theirs, or want torch).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

#: From a low man's voice to a small child's.
LOWEST_HZ: Final = 65.0
HIGHEST_HZ: Final = 500.0

WINDOW_S: Final = 0.04  #: two and a half periods of the lowest voice
STEP_S: Final = 0.02

#: A window is voiced if it resembles itself so much one period later (1 is a perfect period).
VOICED: Final = 0.6


def track(samples: NDArray[np.floating], rate_hz: int) -> NDArray[np.float64]:
    """The pitch in semitones over 55 Hz every `STEP_S`; NaN where nothing is voiced.

    By autocorrelation, normalised as in P. Boersma, "Accurate short-term analysis of the
    fundamental frequency" (1993): divided by that of the window function. The first peak within
    0.85 of the best one counts, so that two periods are not taken for one.
    """
    size, step = round(WINDOW_S * rate_hz), round(STEP_S * rate_hz)
    if len(samples) < size:
        return np.zeros(0)
    windows = np.lib.stride_tricks.sliding_window_view(samples, size)[::step].astype(np.float64)
    windows = windows - windows.mean(axis=1, keepdims=True)
    shape = np.hanning(size)
    own = _autocorrelation(shape[None])[0]
    likeness = _autocorrelation(windows * shape)
    likeness /= np.maximum(likeness[:, :1], 1e-9)
    first, last = int(rate_hz / HIGHEST_HZ), int(rate_hz / LOWEST_HZ)
    lags = slice(first - 1, last + 2)
    likeness = likeness[:, lags] / np.maximum(own[lags] / own[0], 1e-3)
    inner = likeness[:, 1:-1]
    peaks = (inner >= likeness[:, :-2]) & (inner > likeness[:, 2:])
    best = np.where(peaks, inner, 0).max(axis=1, initial=0)
    good = peaks & (inner >= 0.85 * best[:, None])
    lag = first + np.argmax(good, axis=1)
    pitch = 12 * np.log2(rate_hz / lag / 55)
    loud = np.square(windows).mean(axis=1) > 1e-7  # -70 dB of full scale
    return np.where((best >= VOICED) & loud, pitch, np.nan)


def _autocorrelation(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    length = windows.shape[1]
    spectrum = np.fft.rfft(windows, 2 * length, axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    return np.asarray(np.fft.irfft(power, axis=1)[:, :length])


def registers(parts: list[NDArray[np.float64]]) -> tuple[float, float]:
    """How far apart the two likeliest groups of `parts` are in pitch, and how much is the smaller.

    `parts` are tracks of stretches of speech, each by one person as one hopes. Returns semitones
    between the medians of the groups, and the smaller group's share of the voiced time. (0, 0) if
    there is nothing to compare.
    """
    known = [part[np.isfinite(part)] for part in parts]
    known = [part for part in known if len(part) >= 0.3 / STEP_S]
    if len(known) < 2:
        return 0.0, 0.0
    order = sorted(known, key=lambda part: float(np.median(part)))
    medians = np.array([np.median(part) for part in order])
    lengths = np.array([len(part) for part in order])
    cut = int(np.argmax(np.diff(medians))) + 1  # where the step between neighbours is largest
    low, high = lengths[:cut].sum(), lengths[cut:].sum()
    apart = np.median(np.concatenate(order[cut:])) - np.median(np.concatenate(order[:cut]))
    return float(apart), float(min(low, high) / (low + high))
