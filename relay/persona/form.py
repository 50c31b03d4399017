"""The usual fields of a persona's file, read and changed in place.

What a form does not show stays as it is in the text: comments, order, examples, other lines.
Sans-I/O.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array

from relay.persona.loader import PersonaError

#: Lines that a form shows, by the path below `[lines.LANGUAGE]`.
LINES: Final = {
    "greeting": ("greeting",),
    "thinking": ("filler", "thinking"),
    "waiting": ("filler", "waiting"),
}


@dataclass(frozen=True, slots=True)
class Quiet:
    """Quiet hours as they are written; times as HH:MM or HH:MM:SS."""

    start: str
    end: str
    answers: str = "softly"  #: or `called`
    volume: int = 40  #: percent


@dataclass(frozen=True, slots=True)
class Form:
    """What a form shows. A text of the wrong kind is shown as an empty one."""

    name: str = ""
    owner: str = ""
    languages: list[str] = field(default_factory=list)
    voice: str = ""
    character: str = ""
    rules: list[str] = field(default_factory=list)
    wake: list[str] = field(default_factory=list)
    lines: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Language -> one of `LINES` -> variants. What is not named stays; an empty list removes."""
    lights: dict[str, str] = field(default_factory=dict)  #: emotion -> "#rrggbb"
    quiet: Quiet | None = None


def read(text: str) -> Form:
    """The fields of a file. Raises PersonaError where it is no TOML."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PersonaError(f"This is no TOML: {error}.") from None
    except RecursionError:
        raise PersonaError("This is no TOML: brackets within brackets.") from None
    lines = table.get("lines")
    lights = table.get("lights")
    return Form(
        name=_text(table.get("name")),
        owner=_text(table.get("owner")),
        languages=_texts(table.get("languages")),
        voice=_text(table.get("voice")),
        character=_text(table.get("character")),
        rules=_texts(table.get("rules")),
        wake=_texts(table.get("wake")),
        lines={
            language: {key: found for key, way in LINES.items() if (found := _lines(of, way))}
            for language, of in (lines.items() if isinstance(lines, dict) else ())
            if isinstance(of, dict)
        },
        lights={
            emotion: colour.lower()
            for emotion, colour in (lights.items() if isinstance(lights, dict) else ())
            if isinstance(colour, str)
        },
        quiet=_quiet(table.get("quiet")),
    )


def write(text: str, form: Form) -> str:
    """The file with these fields, changed only where it says something else.

    Raises PersonaError where the file is no TOML, or has a field that a form cannot change.
    """
    now = read(text)
    try:
        document = tomlkit.parse(text)
        for key in ("name", "owner", "voice", "character"):
            if getattr(now, key) != getattr(form, key).strip():
                _set_text(document, key, getattr(form, key).strip())
        for key in ("languages", "rules", "wake"):
            _set_list(document, key, getattr(now, key), getattr(form, key))
        for language, wanted in form.lines.items():
            _set_lines(document, language, now.lines.get(language, {}), wanted)
        _set_lights(document, now.lights, form.lights)
        if now.quiet != form.quiet:
            _set_quiet(document, form.quiet)
        changed = tomlkit.dumps(document)
        if not _says(read(changed), form):
            raise ValueError("it is written in a way that only its text can change")
        return changed
    except (TOMLKitError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise PersonaError(f"This cannot be changed here: {error}. Change the text.") from None


def _says(found: Form, wanted: Form) -> bool:
    """Whether a file has come to say what it should: a rare way of writing may be too odd."""
    lines = all(
        found.lines.get(language, {}).get(key, []) == _stripped(variants)
        for language, of in wanted.lines.items()
        for key, variants in of.items()
    )
    return (
        lines
        and all(
            getattr(found, key) == getattr(wanted, key).strip()
            for key in ("name", "owner", "voice", "character")
        )
        and all(
            getattr(found, key) == _stripped(getattr(wanted, key))
            for key in ("languages", "rules", "wake")
        )
    )


def _stripped(items: Sequence[str]) -> list[str]:
    return [item.strip() for item in items if item.strip()]


def _set_text(table: MutableMapping[str, Any], key: str, value: str) -> None:
    if "\n" in value:
        table[key] = tomlkit.string(f"\n{value}\n", multiline=True)
    else:
        table[key] = value


def _set_list(
    table: MutableMapping[str, Any], key: str, now: Sequence[str], wanted: Sequence[str]
) -> None:
    """Change what differs, so that comments between the others stay."""
    new = _stripped(wanted)
    if list(now) == new:
        return
    there = table.get(key)
    if not new:
        table.pop(key, None)
    elif isinstance(there, Array) and list(there.unwrap()) == list(now):
        for at, item in enumerate(new):
            if at >= len(there):
                there.append(item)
            elif there[at] != item:
                there[at] = item
        while len(there) > len(new):
            there.pop()
    else:
        table[key] = _array(new)


def _array(items: Sequence[str]) -> Array:
    made = tomlkit.array()
    made.extend(items)
    return made.multiline(len(items) > 1 and sum(map(len, items)) > 60)


def _set_lines(
    document: MutableMapping[str, Any],
    language: str,
    now: Mapping[str, list[str]],
    wanted: Mapping[str, list[str]],
) -> None:
    for key, variants in wanted.items():
        new = _stripped(variants)
        if new == now.get(key, []):
            continue
        *way, last = LINES[key]
        table: Any = document
        for step in ("lines", language, *way):
            if step not in table:
                if not new:
                    break
                table[step] = tomlkit.table(is_super_table=step == "lines")
            table = table[step]
        else:
            _set_list(table, last, now.get(key, []), new)


def _set_lights(
    document: MutableMapping[str, Any], now: Mapping[str, str], wanted: Mapping[str, str]
) -> None:
    if dict(now) == {key: value.lower() for key, value in wanted.items()}:
        return
    if not wanted:
        document.pop("lights", None)
        return
    if "lights" not in document:
        document["lights"] = tomlkit.table()
    table: Any = document["lights"]
    for key in now.keys() - wanted.keys():
        del table[key]
    for key, value in wanted.items():
        if now.get(key) != value.lower():
            table[key] = value


def _set_quiet(document: MutableMapping[str, Any], quiet: Quiet | None) -> None:
    if quiet is None:
        document.pop("quiet", None)
        return
    if "quiet" not in document:
        document["quiet"] = tomlkit.table()
    table: Any = document["quiet"]
    wanted = {"from": time.fromisoformat(quiet.start), "to": time.fromisoformat(quiet.end)}
    for key, value in {**wanted, "answers": quiet.answers, "volume": quiet.volume}.items():
        if key not in table or table[key] != value:
            table[key] = value


def _quiet(table: Any) -> Quiet | None:
    if not isinstance(table, dict):
        return None
    volume = table.get("volume", 40)
    return Quiet(
        _clock(table.get("from")),
        _clock(table.get("to")),
        _text(table.get("answers", "softly")),
        volume if isinstance(volume, int) else 40,
    )


def _clock(value: Any) -> str:
    if isinstance(value, time):
        return value.isoformat("auto" if value.second else "minutes")
    return _text(value)


def _lines(table: dict[str, Any], way: Sequence[str]) -> list[str]:
    found: Any = table
    for step in way:
        found = found.get(step) if isinstance(found, dict) else None
    return [found.strip()] if isinstance(found, str) and found.strip() else _texts(found)


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list) else []
    return [item.strip() for item in items if isinstance(item, str) and item.strip()]
