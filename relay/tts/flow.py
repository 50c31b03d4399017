"""A clause on its way from a voice that streams: no dead air, even loudness, no clicks.

What is to come is not known yet, so the loudness is that of the clauses before it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from relay.audio import Pcm
from relay.tts.polish import (
    FADE_IN_S,
    FADE_OUT_S,
    LEAD_S,
    MOST_GAIN,
    PEAK,
    QUIET_DB,
    TAIL_S,
    TARGET_DBFS,
    VOICED_DB,
    WINDOW_S,
    fade,
    ratio,
)

#: What is quieter than this, in dB of full scale, is silence before anything louder was heard.
FLOOR_DB: Final = -55.0

#: No voice is made quieter than by this factor.
LEAST_GAIN: Final = 0.1


class Level:
    """How loud one voice is, learned from its clauses; they are all made equally loud."""

    def __init__(self) -> None:
        self._gain: float | None = None

    @property
    def gain(self) -> float:
        """The factor for the next clause."""
        return 1.0 if self._gain is None else self._gain

    def learn(self, loudness: float, peak: float) -> None:
        """A clause had this RMS where it was voiced, and this peak, both of full scale 1."""
        wanted = min(ratio(TARGET_DBFS) / loudness, PEAK / peak, MOST_GAIN)
        wanted = max(wanted, LEAST_GAIN)
        # A whisper in between does not change the voice at once.
        self._gain = wanted if self._gain is None else (self._gain + wanted) / 2


class ClauseFlow:
    """One clause; sans-I/O. Samples in, samples out some 20 ms later."""

    def __init__(self, rate_hz: int, gain: float = 1.0) -> None:
        self._rate_hz = rate_hz
        self._gain = gain
        self._window = round(WINDOW_S * rate_hz)
        self._rest = np.zeros(0, np.int16)  # less than a window
        self._held = np.zeros(0, np.int16)  # not given out yet
        self._loud_end = 0  # where in `_held` the last loud window ends
        self._begun = False
        self._loudness: list[float] = []  # of every window; a minute has 6000
        self._loudest = 0.0
        self._peak = 0

    @property
    def sounded(self) -> bool:
        """Whether there was any sound yet."""
        return self._begun

    def teach(self, level: Level) -> None:
        """Let `level` learn from what was pushed."""
        loudness = np.array(self._loudness)
        voiced = loudness[loudness > loudness.max(initial=0.0) * ratio(VOICED_DB)]
        if len(voiced) and self._peak:
            level.learn(float(np.sqrt(np.square(voiced).mean())), self._peak / 32768)

    def push(self, pcm: Pcm) -> Pcm:
        """What can be played now that `pcm` has come; may be empty."""
        pcm = np.concatenate((self._rest, pcm))
        whole = len(pcm) // self._window * self._window
        self._rest = pcm[whole:]
        return self._take(pcm[:whole], self._window)

    def finish(self, pause_s: float) -> Pcm:
        """The end of the clause, and `pause_s` of silence behind it; empty if it never sounded."""
        before = self._take(self._rest, max(1, len(self._rest)))
        if not self._begun:
            return before
        end = self._held[: self._loud_end + round(TAIL_S * self._rate_hz)].astype(np.float64)
        fade(end[::-1][: round(FADE_OUT_S * self._rate_hz)])
        pause = np.zeros(round(pause_s * self._rate_hz), np.int16)
        return np.concatenate((before, end.astype(np.int16), pause))

    def _take(self, pcm: Pcm, window: int) -> Pcm:
        """Judge the windows of `pcm`, and give out what is certain to belong to the clause."""
        loud = self._judge(pcm.reshape(-1, window))
        self._peak = max(self._peak, int(np.abs(pcm.astype(np.int32)).max(initial=0)))
        if loud.any():
            self._loud_end = len(self._held) + (int(np.flatnonzero(loud)[-1]) + 1) * window
        self._held = np.concatenate((self._held, self._leveled(pcm)))
        if not self._begun and loud.any():
            self._begun = True
            first = len(self._held) - len(pcm) + int(np.argmax(loud)) * window
            start = max(0, first - round(LEAD_S * self._rate_hz))
            self._held = self._faded_in(self._held[start:])
            self._loud_end -= start
        if not self._begun:
            self._held = self._held[-round(LEAD_S * self._rate_hz) :]
            return np.zeros(0, np.int16)
        # The end stays here: if nothing follows, it fades. So does silence, until the voice goes
        # on; to the ear, silence that comes late is silence.
        ready = max(0, self._loud_end - round(FADE_OUT_S * self._rate_hz))
        out, self._held = self._held[:ready], self._held[ready:]
        self._loud_end -= ready
        return out

    def _judge(self, windows: NDArray[np.int16]) -> NDArray[np.bool_]:
        """Which windows are louder than silence, seen from the loudest one up to each of them."""
        loudness = np.sqrt(np.square(windows / 32768).mean(axis=1)) if windows.size else np.zeros(0)
        loudest = np.maximum(np.maximum.accumulate(loudness), self._loudest)
        self._loudest = max(self._loudest, loudness.max(initial=0.0))
        self._loudness.extend(loudness.tolist())
        return loudness > np.maximum(ratio(FLOOR_DB), loudest * ratio(QUIET_DB))

    def _leveled(self, pcm: Pcm) -> Pcm:
        if self._gain == 1.0:
            return pcm
        most = PEAK * 32767
        return np.clip(np.round(pcm * self._gain), -most, most).astype(np.int16)

    def _faded_in(self, pcm: Pcm) -> Pcm:
        samples = pcm.astype(np.float64)
        fade(samples[: round(FADE_IN_S * self._rate_hz)])
        return samples.astype(np.int16)
