"""What the embedded brain understands and says in one language, read from its TOML file."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from relay.llm.local.text import normalise, without_fillers

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Intent:
    """Something people say, and what is answered."""

    name: str
    examples: tuple[str, ...]  #: normalised, without fillers
    keywords: tuple[str, ...]  #: normalised; speak for this intent
    urgent: re.Pattern[str] | None  #: decides by itself, on the text without (ko) spaces
    replies: tuple[str, ...]
    emotion: str  #: how the doll feels about it: one of `relay.llm.emotions.NAMES`
    without_owner: tuple[str, ...]  #: said instead where the persona names no owner; may be empty


@dataclass(frozen=True, slots=True)
class Sums:
    """How arithmetic is worded."""

    emotion: str
    operators: dict[str, str]
    point: str
    minus: str
    fraction: str
    result: tuple[str, ...]
    remainder: tuple[str, ...]
    zero_division: tuple[str, ...]
    too_large: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """All of one language."""

    language: str
    threshold: float
    """The least similarity (0 to 1) that counts as understood. Lower, the doll answers what it did
    not understand; higher, it says too often that it did not."""
    fillers: frozenset[str]  #: words that change nothing about what is meant
    intents: dict[str, Intent]
    sums: Sums
    fallback: Intent  #: for what was not understood


def languages() -> tuple[str, ...]:
    """The languages there is content for."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def content(language: str) -> Content:
    """Read the content of a language. Raises FileNotFoundError for one that is not there."""
    table = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    sums: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in table["arithmetic"].items()
    }
    fillers = frozenset(map(normalise, table["fillers"]))
    return Content(
        language=language,
        threshold=table["threshold"],
        fillers=fillers,
        intents={
            name: _intent(name, item, language, fillers) for name, item in table["intent"].items()
        },
        sums=Sums(**sums),
        fallback=_intent("fallback", table["fallback"], language, fillers),
    )


def _intent(name: str, item: dict[str, Any], language: str, fillers: frozenset[str]) -> Intent:
    return Intent(
        name=name,
        examples=tuple(
            without_fillers(normalise(said), fillers) for said in item.get("examples", ())
        ),
        keywords=tuple(map(normalise, item.get("keywords", ()))),
        urgent=_urgent(item["words"], language) if "words" in item else None,
        replies=tuple(item["replies"]),
        emotion=item.get("emotion", "neutral"),
        without_owner=tuple(item.get("without_owner", ())),
    )


def _urgent(words: list[str], language: str) -> re.Pattern[str]:
    """One pattern for a normalised text. Korean may have a space between any two syllables, and
    a word may stand inside another unless it asks for a beginning (^)."""
    if language != "ko":
        return re.compile("|".join(rf"\b{re.escape(normalise(word))}\b" for word in words))
    patterns = []
    for word in words:
        start = r"(?<!\w)" if word.startswith("^") else ""
        patterns.append(start + " ?".join(map(re.escape, word.removeprefix("^"))))
    return re.compile("|".join(patterns))
