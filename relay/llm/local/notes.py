"""What the embedded brain notes about its owner: a few plain statements, known by their wording.

Sans-I/O. The patterns stand in the language's TOML file, under `[[note]]`. Only what is stated is
noted, never what is asked, and nothing is made of a sentence that no pattern knows.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from relay.llm.base import Request
from relay.llm.local import josa
from relay.llm.local.content import FOLDER

_MAX_CHARS = 80  #: of what was said; who says more tells a story


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A statement, and the fact in it."""

    said: re.Pattern[str]
    fact: str  #: with {owner}, the groups of `said`, and {date} of its group `day`


@dataclass(frozen=True, slots=True)
class _Notes:
    patterns: tuple[_Pattern, ...]
    question: re.Pattern[str]
    owner: str  #: who it is about, where the persona names nobody
    days: Mapping[str, int]  #: a word for a day -> how many days from now
    weekdays: tuple[str, ...]  #: as they begin, Monday first
    date: str
    replies: tuple[str, ...]  #: where there is nothing else to say to it


def note(request: Request, language: str) -> str:
    """The fact in what was just said, as one sentence; empty if there is none."""
    known = _notes(language)
    text = " ".join(request.text.split())
    if len(text) > _MAX_CHARS or known.question.search(text):
        return ""
    for pattern in known.patterns:
        if found := pattern.said.search(text):
            values = {key: value.strip(" .!,~") for key, value in found.groupdict("").items()}
            values["owner"] = request.persona.names_in(language)[1] or known.owner
            if day := values.get("day"):
                values["date"] = _date(day, request.now, known)
            return josa.resolve(pattern.fact.format_map(values))
    return ""


def replies(language: str) -> tuple[str, ...]:
    """What is said to a fact that the brain has no other answer to."""
    return _notes(language).replies


def _date(day: str, now: datetime, known: _Notes) -> str:
    """A day as a date: `tomorrow` means nothing on the day after."""
    day = day.lower()
    ahead = known.days.get(day)
    if ahead is None:
        number = next(n for n, name in enumerate(known.weekdays) if day.startswith(name))
        ahead = (number - now.weekday()) % 7
    then = now + timedelta(days=ahead)
    return known.date.format(year=then.year, month=then.month, day=then.day)


@cache
def _notes(language: str) -> _Notes:
    table: dict[str, Any] = tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))
    wording = table["noting"]
    return _Notes(
        patterns=tuple(
            _Pattern(re.compile(item["said"], re.IGNORECASE), item["fact"])
            for item in table["note"]
        ),
        question=re.compile(wording["question"], re.IGNORECASE),
        owner=wording["owner"],
        days=wording["days"],
        weekdays=tuple(wording["weekdays"]),
        date=wording["date"],
        replies=tuple(wording["replies"]),
    )
