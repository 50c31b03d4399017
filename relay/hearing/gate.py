"""An energy gate: tells frames that are as quiet as the room, so that silence costs almost nothing.

It knows nothing of voice. It learns how loud the room is from the frames that are not voice, and
the detector of voice needs to look only at what is louder than that.
"""

from __future__ import annotations

import math

import numpy as np

from relay.audio import FRAME_SAMPLES, Pcm

#: Louder than the room by this many decibels is worth a look. The level of steady noise moves by
#: 0.3 dB from frame to frame; voice that stays below 3 dB is weaker than the noise it hides in.
MARGIN_DB = 3.0

#: No room is taken to be quieter than this, in dB of full scale: two steps of a 16-bit sample.
MIN_FLOOR_DB = -84.0

#: The floor moves by these parts of the difference in each frame: up within four seconds when a fan
#: starts, down within half a second when it stops, as to take a room for too quiet costs only work.
_RISE, _FALL = 1 / 32, 1 / 8

#: A frame that is likelier voice than this teaches nothing about the room.
_VOICE = 0.15

_ONES = np.ones(FRAME_SAMPLES, np.float32)
_FULL_SCALE_DB = 20 * math.log10(32768)


class EnergyGate:
    """One doll's room."""

    __slots__ = ("_floor_db", "_learned", "_level_db")

    def __init__(self) -> None:
        self._floor_db = MIN_FLOOR_DB
        self._level_db = MIN_FLOOR_DB
        self._learned = 0  # frames

    @property
    def floor_db(self) -> float:
        """The level of the room, in dB of full scale."""
        return self._floor_db

    @property
    def silent(self) -> bool:
        """Whether the frame that was measured last held nothing at all, as when a microphone or a
        noise suppressor is shut."""
        return self._level_db <= MIN_FLOOR_DB

    def is_loud(self, frame: Pcm) -> bool:
        """Whether `frame` (FRAME_SAMPLES samples) is louder than the room."""
        self._level_db = max(level_db(frame), MIN_FLOOR_DB)
        return self._level_db > self._floor_db + MARGIN_DB

    def learn(self, probability: float) -> None:
        """What became of the frame that was measured last: how likely it was voice, 0 to 1."""
        if probability < _VOICE:
            self._learned += 1
            above = self._level_db - self._floor_db
            # A room met for the first time is known by the mean of the frames so far.
            rise = max(_RISE, 1 / self._learned)
            self._floor_db += above * (rise if above > 0 else _FALL)


def level_db(frame: Pcm) -> float:
    """The power of `frame` without its mean, in dB of full scale: 0 at most, -120 at least.

    Without the mean because cheap microphones have an offset that would pass for noise.
    """
    samples = frame.astype(np.float32)
    # Dot products, because they take a fifth of the time of mean() and var().
    mean = float(samples.dot(_ONES)) / FRAME_SAMPLES
    power = float(samples.dot(samples)) / FRAME_SAMPLES - mean * mean
    return max(10 * math.log10(max(power, 1e-12)) - _FULL_SCALE_DB, -120.0)
