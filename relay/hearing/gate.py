"""An energy gate: tells frames that are as quiet as the room, so that silence costs almost nothing.

It knows nothing of voice. It learns how loud the room is from the frames that are not voice, and
the detector of voice needs to look only at what is louder than that.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from relay.audio import FRAME_SAMPLES, Pcm

#: Louder than the room by this many decibels is worth a look. The level of steady noise moves by
#: 0.3 dB from frame to frame; voice that stays below 3 dB is weaker than the noise it hides in.
MARGIN_DB = 3.0

#: Somebody who speaks to the doll is louder by so much than what went on before. From a television
#: that talks in the next room, that is all that tells them apart.
NEAR_DB = 5.0

#: What went on before: so many frames (two seconds) in which nobody spoke to the doll. If fewer
#: than this part of them, or this many, were like a voice, there is no television.
_BEFORE_FRAMES, _TALKS, _FEW = 64, 0.25, 8

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

    __slots__ = ("_before_db", "_floor_db", "_learned", "_level_db", "_voices")

    def __init__(self) -> None:
        self._floor_db = MIN_FLOOR_DB
        self._level_db = MIN_FLOOR_DB
        self._learned = 0  # frames
        self._before_db: deque[float] = deque(maxlen=_BEFORE_FRAMES)
        self._voices = 0  # a bit for each of those frames: whether it was like a voice

    @property
    def floor_db(self) -> float:
        """The level of the room, in dB of full scale."""
        return self._floor_db

    @property
    def settled(self) -> bool:
        """Whether the room is known: two seconds of it were heard."""
        return self._learned >= _BEFORE_FRAMES

    @property
    def silent(self) -> bool:
        """Whether the frame that was measured last held nothing at all, as when a microphone or a
        noise suppressor is shut."""
        return self._level_db <= MIN_FLOOR_DB

    def is_loud(self, frame: Pcm) -> bool:
        """Whether `frame` (FRAME_SAMPLES samples) is louder than the room."""
        self._level_db = max(level_db(frame), MIN_FLOOR_DB)
        return self._level_db > self._floor_db + MARGIN_DB

    @property
    def near(self) -> bool:
        """Whether the frame that was measured last stands out from voices that went on before."""
        before = sorted(self._before_db)
        if self._voices.bit_count() < max(_TALKS * len(before), _FEW):
            return True
        return self._level_db > before[len(before) // 2] + NEAR_DB

    def pass_by(self, probability: float) -> None:
        """Nobody spoke to the doll in the frame that was measured last."""
        self._before_db.append(self._level_db)
        voice = probability >= _VOICE
        self._voices = (self._voices << 1 | voice) & ((1 << _BEFORE_FRAMES) - 1)

    def take_back(self, frames: int) -> None:
        """Somebody did, in the last `frames` that passed by."""
        for _ in range(min(frames, len(self._before_db))):
            self._before_db.pop()
        self._voices >>= frames

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
