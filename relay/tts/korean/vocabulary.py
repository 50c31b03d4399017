"""words.toml and english.toml: counters, units, letters and words that are not Hangul."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files

_HOME = files("relay.tts.korean")


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
    """Both files, typed."""

    counters: Counters
    dialled: tuple[str, ...]
    codes: Mapping[str, str]  #: by small letters
    ranged: Mapping[str, tuple[str, ...]]
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
    data = {
        section: content
        for name in ("words.toml", "english.toml")
        for section, content in tomllib.loads(_HOME.joinpath(name).read_text("utf-8")).items()
    }
    counters, dialled = data.pop("counters"), data.pop("dialled")
    for kind in ("native", "sino", "numbered"):
        counters[kind] = tuple(counters[kind])
    ranged = {kind: tuple(behind) for kind, behind in data.pop("ranged").items()}
    return Vocabulary(
        Counters(**counters), dialled=tuple(dialled["numbers"]), ranged=ranged, **data
    )


def any_of(words: Iterable[str]) -> str:
    """A pattern for any of `words`, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
