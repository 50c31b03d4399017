"""The short list of facts about a doll's owner. Sans-I/O.

A model proposes one with its answer. It may say which one of those that it was shown is out of
date (`[2] 진주의 생일은 3월 3일이다.`); what it does not say is found by comparing words.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path

from relay.memory.records import MAX_FACT_CHARS, Fact, FactChange, one_line

_NUMBERED = re.compile(r"\s*(?:\[(\d{1,3})\]|[#(]?(\d{1,3})\s*[):](?!\s*\d))(.+)", re.DOTALL)
_DATED = re.compile(r"\s*\(\d{4}-\d\d-\d\d\)\s*$")  # a model repeats what it was shown
_WORD = re.compile(r"\w+")
_PARTICLE = re.compile(r"(?<=[가-힣])(?:은|는|이|가|을|를|의|도|에|에서|와|과|랑|이랑|께서)$")
_DIGITS = re.compile(r"\d+")
_HANGUL = re.compile("[가-힣]")
_ENDINGS = frozenset({"", "s", "d", "ed", "es"})


class Facts:
    """At most `limit`, the oldest first."""

    def __init__(self, limit: int = 40) -> None:
        self._limit = limit
        self._facts: list[Fact] = []

    def __iter__(self) -> Iterator[Fact]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def replace(self, facts: Iterable[Fact]) -> None:
        """Know these, and no others."""
        self._facts = sorted(facts, key=lambda fact: fact.at)[-self._limit or len(self._facts) :]

    def propose(self, text: str, at: int) -> FactChange | None:
        """Note a fact. What says the same, or the contrary, is replaced by it.

        Returns what changes; None where there is nothing in it, or no room at all.
        """
        numbered = _NUMBERED.fullmatch(text)
        number = int(numbered[1] or numbered[2]) - 1 if numbered else -1
        text = one_line(_DATED.sub("", numbered[3] if numbered else text), MAX_FACT_CHARS)
        if not _WORD.search(text) or not self._limit:
            return None
        out = [fact for fact in self._facts if _is_same(fact.text, text)]
        if 0 <= number < len(self._facts):
            named = self._facts[number]
            # A number that a model made up must not cost a fact that has nothing to do with it.
            if named not in out and _have_to_do(named.text, text):
                out.append(named)
        rest = [fact for fact in self._facts if fact not in out]
        too_many = max(0, len(rest) + 1 - self._limit)
        out += rest[:too_many]
        added = Fact(at, text)
        self._facts = [*rest[too_many:], added]
        return FactChange(added, tuple(fact.text for fact in out if fact.text != text))

    def listed(self, zone: tzinfo | None) -> tuple[str, ...]:
        """For a prompt: a line each, with its number and the day that it was noted on."""
        return tuple(
            f"[{number}] {fact.text} ({datetime.fromtimestamp(fact.at, zone):%Y-%m-%d})"
            for number, fact in enumerate(self._facts, 1)
        )


@dataclass(frozen=True, slots=True)
class _Topic:
    scope: str
    pattern: re.Pattern[str]


@cache
def _rules() -> tuple[tuple[_Topic, ...], re.Pattern[str]]:
    with Path(__file__).with_suffix(".toml").open("rb") as file:
        table = tomllib.load(file)
    topics = tuple(
        _Topic(topic["scope"], re.compile("|".join(topic["patterns"]))) for topic in table["topic"]
    )
    return topics, re.compile("|".join(table["negations"]))


def _is_same(old: str, new: str) -> bool:
    """Whether `new` says the same as `old`, with other numbers perhaps, or its contrary."""
    old, new = _plain(old), _plain(new)
    return _alike(_words(old), _words(new)) or bool(_keys(old) & _keys(new))


def _keys(text: str) -> set[tuple[int, tuple[str, ...]]]:
    """What a fact is about, where only one such fact can be true at a time."""
    topics, negations = _rules()
    keys = set()
    for number, topic in enumerate(topics):
        found = topic.pattern.search(text)
        if found is None:
            continue
        before, after = text[: found.start()], text[found.end() :]
        rest = before if topic.scope == "before" else f"{before} {after}"
        keys.add((number, tuple(_words(negations.sub(" ", rest)))))
    return keys


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _words(text: str) -> list[str]:
    """Words without particles, all numbers the same."""
    words = (_PARTICLE.sub("", word) for word in _WORD.findall(text.replace("'", "")))
    return [_DIGITS.sub("0", word) for word in words]


def _alike(old: list[str], new: list[str]) -> bool:
    """Whether all words are forms of each other; of the last one, often a verb, the beginning."""
    if not old or len(old) != len(new) or not all(map(_is_form, old[:-1], new[:-1])):
        return False
    a, b = old[-1], new[-1]
    return _is_form(a, b) or (len(old) > 2 and a[0] == b[0] and bool(_HANGUL.match(a)))


def _is_form(a: str, b: str) -> bool:
    """Whether two words are forms of one: 좋아한다 and 좋아해, like and likes."""
    if a == b:
        return True
    common = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        common += 1
    if _HANGUL.search(a):
        return common >= 2 and max(len(a), len(b)) - common <= 2
    return common >= 3 and {a[common:], b[common:]} <= _ENDINGS


def _have_to_do(old: str, new: str) -> bool:
    first, second = _words(_plain(old)), _words(_plain(new))
    return any(_is_form(a, b) for a in first for b in second)
