"""What an interrupted answer had still to say, for when somebody says "go on"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: It is kept for so long after the interruption.
KEEP_S = 180.0

#: And so much of it: some four minutes of speech.
MAX_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Unheard:
    """The clauses, from the one that was cut off on."""

    text: str
    language: str


class Rest:
    """One doll's. Times are seconds on any clock that does not go back."""

    def __init__(self) -> None:
        self._kept: Unheard | None = None
        self._until = 0.0

    def keep(self, clauses: Sequence[str], language: str, now: float) -> None:
        """An answer was cut off before or in the first of `clauses`; with none, all is as it was.

        Of too many the last ones are dropped.
        """
        text = ""
        for clause in clauses:
            if len(text) + len(clause) >= MAX_CHARS:
                break
            text = f"{text} {clause}" if text else clause
        if text:
            self._kept, self._until = Unheard(text, language), now + KEEP_S

    def take(self, now: float) -> Unheard | None:
        """What there is to go on with; it is given out once."""
        kept = self._kept if now < self._until else None
        self._kept = None
        return kept

    def forget(self) -> None:
        """Something else is talked about."""
        self._kept = None
