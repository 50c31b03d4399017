"""The clauses of one answer, and how far the listener has come with them. Sans-I/O.

Places and lengths are in frames of the reply, counted from its first one.
"""

from __future__ import annotations

from dataclasses import dataclass

from relay.turn.sentences import Clause

#: Frames of a clause that may be missing from its end before it counts as cut off: the samples at
#: a seam of two clauses share one.
_SEAM = 1

_CUT = "…"


@dataclass(slots=True, eq=False)
class Line:
    """A clause on its way: composed, then made by the voice, then sent."""

    clause: Clause
    remembered: bool = True  #: it is part of the conversation
    start: int | None = None  #: the place of its first frame; None while nothing of it was sent
    frames: int = 0  #: that the voice has made of it so far
    whole: bool = False  #: the voice has made all of it


class Script:
    """All lines of a reply, in their order."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._known_chars = self._known_frames = 0  # of lines that the voice has made

    def add(self, line: Line) -> None:
        """A line was composed."""
        self._lines.append(line)

    def made(self, line: Line) -> None:
        """The voice has made all of a line."""
        line.whole = True
        self._known_chars += len(line.clause.text)
        self._known_frames += line.frames

    def forget(self) -> None:
        """What was composed up to now is no part of the conversation."""
        self._lines.clear()

    def said(self) -> str:
        """All that was sent, and will be heard if nobody interrupts it."""
        return " ".join(line.clause.text for line in self._told())

    def heard(self, played: float) -> str:
        """What was heard when `played` frames had been played.

        Of a clause that was cut off, the words that were over by then: as much of its text as the
        part of its time that was played.
        """
        return " ".join(text for line in self._told() if (text := self._part(line, played)))

    def unheard(self, played: float) -> tuple[str, ...]:
        """The clauses from the one on that was being played then, those not yet spoken included."""
        return tuple(
            line.clause.text
            for line in self._lines
            if line.remembered and self._share(line, played) < 1
        )

    def _told(self) -> list[Line]:
        return [line for line in self._lines if line.remembered and line.start is not None]

    def _part(self, line: Line, played: float) -> str:
        share, text = self._share(line, played), line.clause.text
        if share >= 1:
            return text
        words = text[: int(share * len(text)) + 1].rpartition(" ")[0]
        return words + _CUT if words else ""

    def _share(self, line: Line, played: float) -> float:
        """How much of a line has been played, 0 to 1; 1 only if it was all of it."""
        if line.start is None or played <= line.start:
            return 0.0
        length = self._length(line)
        done = played - line.start
        if line.whole and done >= length - _SEAM:
            return 1.0
        return min(done / max(length, 1.0), 0.99)

    def _length(self, line: Line) -> float:
        """How long a line is, or is likely to be while the voice is still at it."""
        if line.whole or not self._known_chars:
            return line.frames
        return max(line.frames, len(line.clause.text) * self._known_frames / self._known_chars)
