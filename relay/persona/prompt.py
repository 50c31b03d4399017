"""The system prompt of a turn: the character, how to talk, and the time of day."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from relay.persona.base import Exchange, Persona

PROMPTS = Path(__file__).parent / "prompts"

_NO_MARKS = str.maketrans({"<": "(", ">": ")", "\n": " "})

Form = Literal["text", "fields", "hearing"]
"""How the model answers: as it speaks, with marks around that (`relay.llm.marks`), by fields
(emotion, reply, memory_note), or by those after the fields of what it heard in a recording (heard,
transcript)."""


def prompt(
    persona: Persona,
    now: datetime,
    language: str,
    form: Form = "text",
    notes: Sequence[str] = (),
    near: Sequence[Exchange] = (),
) -> str:
    """Build the system prompt.

    `now` is the doll's local time; `language` (ISO 639-1) is what was just spoken, in which the
    doll answers (a model that hears finds that out itself). `notes` are what the doll has noted
    about its owner: words of a conversation, so they stand as data between marks that they cannot
    hold themselves. So do `near`, exchanges of real chats whose question was most like what was
    just said, the nearest last. What stays the same from turn to turn comes first, so that a server
    that caches prompts by their beginning can.
    """
    words = words_in(persona.language)
    names = (persona.name, persona.owner or words["nobody"])
    parts = [in_character(persona.character, *names).strip()]
    if persona.owner:
        parts.append(words["with_owner"].format(owner=persona.owner))
    parts.append("\n- ".join((words["rules"].strip(), *persona.rules)))
    if persona.manner is not None:
        parts.append("\n- ".join((words["manner"], *persona.manner.described(persona.language))))
    if examples := (*persona.examples, *(persona.manner.examples if persona.manner else ())):
        parts.append("\n".join((words["examples"], *_lines(examples, names, words))))
    if form == "hearing":
        parts.append(words["form"]["hearing"].strip())
        language = "heard"
    parts.append(words["form"]["marks" if form == "text" else "fields"].strip())
    if notes:
        kept = (f"- {note.translate(_NO_MARKS)}" for note in notes)
        parts.append("\n".join((words["notes"], "<notes>", *kept, "</notes>")))
    if near:
        parts.append("\n".join((words["near"], "<chats>", *_lines(near, names, words), "</chats>")))
    if persona.quiet is not None and persona.quiet.at(now):
        parts.append(words["quiet"])
    answer_in = words["answer_in"].get(language, words["answer_in"]["other"])
    parts.append(f"{_moment(now, words)}\n{answer_in.format(language=language)}")
    return "\n\n".join(parts)


def in_character(text: str, name: str, owner: str) -> str:
    """Fill in {name} and {owner}; any other brace is just text."""
    return text.replace("{name}", name).replace("{owner}", owner)


def _lines(
    examples: Sequence[Exchange], names: tuple[str, str], words: dict[str, Any]
) -> Iterator[str]:
    for example in examples:
        heard = in_character(example.heard, *names).translate(_NO_MARKS)
        said = in_character(example.said, *names).translate(_NO_MARKS)
        yield words["heard"].format(text=heard)
        yield words["said"].format(name=names[0], text=said)


def _moment(now: datetime, words: dict[str, Any]) -> str:
    moment: str = words["now"].format(
        year=now.year,
        month=now.month,
        day=now.day,
        weekday=words["weekdays"][now.weekday()],
        half=words["halves"][now.hour >= 12],
        hour=now.hour % 12 or 12,
        minute=now.minute,
    )
    return moment


@cache
def words_in(language: str) -> dict[str, Any]:
    """What stands in a prompt in this language; in English where there is none."""
    path = PROMPTS / f"{language}.toml"
    if not path.is_file():
        path = PROMPTS / "en.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))
