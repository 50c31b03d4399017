"""What the chat says apart from the doll's own words, by language (`texts.toml`)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

#: The language of those whose own has no texts.
FALLBACK = "en"


@cache
def tables() -> Mapping[str, Mapping[str, str]]:
    """All texts, by language and key."""
    with Path(__file__).with_name("texts.toml").open("rb") as file:
        found: Mapping[str, Mapping[str, str]] = tomllib.load(file)
    return found


def text(language: str, key: str, **values: object) -> str:
    """One of them. `language` may be a tag ("ko-KR"), or empty."""
    table = tables().get(language.split("-")[0].lower(), tables()[FALLBACK])
    return table[key].format(**values)


def commands() -> Mapping[str, Mapping[str, str]]:
    """What each command does, by language and command."""
    return {
        language: {
            key.removeprefix("command_"): words
            for key, words in table.items()
            if key.startswith("command_")
        }
        for language, table in tables().items()
    }
