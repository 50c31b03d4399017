"""Whether what came out of a loudspeaker is what went in: every part, in order, and only once.

A page on a busy machine runs dry: it fades out, is silent, and goes on where it was, and for some
time it plays half a per cent slower or faster to catch up. None of that loses a sample, so what was
sent is looked for piece by piece in what was heard, and nothing else may be heard in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from relay.audio import RATE_HZ, Pcm

#: Samples that are looked for together: half a frame, and silence is only put between frames.
PIECE = 256

#: A piece is found where it is so much louder than what differs, in decibels. Another
#: syllable is some 0 dB; a speed that changes by half a per cent within it leaves 20.
ALIKE_DB = 15.0

#: Where the speed does not change it is some 50; half of the pieces must be as clear as this.
CLEAR_DB = 30.0

#: What is below this part of the loudest sample is silence.
QUIET = 0.02

#: Compared is what is below; the page's resampler cuts off what is above 7.3 kHz.
_PASS_HZ, _STOP_HZ = 3_000, 4_000

_FINER = 16  #: places between two samples where a piece may begin
_SPEEDS = (0.995, 1.0, 1.005)
_DRIFT = 4  #: samples that a piece may be early or late in a stream that goes on
_PROBE = 2 * PIECE  #: after a silence so much is looked for at once
_DECAY = 0.97  #: sample by sample, where it ran dry
_EDGE = 24  #: samples at both ends of a silence where filters ring


@dataclass(frozen=True)
class Piece:
    """A part of what was sent, from `at` on, and where it was heard; both in samples."""

    at: int
    begin: float
    end: float
    likeness_db: float


class NotHeardError(AssertionError):
    """A part of what was sent is missing, or something else was heard."""


def follow(heard: Pcm, sent: Pcm) -> list[Piece]:
    """Where each loud piece of `sent` is in `heard`, in order. Both at 16 kHz.

    Raises NotHeardError for a piece that is not where it should be nor later, for sound between the
    pieces, before and after them (what is heard twice is such a sound), and if most are unclear.
    """
    ear = _Ear(heard)
    wanted = _low(sent.astype(float))
    floor = QUIET * np.abs(wanted).max()
    pieces: list[Piece] = []
    place = 0.0
    for at in range(0, len(wanted), PIECE):
        part = wanted[at : at + PIECE]
        if np.abs(part).max() >= floor:
            found = ear.near(place, part) if pieces else None
            if found is None:
                probe = wanted[at : at + _PROBE]
                found = ear.near(ear.later(place, probe), part)
            if found is None:
                raise NotHeardError(f"what was sent from {at / RATE_HZ:.3f} s on was not heard")
            pieces.append(Piece(at, *found))
            place = found[1]
        else:
            place += len(part)
    if not pieces:
        raise NotHeardError("nothing was sent but silence")
    ear.nothing_but(pieces, floor)
    if np.median([piece.likeness_db for piece in pieces]) < CLEAR_DB:
        raise NotHeardError("all of it was heard, but distorted")
    return pieces


def silences(pieces: list[Piece]) -> list[float]:
    """How long it was silent where it should not have been, in seconds, in order."""
    gaps = [b.begin - a.end - (b.at - a.at - PIECE) for a, b in pairwise(pieces)]
    return [gap / RATE_HZ for gap in gaps if gap > 2 * _DRIFT]


class _Ear:
    def __init__(self, heard: Pcm) -> None:
        room = np.zeros(2 * _PROBE)
        self._start = len(room)
        self._heard = _low(np.concatenate([room, heard.astype(float), room]))
        spectrum = np.fft.rfft(self._heard)
        self._fine = np.fft.irfft(spectrum, len(self._heard) * _FINER) * _FINER

    def near(self, place: float, part: np.ndarray) -> tuple[float, float, float] | None:
        """Begin, end and likeness of a part that is heard about there."""
        shifts = np.arange(-_DRIFT * _FINER, _DRIFT * _FINER + 1)
        first = round((place + self._start) * _FINER) + shifts
        best: tuple[float, float, float] | None = None
        for speed in _SPEEDS:
            steps = np.rint(np.arange(len(part)) / speed * _FINER).astype(int)
            indices = first[:, None] + steps
            if indices[0, 0] < 0 or indices[-1, -1] >= len(self._fine):
                continue
            rest = ((self._fine[indices] - part) ** 2).sum(axis=1)
            least = int(rest.argmin())
            likeness = 10 * np.log10((part @ part) / (rest[least] + 1e-9))
            if likeness >= (best[2] if best else ALIKE_DB):
                begin = first[least] / _FINER - self._start
                best = begin, begin + len(part) / speed, likeness
        return best

    def later(self, place: float, probe: np.ndarray) -> float:
        """Where a probe fits best, from a place on."""
        first = max(0, int(place + self._start) - _DRIFT)
        heard = self._heard[first:]
        energy = np.concatenate([[0.0], np.cumsum(heard**2)])
        count = len(heard) - len(probe) + 1
        if count < 1:
            return place
        size = 1 << len(heard).bit_length()
        best, where = np.inf, place
        for speed in _SPEEDS:
            times = np.arange(len(probe)) * speed
            spectrum = np.fft.rfft(np.interp(times, np.arange(len(probe)), probe), size)
            alike = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(spectrum), size)[:count]
            rest = energy[len(probe) :] - energy[:count] - 2 * alike
            least = int(rest.argmin())
            if rest[least] < best:
                best, where = rest[least], first + least - self._start
        return where

    def nothing_but(self, pieces: list[Piece], floor: float) -> None:
        """Raises NotHeardError if there is any sound but these pieces, and each fading out."""
        ends = [-float(self._start), *(piece.end for piece in pieces)]
        begins = [*(piece.begin for piece in pieces), float(len(self._heard) - self._start)]
        for end, begin in zip(ends, begins, strict=True):
            first, last = round(end) + self._start, round(begin) + self._start
            rest = np.abs(self._heard[first + _EDGE : max(0, last - _EDGE)])
            loudest = np.abs(self._heard[max(0, first - PIECE) : first]).max(initial=0.0)
            fading = loudest * _DECAY ** np.arange(len(rest))
            if (rest > fading + floor).any():
                raise NotHeardError(f"something else was heard from {end / RATE_HZ:.3f} s on")


def _low(samples: np.ndarray) -> np.ndarray:
    """What is below some 3.5 kHz, without delay."""
    size = len(samples) + PIECE  # or the end would ring on into the beginning
    spectrum = np.fft.rfft(samples, size)
    hertz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    slope = np.clip((_STOP_HZ - hertz) / (_STOP_HZ - _PASS_HZ), 0, 1)
    return np.fft.irfft(spectrum * (0.5 - 0.5 * np.cos(np.pi * slope)), size)[: len(samples)]
