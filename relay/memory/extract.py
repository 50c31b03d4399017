"""A summary without a model: the sentences of the owner that tell the most. Sans-I/O.

Extractive, as in Luhn, "The Automatic Creation of Literature Abstracts" (1958): a sentence counts
by the words in it that are said more than once, here with a bonus for what speaks of days, of
oneself, and of what has happened. Nothing is worded anew, so nothing is made up.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from relay.memory.records import Exchange, one_line
from relay.memory.wording import words

_BETWEEN = " / "
_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")
_WORD = re.compile(r"\w{2,}")

_MIN_CHARS = 6
_MAX_CHARS = 80
_TELLING = 2.0  # a match counts like two words that come again
_SAME = 0.6  # of the words of the shorter of two sentences


def extract(
    before: str, turns: Sequence[Exchange], language: str, chars: int, zone: tzinfo | None = None
) -> str:
    """The summary `before`, and behind it what `turns` tell, within `chars`; the oldest goes."""
    kept = [line for line in before.split(_BETWEEN) if line]
    sentences = list(_sentences(turns, language))
    often = Counter(word for _, text in sentences for word in _stems(text))
    told = words(language).telling
    ranked = sorted(
        sentences,
        key=lambda item: (
            -(
                sum(often[word] > 1 for word in _stems(item[1]))
                + _TELLING * len(told.findall(item[1]))
            )
            / len(item[1]) ** 0.5
        ),
    )
    room = chars // 2 if kept else chars
    chosen: list[tuple[int, str]] = []
    for at, text in ranked:
        if any(_overlap(text, other) >= _SAME for other in (*kept, *(t for _, t in chosen))):
            continue
        if len(text) + 16 <= room:
            chosen.append((at, text))
            room -= len(text) + 16
    lines = [*kept, *(f"{_day(at, zone)} {text}" for at, text in sorted(chosen))]
    while len(lines) > 1 and len(_BETWEEN.join(lines)) > chars:
        lines.pop(0)
    return one_line(_BETWEEN.join(lines), chars)


def _sentences(turns: Iterable[Exchange], language: str) -> Iterable[tuple[int, str]]:
    wording = words(language)
    for turn in turns:
        for text in _SENTENCE.findall(turn.heard):
            text = one_line(text.replace("/", " "), _MAX_CHARS)
            if len(text) < _MIN_CHARS or wording.asking.search(text):
                continue
            if wording.telling.search(text):
                yield turn.at, text


def _stems(text: str) -> set[str]:
    """Two letters of a Korean word and five of another say what it is about."""
    return {word[:2] if ord(word[0]) > 0x1100 else word[:5] for word in _WORD.findall(text.lower())}


def _overlap(a: str, b: str) -> float:
    first, second = _stems(a), _stems(b)
    return len(first & second) / max(1, min(len(first), len(second)))


def _day(at: int, zone: tzinfo | None) -> str:
    return f"({datetime.fromtimestamp(at, zone):%Y-%m-%d})"
