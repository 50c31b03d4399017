"""What the commands say to a person, in the language of the terminal: Korean or English."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path


def texts(beside: str, language: str | None = None) -> dict[str, str]:
    """The texts of `texts.toml` beside the module `beside` (its `__file__`).

    In `language`, or in the terminal's; in English if there are none in it.
    """
    with Path(beside).with_name("texts.toml").open("rb") as file:
        tables: dict[str, dict[str, str]] = tomllib.load(file)
    return tables.get(language or terminal_language(), tables["en"])


def terminal_language() -> str:
    """ISO 639-1, from the environment as gettext reads it; "en" if it does not say."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return value.partition(".")[0].partition("_")[0].lower()
    return "en"
