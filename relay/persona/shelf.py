"""The owner's own personas as text: read, checked, written. Blocks: call it in a thread."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from relay.files import replacing
from relay.persona.base import Persona
from relay.persona.loader import MAX_FILE_BYTES, SHIPPED, PersonaError, find, load, names

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Listed:
    """One persona of those that there are."""

    id: str  #: what the file is called, and what a doll is given
    name: str  #: what it calls itself; empty if the file cannot be used
    owner: str
    languages: tuple[str, ...]
    voice: str
    own: bool  #: the owner's, or a copy of a shipped one
    shipped: bool  #: there is one of that name among the shipped ones
    problem: str  #: why it cannot be used; empty if it can


class PersonaShelf:
    """The folder of the owner's, before the shipped ones. Names only, no paths."""

    def __init__(self, folder: Path) -> None:
        """`folder` need not be there."""
        self._folder = folder

    def list(self) -> list[Listed]:
        """All of them, sorted."""
        return [self._listed(name) for name in names(self._folder)]

    def text(self, name: str) -> str:
        """A file as it is. Raises PersonaError."""
        path = find(_checked(name), self._folder)
        try:
            return path.read_text(encoding="utf-8", errors="replace")[:MAX_FILE_BYTES]
        except OSError as error:
            raise PersonaError(f"{name} cannot be read: {error.strerror}.") from None

    def check(self, text: str, name: str = "persona") -> Persona:
        """The persona that the text describes. Raises PersonaError, which calls it NAME.toml."""
        with tempfile.TemporaryDirectory(prefix="persona-") as folder:
            path = Path(folder, f"{_checked(name)}.toml")
            try:
                path.write_text(text, encoding="utf-8", newline="")
                return load(path)
            except UnicodeEncodeError:
                raise PersonaError(f"{path.name} has a character that is none.") from None
            except PersonaError as error:
                why = str(error).replace(str(path), path.name)
                raise PersonaError(why, error.field) from None

    def save(self, name: str, text: str) -> None:
        """Keep it as the owner's own, if it can be used. Raises PersonaError, OSError."""
        self.check(text, name)
        self._folder.mkdir(parents=True, exist_ok=True)
        with replacing(self._folder / f"{name}.toml") as partial:
            partial.write_text(text, encoding="utf-8", newline="")

    def remove(self, name: str) -> bool:
        """Delete the owner's own; a shipped one of that name is there again. Whether there was
        one. Raises PersonaError, OSError."""
        path = self._folder / f"{_checked(name)}.toml"
        was_there = path.is_file()
        path.unlink(missing_ok=True)
        return was_there

    def _listed(self, name: str) -> Listed:
        own = (self._folder / f"{name}.toml").is_file()
        shipped = (SHIPPED / f"{name}.toml").is_file()
        try:
            persona = load(find(name, self._folder))
        except PersonaError as error:
            why = re.sub(r"\S*/", "", str(error))
            return Listed(name, "", "", (), "", own, shipped, why)
        return Listed(
            name, persona.name, persona.owner, persona.languages, persona.voice, own, shipped, ""
        )


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise PersonaError("A persona's name has letters, digits, - and _, at most 64 of them.")
    return name
