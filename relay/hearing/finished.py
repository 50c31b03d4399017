"""Whether a transcript reads as if the speaker had finished: by its last words, in microseconds.

Nothing here understands the sentence. Korean marks the end of one by the ending of its verb, and
its particles and connectives (-에서, -고, -는데) promise more; English has words that no sentence
ends with. The lists are in `finished.toml`.
"""

from __future__ import annotations

import functools
import tomllib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from importlib import resources
from typing import Any, Final


class Reading(IntEnum):
    """How a transcript reads; the higher, the surer is its end."""

    UNFINISHED = -1  #: more must come: "나는 오늘 학교에서", "I went to the"
    UNSURE = 0
    LIKELY = 1  #: it could end here, and could go on: "I played in the garden"
    FINISHED = 2


#: Only so much of the end of a transcript is looked at.
_TAIL: Final = 200

_OPEN_PUNCTUATION: Final = (",", "…", "...", "-", "–", "—", ":")
_CLOSED_PUNCTUATION: Final = (".", "!", "?", "。", "！", "？")

#: A consonant of its own, as it is written in the lists, and as the end of a syllable (in NFD).
_FINALS: Final = {"ㄴ": "\u11ab", "ㄹ": "\u11af", "ㅂ": "\u11b8", "ㅆ": "\u11bb", "ㅇ": "\u11bc"}


def read(text: str, language: str) -> Reading:
    """How `text` reads (ISO 639-1 `language`; one without rules is always UNSURE)."""
    rules = _rules().get(language)
    tail = unicodedata.normalize("NFC", text[-_TAIL:]).strip().casefold().replace("’", "'")
    words = _words(tail)
    if rules is None or not words:
        return Reading.UNSURE
    reading = rules(words, tail)
    if reading is Reading.FINISHED and not tail.endswith(_CLOSED_PUNCTUATION):
        # A recogniser that heard half a sentence may make up an ending, but seldom a full stop.
        reading = Reading.LIKELY
    if tail.endswith(_OPEN_PUNCTUATION):
        return min(reading, Reading(max(reading - 1, Reading.UNFINISHED)), Reading.UNSURE)
    return reading


def _words(tail: str) -> list[str]:
    spaced = "".join(c if c.isalnum() or c in "' " else " " for c in tail)
    return [word for word in (word.strip("'") for word in spaced.split()) if word]


@dataclass(frozen=True, slots=True)
class _Korean:
    words: Mapping[str, Reading]
    endings: Mapping[str, Reading]  #: in NFD, so that final consonants can be told
    longest: int

    def __call__(self, words: list[str], tail: str) -> Reading:
        reading = self._last(words)
        if tail.endswith(("?", "？")):
            # "이름은?" is all of a question.
            return {Reading.UNFINISHED: Reading.UNSURE, Reading.UNSURE: Reading.LIKELY}.get(
                reading, reading
            )
        return reading

    def _last(self, words: list[str]) -> Reading:
        word = words[-1]
        if (known := self.words.get(word)) is not None:
            return known
        letters = unicodedata.normalize("NFD", word)
        for length in range(min(self.longest, len(letters)), 0, -1):
            if (found := self.endings.get(letters[-length:])) is not None:
                return found
        return Reading.UNSURE


@dataclass(frozen=True, slots=True)
class _English:
    open: frozenset[str]
    question_starts: frozenset[str]
    question_ends: frozenset[str]
    phrases: frozenset[str]
    verbs: frozenset[str]

    def __call__(self, words: list[str], tail: str) -> Reading:
        if " ".join(words) in self.phrases:
            return Reading.FINISHED
        question, last = words[0] in self.question_starts, words[-1]
        asks = question and tail.endswith("?")
        if last in self.open:
            whole = asks and last in self.question_ends and len(words) > 2
            return Reading.LIKELY if whole else Reading.UNFINISHED
        if asks and len(words) > 2:
            return Reading.FINISHED
        stated = len(words) > 2 and not question and not self.verbs.isdisjoint(words[:-1])
        return Reading.LIKELY if stated and tail.endswith(_CLOSED_PUNCTUATION) else Reading.UNSURE


@functools.cache
def _rules() -> dict[str, Callable[[list[str], str], Reading]]:
    source = resources.files("relay.hearing").joinpath("finished.toml").read_text("utf-8")
    lists = tomllib.loads(source)
    endings = {_letters(ending): value for ending, value in _by_reading(lists["ko"]["endings"])}
    return {
        "ko": _Korean(
            words=dict(_by_reading(lists["ko"]["words"])),
            endings=endings,
            longest=max(map(len, endings)),
        ),
        "en": _English(**{name: frozenset(words) for name, words in lists["en"].items()}),
    }


def _by_reading(table: Mapping[str, Any]) -> list[tuple[str, Reading]]:
    return [(entry, Reading[name.upper()]) for name, entries in table.items() for entry in entries]


def _letters(ending: str) -> str:
    first = _FINALS.get(ending[0])
    return unicodedata.normalize("NFD", ending) if first is None else first + _letters(ending[1:])
