"""The fixed lines that the doll says, one TOML file per language.

A key is `section.name`; its value is one line, or several to choose from. Personas may word them
in their own way (`Persona.lines`); these are what is said otherwise.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

#: The language whose lines are said where a language has none.
FALLBACK = "en"

_DIRECTORY = Path(__file__).parent


def languages() -> tuple[str, ...]:
    """The languages that have a file, as ISO 639-1 codes, sorted."""
    return tuple(sorted(path.stem for path in _DIRECTORY.glob("*.toml")))


def lines(language: str) -> Mapping[str, tuple[str, ...]]:
    """All lines of `language` ("ko", "ko-KR"); those of English where it has no file."""
    code = re.split(r"[-_]", language.lower(), maxsplit=1)[0]
    return _read(code if code in _known() else FALLBACK)


def variants(language: str, key: str) -> tuple[str, ...]:
    """The wordings of one line, in `language`, or else in English.

    Raises KeyError if neither has it.
    """
    for table in (lines(language), lines(FALLBACK)):
        if key in table:
            return table[key]
    raise KeyError(f"no line {key!r} in the locale files; add it to each of relay/locales/*.toml")


def text(language: str, key: str) -> str:
    """The first (or only) wording of a line. Raises KeyError as `variants` does."""
    return variants(language, key)[0]


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(languages())


@lru_cache(maxsize=64)
def _read(language: str) -> Mapping[str, tuple[str, ...]]:
    path = _DIRECTORY / f"{language}.toml"
    sections = tomllib.loads(path.read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            f"{section}.{name}": (value,) if isinstance(value, str) else tuple(value)
            for section, entries in sections.items()
            for name, value in entries.items()
        }
    )
