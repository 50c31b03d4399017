"""Whether a doll was called by its name, and what was said besides. Sans-I/O.

Recognisers spell a name as they like (자자야, cha-cha, 차 차야), so names are compared by their
sound. What sounds like one and is a word of its own counts only behind a hail or with a vocative;
`calling.toml` has these words.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from relay.turn.sounds import distance, sound

#: How much of a name may be misheard: of each phone, where somebody clearly calls, and elsewhere.
_CALLED: Final = 0.16
_BARE: Final = 0.11

_MAX_CHARS: Final = 400
_MAX_WORDS: Final = 4  #: into which a recogniser tears a name
_WORD: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Call:
    """A doll was called."""

    rest: str  #: what else was said; empty if it was nothing but the name


@dataclass(frozen=True, slots=True)
class _Word:
    text: str  # in lower case
    start: int
    end: int


class Calling:
    """The names of one doll, in all its spellings."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(dict.fromkeys(name.casefold() for name in map(_joined, names) if name))
        self._sounds = tuple(dict.fromkeys(sound(name) for name in self._names))
        self._longest = max(map(len, self._sounds), default=0) + 2

    def find(self, said: str) -> Call | None:
        """The call in what was said; None if there is none."""
        words = [_Word(m[0].casefold(), *m.span()) for m in _WORD.finditer(said[:_MAX_CHARS])]
        for first in range(len(words)):
            for last in range(first, min(first + _MAX_WORDS, len(words))):
                together = "".join(word.text for word in words[first : last + 1])
                if len(sound(together)) > self._longest + 4:
                    break
                if self._is_call(together, words, first, last, said):
                    return Call(_without(said, words, first, last))
        return None

    def _is_call(self, heard: str, words: list[_Word], first: int, last: int, said: str) -> bool:
        lists = _lists("ko" if _is_korean(heard) else "en")
        before = words[first - 1].text if first else ""
        behind = words[last + 1].text if last + 1 < len(words) else ""
        if before in lists["not_after"] or any(behind.startswith(x) for x in lists["not_before"]):
            return False
        calls = not before or before in lists["cues"]
        pauses = _pauses(said, words[last].end)
        for bare, ending in _endings(heard, lists):
            exact = bare in self._names
            vocative = ending in lists["vocatives"]
            if ending and not vocative and not exact:
                continue
            if exact:
                return True
            if bare in lists["words"] and not (vocative or before in lists["hails"]):
                continue
            cost = self._cost(bare)
            if cost <= (_CALLED if vocative or (calls and (pauses or before)) else _BARE):
                return True
        return False

    def _cost(self, heard: str) -> float:
        """How far it is from the nearest name, for each phone of that."""
        phones = sound(heard)
        if not phones:
            return 1.0
        return min((distance(phones, name) / len(name) for name in self._sounds if name), default=1)


def _endings(heard: str, lists: dict[str, frozenset[str]]) -> Iterator[tuple[str, str]]:
    """What may be a name, with what may be its ending."""
    yield heard, ""
    if _is_korean(heard):
        for ending in (*lists["vocatives"], *lists["particles"]):
            if heard.endswith(ending) and len(heard) > len(ending):
                yield heard.removesuffix(ending), ending


def _without(said: str, words: list[_Word], first: int, last: int) -> str:
    """What was said besides the name; cues before it go too, and alone they are nothing."""
    cues = _lists("ko")["cues"] | _lists("en")["cues"]
    start = first
    while start and words[start - 1].text in cues:
        start -= 1
    kept = [*words[:start], *words[last + 1 :]]
    if all(word.text in cues for word in kept):
        return ""
    before = said[: words[start].start].rstrip(" ,")
    behind = said[words[last].end :].lstrip(" ,.!?~…")
    return f"{before} {behind}".strip()


def _pauses(said: str, at: int) -> bool:
    """Whether a mark, or nothing at all, follows."""
    rest = said[at:].lstrip()
    return not rest or rest[0] in ",.!?~…"


def _is_korean(text: str) -> bool:
    return any("가" <= char <= "힣" for char in text)


def _joined(name: str) -> str:
    return "".join(_WORD.findall(name))


@cache
def _lists(language: str) -> dict[str, frozenset[str]]:
    source = resources.files("relay.turn").joinpath("calling.toml").read_text("utf-8")
    table: dict[str, Any] = tomllib.loads(source)[language]
    return {name: frozenset(entries) for name, entries in table.items()}
