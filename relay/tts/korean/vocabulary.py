"""The data of words.toml: counters, units, letters and words that are not Hangul."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Counters:
    """Which counters take which numbers; see words.toml."""

    native: tuple[str, ...]
    sino: tuple[str, ...]
    numbered: tuple[str, ...]
    native_hours: int
    native_duration: int
    native_times: int


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """words.toml, typed."""

    counters: Counters
    dialled: tuple[str, ...]
    units: Mapping[str, str]
    letters: Mapping[str, str]
    jamo: Mapping[str, str]
    feelings: Mapping[str, str]
    operators: Mapping[str, str]
    signs: Mapping[str, str]
    phrases: Mapping[str, str]
    english: Mapping[str, str]


@functools.cache
def vocabulary() -> Vocabulary:
    """The vocabulary that is shipped."""
    data = tomllib.loads(files("relay.tts.korean").joinpath("words.toml").read_text("utf-8"))
    counters, dialled = data.pop("counters"), data.pop("dialled")
    for kind in ("native", "sino", "numbered"):
        counters[kind] = tuple(counters[kind])
    return Vocabulary(Counters(**counters), dialled=tuple(dialled["numbers"]), **data)


def any_of(words: Iterable[str]) -> str:
    """A pattern for any of `words`, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
