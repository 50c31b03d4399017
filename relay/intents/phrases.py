"""How people word the wishes that the relay fulfils by itself, one TOML file for each language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from relay.intents.sounds import alike
from relay.llm.local.content import content
from relay.llm.local.text import normalise, without_fillers

FOLDER = Path(__file__).parent

_CHOICE = re.compile(r"\(([^()]*)\)")

#: Stands for a number in an example.
NUMBER = "num"

#: The name of what is no wish.
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Phrases:
    """The ways to say one thing. A `relay.llm.local.matching.Known`."""

    name: str
    examples: tuple[str, ...]  #: normalised, without fillers, by their sound
    step: int = 0  #: by which the volume changes
    level: int | None = None  #: to which it is set
    needs: tuple[str, ...] = ()  #: one of them has to be heard, if there are any
    keywords: tuple[str, ...] = ()
    urgent: None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """All of one language. A `relay.llm.local.matching.Vocabulary`."""

    language: str
    threshold: float  #: the least likeness, 0 to 1
    known_part: float  #: the least part of what was heard that some example has, 0 to 1
    fillers: frozenset[str]
    endings: Mapping[str, str]  #: ends of sentences, the longest first, and what they are taken for
    number_suffixes: frozenset[str]
    intents: Mapping[str, Phrases]

    def compared(self, text: str) -> str:
        """A normalised text as it is compared: by its sound, and however politely it is asked."""
        if not self.endings:
            return text
        together = text.replace(" ", "")
        end = next((end for end in self.endings if together.endswith(end)), None)
        if end is not None:
            together = together.removesuffix(end) + self.endings[end]
        return alike(together)


@cache
def languages() -> tuple[str, ...]:
    """The languages there are phrases for."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def wishes(language: str) -> Wishes:
    """Read the phrases of a language. Raises FileNotFoundError for one that is not there."""
    table = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    fillers = frozenset(map(normalise, table["fillers"]))

    bare = Wishes(
        language=language,
        threshold=table["threshold"],
        known_part=table["known_part"],
        fillers=fillers,
        endings=_endings(table["endings"]),
        number_suffixes=frozenset(table["number_suffixes"]),
        intents={},
    )

    def examples(said: list[str]) -> tuple[str, ...]:
        plain = (
            without_fillers(normalise(each), fillers) for row in said for each in expanded(row)
        )
        return tuple(dict.fromkeys(map(bare.compared, plain)))

    known = {
        name: Phrases(
            name,
            examples(item["examples"]),
            item.get("step", 0),
            item.get("level"),
            tuple(map(bare.compared, item.get("needs", ()))),
        )
        for name, item in table["wish"].items()
    }
    small_talk = [
        said
        for name, intent in content(language).intents.items()
        if name not in table[OTHER]["not_intents"]
        for said in intent.examples
    ]
    known[OTHER] = Phrases(OTHER, examples([*table[OTHER]["examples"], *small_talk]))
    return replace(bare, intents=known)


def expanded(row: str) -> list[str]:
    """All that a row stands for: "(소리|볼륨)(을|) 올려" is four sentences."""
    found = _CHOICE.search(row)
    if found is None:
        return [row]
    before, behind = row[: found.start()], row[found.end() :]
    return [before + choice + rest for choice in found[1].split("|") for rest in expanded(behind)]


def _endings(rows: list[list[str]]) -> dict[str, str]:
    ends = {end: first for first, *others in rows for end in (first, *others)}
    return dict(sorted(ends.items(), key=lambda pair: -len(pair[0])))
