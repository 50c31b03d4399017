"""How long a silence ends speech: learned from what is said, and from how this speaker pauses.

    reading of the transcript so far     silence that ends it (with the shipped settings)
    finished     "우리 뭐 하고 놀까"       min_ms                      320 ms
    likely       "I like your hat"       nearer to the next          507 ms
    not known yet                        silence_ms                  600 ms
    unsure       "고양이", "a red hat"     1.25 times silence_ms       750 ms
    unfinished   "나는 오늘 학교에서"       1.6 times silence_ms        960 ms

Who pauses longer than that in the middle of a sentence is given more time, and loses it again by
and by. All of it is audio time: a transcript that comes late only leaves the silence as it was.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, Protocol

from relay.hearing.finished import Reading

#: What reads as unfinished may pause for so many times the base, and what tells nothing, which is
#: often half a sentence that the recogniser did not understand.
UNFINISHED_TIMES: Final = 1.6
UNSURE_TIMES: Final = 1.25

#: How far from the shortest silence to the usual one that is which ends what is likely whole.
_LIKELY_PART: Final = 2 / 3

#: A speaker is given so much more than the pauses that were seen.
MARGIN: Final = 1.25

#: How far what is known of a speaker moves towards a pause that is longer, and that is shorter.
_LONGER, _SHORTER = 0.5, 0.05

#: What is left of it after an utterance without a pause in it: half after seven.
_DECAY: Final = 0.9

#: Speech that begins so soon after an endpoint goes on with what was cut off there.
CUT_OFF_MS: Final = 1200.0


class Bounds(Protocol):
    """What of the settings matters here (`EndpointSettings`)."""

    @property
    def silence_ms(self) -> int: ...
    @property
    def min_ms(self) -> int: ...
    @property
    def max_ms(self) -> int: ...
    @property
    def learned(self) -> bool: ...


@dataclass(slots=True)
class Pauses:
    """What is known of one doll's speaker: the pauses within sentences, in milliseconds.

    Apart for what read as if it could end and for what did not, because the two hangovers differ.
    """

    closed_ms: float = 0.0
    open_ms: float = 0.0


class KnownPauses:
    """The pauses of many dolls' speakers; forgets the doll that was away for longest."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._dolls: OrderedDict[str, Pauses] = OrderedDict()

    def of(self, device_id: str) -> Pauses:
        """The pauses of this doll's speaker, to be learned from here on."""
        pauses = self._dolls.setdefault(device_id, Pauses())
        self._dolls.move_to_end(device_id)
        if len(self._dolls) > self._most:
            self._dolls.popitem(last=False)
        return pauses


class Hangover:
    """One doll's. Sans I/O: told what becomes of each pause, it says how long the next may be."""

    __slots__ = ("_bounds", "_complete", "_paused", "_reading", "pauses")

    def __init__(self, bounds: Bounds, pauses: Pauses | None = None) -> None:
        self._bounds = bounds
        self.pauses = Pauses() if pauses is None else pauses
        self._paused = False
        self._reading: Reading | None = None
        self._complete = False

    @property
    def ms(self) -> float:
        """The silence that ends the speech, as far as is known now."""
        bounds = self._bounds
        if not bounds.learned:
            return bounds.silence_ms
        base, reading = bounds.silence_ms, self.reading
        shortest, longest = min(bounds.min_ms, base), max(bounds.max_ms, base)
        wanted: float = base
        if reading is Reading.FINISHED:
            wanted = shortest
        elif reading is Reading.LIKELY:
            wanted = shortest + (base - shortest) * _LIKELY_PART
        elif reading is Reading.UNFINISHED:
            wanted = UNFINISHED_TIMES * base
        elif self._reading is not None:
            wanted = UNSURE_TIMES * base
        seen = self.pauses.closed_ms if reading >= Reading.LIKELY else self.pauses.open_ms
        return min(max(wanted, MARGIN * seen, shortest), longest)

    @property
    def reading(self) -> Reading:
        """How the speech reads up to this pause.

        How it sounds makes a reading surer by one step. It never speaks alone, nor against the
        words: half of all sentences cut in the middle sound complete to the model (measured).
        """
        if self._reading is None:
            return Reading.UNSURE
        if self._complete and Reading.UNSURE <= self._reading < Reading.FINISHED:
            return Reading(self._reading + 1)
        return self._reading

    def started(self, after_ms: float) -> None:
        """Speech begins `after_ms` of silence; soon enough, it goes on with what was cut off."""
        if after_ms <= CUT_OFF_MS:
            self._learn(after_ms, at_once=True)
        self._forget()

    def pause(self) -> None:
        """A pause has become long enough to be the end."""
        self._forget()
        self._paused = True

    def read(self, reading: Reading) -> None:
        """How the transcript up to this pause reads. Too late, it is ignored."""
        if self._paused:
            self._reading = reading

    def sounds_complete(self) -> None:
        """The melody of the speech up to this pause falls as at an end."""
        self._complete = self._paused

    def resumed(self, pause_ms: float) -> None:
        """It was no end: the speaker went on after `pause_ms`."""
        self._learn(pause_ms)
        self._forget()

    def ended(self) -> None:
        """It was the end."""
        self.pauses.closed_ms *= _DECAY
        self.pauses.open_ms *= _DECAY
        self._paused = False

    def _forget(self) -> None:
        self._paused = self._complete = False
        self._reading = None

    def _learn(self, pause_ms: float, *, at_once: bool = False) -> None:
        closed = self.reading >= Reading.LIKELY
        known = self.pauses.closed_ms if closed else self.pauses.open_ms
        step = 1.0 if at_once else _LONGER
        known += (pause_ms - known) * (step if pause_ms > known else _SHORTER)
        known = min(known, float(self._bounds.max_ms))
        if closed:
            self.pauses.closed_ms = known
        else:
            self.pauses.open_ms = known
