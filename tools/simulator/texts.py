"""The texts of `doll sim`, in the language of the person's terminal: Korean or English."""

from __future__ import annotations

import locale
import tomllib
from pathlib import Path


def texts(language: str | None = None) -> dict[str, str]:
    """The texts in `language`, or in the terminal's; in English if there are none in it."""
    code = (language or locale.getlocale()[0] or "en")[:2]
    with Path(__file__).with_name("texts.toml").open("rb") as file:
        all_texts: dict[str, dict[str, str]] = tomllib.load(file)
    return all_texts.get(code, all_texts["en"])
