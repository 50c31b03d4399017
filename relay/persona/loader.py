"""Reads a persona from a TOML file, and says in one sentence what is wrong with it."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from relay import locales
from relay.persona import lights, quiet
from relay.persona.base import MAX_CHARACTER_CHARS, Exchange, Persona
from relay.persona.prompt import in_character

SHIPPED = Path(__file__).parent
MAX_FILE_BYTES = 64 * 1024
MAX_NAME_CHARS = 40
MAX_LINE_CHARS = 500
MAX_EXAMPLES = 40
MAX_RULES = 20
MAX_WAKE = 20

#: What a persona may word in its own way: what the doll says on its own, and its greeting.
_LINES = frozenset(
    {"greeting"}
    | {
        key
        for key in locales.lines(locales.FALLBACK)
        if key.partition(".")[0] in ("failure", "filler", "outage", "back", "welcome")
    }
)

_LANGUAGE = re.compile(r"[a-z]{2}")
_KEYS = {
    *("name", "owner", "names", "languages", "character", "rules", "voice", "lines", "examples"),
    *("wake", "lights", "quiet"),
}


class PersonaError(ValueError):
    """A persona cannot be used; the message names the file, the line and the way out.

    `field` is the key of the file that it is about, the outermost one; empty if it is about none.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def load(name_or_path: str | os.PathLike[str], directory: Path | None = None) -> Persona:
    """Load a persona by its name, or from a file.

    A name (`chacha`) is looked for in `directory`, the owner's own, then among the shipped
    ones. Anything that ends in `.toml` or holds a slash is a path. Raises PersonaError.
    """
    path = find(name_or_path, directory)
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise PersonaError(f"{path} is {size} bytes long; at most {MAX_FILE_BYTES} are read.")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PersonaError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise PersonaError(f"{path} is not UTF-8 text (byte {error.start}).") from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        end = f"(at line {text.count(chr(10)) + 1}, the end)"
        what = str(error).replace("(at end of document)", end)
        raise PersonaError(f"{path} is not valid TOML: {what}.") from None
    except RecursionError:
        raise PersonaError(f"{path} is not valid TOML: brackets within brackets.") from None
    return _Reader(path, text, table).persona()


def names(directory: Path | None = None) -> tuple[str, ...]:
    """The names that `load` knows, sorted."""
    folders = [SHIPPED] if directory is None else [directory, SHIPPED]
    return tuple(sorted({path.stem for folder in folders for path in folder.glob("*.toml")}))


def find(name_or_path: str | os.PathLike[str], directory: Path | None = None) -> Path:
    """The file that `load` would read. Raises PersonaError."""
    given = os.fspath(name_or_path)
    if given.endswith(".toml") or "/" in given or os.sep in given:
        return Path(given).expanduser()
    for folder in (directory, SHIPPED):
        if folder and (path := folder / f"{given}.toml").is_file():
            return path
    raise PersonaError(f"There is no persona {given!r}; there are {', '.join(names(directory))}.")


