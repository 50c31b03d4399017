"""Finds a wish in what was said: short, by likeness to known phrases, and never in doubt.

What is not certain goes to the brain, which understands it anyway; an ordinary sentence that is
taken for a wish is an answer that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from relay.intents.phrases import NUMBER, OTHER, Phrases, Wishes, languages, wishes
from relay.llm.local import numbers_en, numbers_ko
from relay.llm.local.content import content
from relay.llm.local.matching import Matcher, urgent
from relay.llm.local.text import normalise, without_fillers

#: A longer sentence has something to say.
MAX_CHARS: Final = 60

#: By so much a wish has to be likelier than everything that is none.
MARGIN: Final = 0.1


@dataclass(frozen=True, slots=True)
class Wish:
    """Something that needs no brain."""

    name: str  #: a [wish.…] of the phrases
    step: int = 0  #: by which the volume changes
    level: int | None = None  #: to which it is set, 0 to 100


class Finder:
    """The wishes of one language, indexed. Holds no state; a fraction of a millisecond each."""

    def __init__(self, known: Wishes) -> None:
        self._known = known
        self._matcher: Matcher[Phrases] = Matcher(known)
        self._brain = content(known.language)  # for danger

    def find(self, said: str) -> Wish | None:
        """The wish that `said` is, or None where it is anything else."""
        if len(said) > MAX_CHARS or urgent(self._brain, said):
            return None
        text, level = self._numbered(without_fillers(normalise(said), self._known.fillers))
        has_number = NUMBER in text.split()
        text = self._known.compared(text)
        scores = self._matcher.scores(text)
        other = scores.pop(OTHER, 0.0)
        best = max(scores, key=scores.__getitem__, default="")
        if not best or scores[best] < max(self._known.threshold, other + MARGIN):
            return None
        if self._matcher.known_part(best, text) < self._known.known_part:
            return None
        if has_number != (best == "volume"):
            return None  # "what time is it in 20 minutes?"
        phrases = self._known.intents[best]
        words = text if self._known.language == "ko" else text.split()
        if phrases.needs and not any(word in words for word in phrases.needs):
            return None
        return Wish(best, phrases.step, phrases.level if level is None else level)

    def _numbered(self, text: str) -> tuple[str, int | None]:
        """`text` with its only number, if it may be a volume, as NUMBER; and the number."""
        words = text.split()
        found = list(self._numbers(words))
        if len(found) != 1:
            return text, None
        at, taken, value = found[0]
        return " ".join([*words[:at], NUMBER, *words[at + taken :]]), value

    def _numbers(self, words: list[str]) -> Iterator[tuple[int, int, int]]:
        """Place, length and value of each number of words from 0 to 100."""
        at = 0
        while at < len(words):
            taken = 1
            value: int | None = None
            if self._known.language == "ko":
                value = self._korean(words[at])
            elif (read := numbers_en.read(words[at:])) is not None:
                value, taken = read
            elif words[at].isdecimal() and words[at].isascii() and len(words[at]) <= 3:
                value = int(words[at])
            if value is not None and 0 <= value <= 100:
                yield at, taken, value
            at += taken

    def _korean(self, word: str) -> int | None:
        read = numbers_ko.read(word)
        if read is None or (len(word) == 1 and not word.isdecimal()):
            return None  # 이 and 일 are words as well
        value, length = read
        rest = word[length:]
        return value if not rest or rest in self._known.number_suffixes else None


def find(said: str, language: str) -> Wish | None:
    """The wish that `said` is in this language, or None."""
    return _finder(language).find(said) if language in languages() else None


def prepare() -> None:
    """Index all phrases: a third of a second of work, better done before somebody waits for it."""
    for language in languages():
        _finder(language)


@cache
def _finder(language: str) -> Finder:
    return Finder(wishes(language))
