"""The words of summaries, by language."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Words:
    """Of one language."""

    shown: str  #: a summary, as the doll is told it
    heard: str
    said: str
    before: str
    ask: str  #: what a model is asked for
    telling: re.Pattern[str]  #: what makes a sentence worth keeping
    asking: re.Pattern[str]  #: a question tells nothing


@cache
def words(language: str) -> Words:
    """Those of `language` (ISO 639-1), or the English ones."""
    with Path(__file__).with_name("summary.toml").open("rb") as file:
        tables = tomllib.load(file)
    table = dict(tables.get(language, tables["en"]))
    telling, asking = (re.compile(table.pop(key)) for key in ("telling", "asking"))
    return Words(**table, telling=telling, asking=asking)
