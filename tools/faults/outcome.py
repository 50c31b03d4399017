"""What came of a fault."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

#: The most, on the doll's own clock, from the end of the fault until it talks again.
BACK_S = 3.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One fault, once.

    `back_s` is from the end of the fault to the doll that goes on with its answer or is ready for a
    question, on its own clock; 0 where it never stopped.
    """

    back_s: float
    kept: bool  #: nothing was lost that need not be, and nothing was heard twice
    talks: bool  #: the question after that is answered whole
    lost: str = "nothing"
    underruns: int = 0
    others: bool = True  #: a second doll was answered whole all the while
    seen: str = ""  #: figures that belong to this fault alone

    def missed(self) -> list[str]:
        """The goals that this missed; none if all is well."""
        goals = {
            f"back after {self.back_s:.1f} s": self.back_s <= BACK_S,
            f"lost: {self.lost}": self.kept,
            "the next question is not answered whole": self.talks,
            "another doll was silenced": self.others,
        }
        return [text for text, met in goals.items() if not met]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that breaks, and a run of it."""

    name: str
    does: str  #: what the doll does, in a few words for the table
    run: Callable[[], Awaitable[Outcome]]
    quick: bool = False  #: short enough for every run of the tests


class SkippedError(Exception):
    """This machine cannot do that to a relay; the text says what is missing."""