class _Reader:
    def __init__(self, path: Path, text: str, table: dict[str, Any]) -> None:
        self._path = path
        self._rows = text.splitlines()
        self._table = table

    def persona(self) -> Persona:
        for key in self._table:
            if key not in _KEYS:
                known = ", ".join(sorted(_KEYS))
                raise self._wrong(key, f"`{key}` is not known here; known are {known}")
        languages = self._languages()
        persona = Persona(
            name=self._text("name", MAX_NAME_CHARS),
            owner=self._text("owner", MAX_NAME_CHARS, default=""),
            language=languages[0],
            languages=languages,
            character=self._text("character", MAX_CHARACTER_CHARS),
            voice=self._text("voice", MAX_NAME_CHARS, default=""),
            examples=tuple(self._examples()),
            names=dict(self._names()),
            rules=self._texts("rules", MAX_RULES, MAX_LINE_CHARS),
            wake=self._texts("wake", MAX_WAKE, MAX_NAME_CHARS),
            lights=self._lights(),
            quiet=self._quiet(),
        )
        for language, table in self._tables("lines"):
            name, owner = persona.names_in(language)
            persona.lines[language] = {
                key: tuple(in_character(variant, name, owner) for variant in usable)
                for key, variants in self._variants(table, f"lines.{language}")
                if (usable := [v for v in variants if owner or "{owner}" not in v])
            }
        return persona

    def _languages(self) -> tuple[str, ...]:
        value = self._table.get("languages")
        if (
            not isinstance(value, list)
            or not value
            or not all(isinstance(item, str) and _LANGUAGE.fullmatch(item) for item in value)
            or len(set(value)) != len(value)
        ):
            raise self._wrong(
                "languages", '`languages` must be a list of language codes, such as ["ko", "en"]'
            )
        return tuple(value)

    def _text(self, key: str, limit: int, default: str | None = None) -> str:
        value = self._table.get(key, default)
        if value is None:
            raise self._wrong(key, f"`{key}` is missing")
        if not isinstance(value, str):
            raise self._wrong(key, f"`{key}` must be text in quotation marks")
        if not value.strip() and default is None:
            raise self._wrong(key, f"`{key}` is empty")
        if len(value) > limit:
            raise self._wrong(
                key, f"`{key}` is {len(value)} characters long; at most {limit} are allowed"
            )
        return value.strip()

    def _texts(self, key: str, most: int, limit: int) -> tuple[str, ...]:
        value = self._table.get(key, [])
        if (
            not isinstance(value, list)
            or len(value) > most
            or not all(isinstance(item, str) and 0 < len(item.strip()) <= limit for item in value)
        ):
            raise self._wrong(
                key, f"`{key}` must be a list of at most {most} texts of 1 to {limit} characters"
            )
        return tuple(item.strip() for item in value)

    def _lights(self) -> dict[str, int]:
        try:
            return lights.read(self._table.get("lights", {}))
        except ValueError as error:
            raise self._wrong(_first_key(error, "lights"), str(error), below="lights") from None

    def _quiet(self) -> quiet.QuietHours | None:
        if "quiet" not in self._table:
            return None
        try:
            return quiet.read(self._table["quiet"])
        except ValueError as error:
            key = _first_key(error, "quiet").removeprefix("quiet.")
            raise self._wrong(key, str(error), below="quiet") from None

    def _examples(self) -> Iterator[Exchange]:
        value = self._table.get("examples", [])
        if not isinstance(value, list) or len(value) > MAX_EXAMPLES:
            raise self._wrong("examples", f"`examples` must be at most {MAX_EXAMPLES} tables")
        for number, item in enumerate(value, 1):
            if not isinstance(item, dict) or set(item) != {"heard", "said"}:
                raise self._wrong(
                    "examples", f"example {number} must hold `heard` and `said`", nth=number
                )
            if not all(_is_line(item[key]) for key in ("heard", "said")):
                raise self._wrong(
                    "examples",
                    f"example {number} must hold text of 1 to {MAX_LINE_CHARS} characters",
                    nth=number,
                )
            yield Exchange(item["heard"].strip(), item["said"].strip())

    def _names(self) -> Iterator[tuple[str, tuple[str, str]]]:
        for language, table in self._tables("names"):
            if not set(table) <= {"name", "owner"} or not all(
                isinstance(value, str) and 0 < len(value.strip()) <= MAX_NAME_CHARS
                for value in table.values()
            ):
                raise self._wrong(
                    f"names.{language}",
                    f"`names.{language}` may hold `name` and `owner`, texts of 1 to "
                    f"{MAX_NAME_CHARS} characters",
                )
            name = table.get("name", self._table["name"]).strip()
            yield language, (name, table.get("owner", self._table.get("owner", "")).strip())

    def _tables(self, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The tables [KEY.LANGUAGE]."""
        value = self._table.get(key, {})
        if not isinstance(value, dict):
            raise self._wrong(key, f"`{key}` must be tables, such as [{key}.ko]")
        for language, table in value.items():
            if not _LANGUAGE.fullmatch(language) or not isinstance(table, dict):
                raise self._wrong(
                    f"{key}.{language}",
                    f"`{key}.{language}` must be a table for a language, such as [{key}.ko]",
                )
            yield language, table

    def _variants(
        self, table: dict[str, Any], where: str, prefix: str = ""
    ) -> Iterator[tuple[str, list[str]]]:
        """Nested tables become keys with dots: [lines.ko.failure] network -> failure.network."""
        for key, value in table.items():
            if isinstance(value, dict):
                yield from self._variants(value, f"{where}.{key}", f"{prefix}{key}.")
                continue
            if prefix + key not in _LINES:
                known = ", ".join(sorted(_LINES))
                raise self._wrong(key, f"`{where}.{key}` is no line; lines are {known}")
            variants = [value] if isinstance(value, str) else value
            if not isinstance(variants, list) or not variants or not all(map(_is_line, variants)):
                raise self._wrong(
                    key,
                    f"`{where}.{key}` must be one text or a list of texts of 1 to {MAX_LINE_CHARS} "
                    "characters",
                )
            yield prefix + key, [variant.strip() for variant in variants]

    def _wrong(self, key: str, what: str, nth: int = 1, below: str = "") -> PersonaError:
        """`below` is the table that the key stands in."""
        line = self._line_of(key, nth, (self._line_of(below, 1) or 0) if below else 0)
        named = below or key.partition(".")[0]
        field = named if named in _KEYS else re.split(r"[`.]", what + "`")[1]
        return PersonaError(f"{self._path}{f', line {line}' if line else ''}: {what}.", field)

    def _line_of(self, key: str, nth: int, after: int = 0) -> int | None:
        """Where a key or table stands; tomllib keeps no positions, so the text is searched."""
        name = re.escape(key)
        pattern = re.compile(rf"""\s*(?:["']?{name}["']?\s*=|\[+\s*{name}\s*\]+)""")
        found = [number for number, row in enumerate(self._rows, 1) if pattern.match(row)]
        found = [number for number in found if number > after] or found or [after or 0]
        return found[min(nth, len(found)) - 1] or None


def _first_key(error: ValueError, otherwise: str) -> str:
    """The key that an error is about: its first word in backticks."""
    found = re.search("`([^`]+)`", str(error))
    return found[1] if found else otherwise


def _is_line(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= MAX_LINE_CHARS
