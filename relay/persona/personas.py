"""The characters that the dolls of a relay have, each read again when its file changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from relay.persona.base import Manner, Persona
from relay.persona.learning.shelf import LearnedShelf, ShelfError
from relay.persona.loader import PersonaError, find, load

#: How many are kept: more than a home has, and few enough not to matter.
_MOST = 256

#: So often the files are looked at.
_LOOK_S = 0.5

_Version = tuple[str, int, int, int]


@dataclass(slots=True)
class _Kept:
    version: _Version | None = None
    persona: Persona | None = None  # its last good version, without a manner
    learned: tuple[int, int] | None = None
    manner: Manner | None = None
    whole: Persona | None = None  # with it


class Personas:
    """Personas by name. `folder` holds the owner's own, which go before those that are shipped;
    `learned`, what was learned for them; `default` is the name of the relay's own."""

    def __init__(
        self,
        folder: Path | None = None,
        learned: LearnedShelf | None = None,
        default: str = "",
    ) -> None:
        self._folder = folder
        self._learned = learned
        self._default = default
        self._kept: dict[str, _Kept] = {}

    def of(self, name: str) -> Persona | None:
        """The persona as it was at the last look; one that is new is read now.

        None, and a line in the log, if it cannot be used. While a file is wrong, its last good
        version counts.
        """
        kept = self._kept.get(name)
        if kept is None:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            kept = self._kept[name] = _Kept()
            self._read(name, kept)
        return kept.whole

    def default(self) -> Persona | None:
        """The relay's own; None where it was not named."""
        return self.of(self._default) if self._default else None

    def look(self) -> list[Persona]:
        """Look at the files of all that were ever asked for; those that have changed. Blocks."""
        changed = []
        for name, kept in list(self._kept.items()):
            before = kept.whole
            self._read(name, kept)
            self._learn(name, kept)
            if kept.whole is not None and kept.whole is not before:
                changed.append(kept.whole)
        return changed

    async def watch(self, on_change: Callable[[Persona], object] = lambda _: None) -> None:
        """Look for ever, off the event loop. `on_change` gets each persona that has changed."""
        while True:
            for persona in await asyncio.to_thread(self.look):
                on_change(persona)
            await asyncio.sleep(_LOOK_S)

    def _read(self, name: str, kept: _Kept) -> None:
        try:
            path = find(name, self._folder)
            status = path.stat()
            version = (str(path), status.st_ino, status.st_mtime_ns, status.st_size)
        except (PersonaError, OSError) as error:
            if kept.version != ("", 0, 0, 0):
                structlog.get_logger().warning("persona not found", persona=name, why=str(error))
            kept.version = ("", 0, 0, 0)
            return
        if version == kept.version:
            return
        kept.version = version
        try:
            kept.persona = load(path)
        except PersonaError as error:
            structlog.get_logger().warning("persona not usable", persona=name, why=str(error))
        else:
            kept.whole = replace(kept.persona, manner=kept.manner)

    def _learn(self, name: str, kept: _Kept) -> None:
        if self._learned is None or kept.persona is None:
            return
        learned_name = Path(name).stem
        version = self._learned.version(learned_name)
        if version == kept.learned:
            return
        kept.learned = version
        try:
            kept.manner = self._learned.load(learned_name) if version else None
        except ShelfError as error:
            structlog.get_logger().warning("manner not usable", persona=name, why=str(error))
            kept.manner = None
        kept.whole = replace(kept.persona, manner=kept.manner)
