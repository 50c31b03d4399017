"""What the relay knows of a doll, and what can be wrong with a wish of its owner."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from relay import locales
from relay.persona.base import MAX_CHARACTER_CHARS

#: A name that a person gives; long enough for a sentence, short enough for a table.
MAX_NAME_CHARS = 40

#: A doll's own settings as JSON, in bytes.
MAX_SETTINGS_BYTES = 4096

Problem = Literal[
    "unknown_device",  # name
    "no_device_id",
    "no_relay",  # file
    "name_taken",  # name
    "bad_name",
    "bad_persona",  # persona
    "bad_language",  # language, languages
    "bad_settings",
    "bad_instruction",  # most
    "no_code",
    "too_many_guesses",  # seconds
    "too_many_pairings",
]


class RegistryError(ValueError):
    """A wish cannot be fulfilled; `problem` is the key of the sentence that says so."""

    def __init__(self, problem: Problem, **values: object) -> None:
        details = ", ".join(f"{key}={value!r}" for key, value in values.items())
        super().__init__(f"{problem} ({details})" if details else problem)
        self.problem = problem
        self.values = values


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """A doll that its owner has let in. Times are seconds of Unix time."""

    id: str  #: its Device-Id
    client_id: str
    name: str  #: by which its owner calls it; no two have the same
    persona: str  #: a name or a path for `relay.persona.load`; empty for the relay's
    language: str  #: ISO 639-1; empty for the persona's first one
    settings: Mapping[str, Any] = field(default_factory=dict)
    created: int = 0
    last_seen: int | None = None
    firmware: str = ""
    board: str = ""
    revoked: int | None = None  #: since when it may not come in any more
    rotate: bool = False  #: it gets a new token as soon as it can take one
    memory_revision: int = 0  #: grows when its owner changes or deletes what it remembers
    forgotten: int | None = None  #: when its memory was deleted, if it was
    recorder_until: int | None = None  #: its turns are recorded until then
    instruction: str = ""  #: who it is in its owner's words; empty for its persona's


@dataclass(frozen=True, slots=True)
class About:
    """What a doll says about itself when it comes. Empty is what it does not say."""

    client_id: str = ""
    firmware: str = ""
    board: str = ""


def digest(token: str) -> str:
    """What is kept of a token. It has 256 random bits, so a fast hash is as good as a slow one."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def checked_name(name: str) -> str:
    """A name as it is kept. Raises RegistryError."""
    name = " ".join(name.split())
    if not 0 < len(name) <= MAX_NAME_CHARS or not name.isprintable():
        raise RegistryError("bad_name")
    return name


def checked_language(language: str) -> str:
    """A language that the doll has words for, or none. Raises RegistryError."""
    if language and language not in locales.languages():
        known = ", ".join(locales.languages())
        raise RegistryError("bad_language", language=language[:16], languages=known)
    return language


def checked_instruction(text: str) -> str:
    """Who a doll is to be, as it is kept; empty for its persona's own. Raises RegistryError."""
    text = text.strip()
    if len(text) > MAX_CHARACTER_CHARS or any(map(_unseen, text)):
        raise RegistryError("bad_instruction", most=MAX_CHARACTER_CHARS)
    return text


def _unseen(char: str) -> bool:
    """Controls and halves of characters, which a database may refuse."""
    return unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t"


def checked_settings(settings: Mapping[str, Any]) -> str:
    """A doll's settings as they are kept. Raises RegistryError."""
    try:
        text = json.dumps(settings, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError):
        raise RegistryError("bad_settings") from None
    if size > MAX_SETTINGS_BYTES:
        raise RegistryError("bad_settings")
    return text
