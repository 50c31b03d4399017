"""What is remembered, as it is passed around. Times are whole seconds of Unix time."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from relay.memory.course import Course

#: A turn is some seconds of speech; a longer line is cut so that no one fills the memory.
MAX_LINE_CHARS = 2_000

MAX_FACT_CHARS = 200

#: Controls, and what changes the direction of a text or cannot be seen; databases refuse some.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One turn: what was said to the doll, and what it really said, which may be cut off or
    nothing."""

    at: int
    heard: str
    said: str
    #: How it went in time, where that is known; two that say the same are the same without it.
    course: Course | None = field(default=None, kw_only=True, compare=False)


@dataclass(frozen=True, slots=True)
class KeptExchange(Exchange):
    """One that is in the database."""

    id: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A turn that is being spoken, as far as it has come: should the relay die now, this is what
    was said. The same `number` again takes its place; `over` is the last word about it, and without
    `turn` nothing came of it."""

    number: int
    turn: Exchange | None
    over: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """One short sentence about the owner, and when it was noted."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class FactChange:
    """A fact that is new, and the texts of those that it takes the place of."""

    added: Fact
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """What was said up to the turn `up_to`, in short."""

    at: int
    up_to: int
    text: str


def clean(text: str, limit: int) -> str:
    """Text of a model or a recogniser as it may be kept: composed, visible, not too long."""
    text = _UNSEEN.sub("", unicodedata.normalize("NFC", text)).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def one_line(text: str, limit: int) -> str:
    """The same, in one line."""
    return clean(" ".join(text.split()), limit)
