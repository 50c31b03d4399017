"""How much of what was said was understood: error rates of characters (Korean) and words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from relay.tts.korean.normalise import normalise


@dataclass(slots=True)
class Errors:
    """Adds up over sentences. The rate is wrong signs over all signs of what was said."""

    language: str
    wrong: int = 0
    signs: int = 0

    def add(self, said: str, heard: str) -> None:
        """Korean by characters without spaces and marks, other languages by words."""
        split = characters if self.language == "ko" else words
        truth = split(said)
        self.wrong += distance(split(heard), truth)
        self.signs += len(truth)

    @property
    def rate(self) -> float:
        return self.wrong / max(1, self.signs)


def characters(text: str) -> list[str]:
    """The syllables; a number written in digits counts as the words it is read as."""
    return [sign for sign in normalise(text) if sign.isalnum()]


def words(text: str) -> list[str]:
    """The words in small letters; `let's` and `let us` are the same."""
    plain = text.lower().replace("’", "'").replace("let's", "let us")
    return re.findall(r"[a-z0-9']+", plain)


def distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Levenshtein's: signs to change, put in or take out."""
    row = list(range(len(other) + 1))
    for number, sign in enumerate(one, start=1):
        above, row = row, [number]
        for place, against in enumerate(other):
            row.append(min(row[-1] + 1, above[place + 1] + 1, above[place] + (sign != against)))
    return row[-1]
