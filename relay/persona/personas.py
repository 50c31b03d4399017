"""The characters that the dolls of a relay have, each read once and again when its file changes."""

from __future__ import annotations

from pathlib import Path

import structlog

from relay.persona.base import Persona
from relay.persona.loader import PersonaError, find, load

#: How many are kept: more than a home has, and few enough not to matter.
_MOST = 256


class Personas:
    """Personas by name. `folder` holds the owner's own, which go before those that are shipped."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._kept: dict[str, tuple[tuple[str, int, int], Persona | None]] = {}

    def of(self, name: str) -> Persona | None:
        """The persona as its file is now; None, and a line in the log, if it cannot be used.

        While a file is wrong, its last good version counts.
        """
        kept, before = self._kept.get(name, (None, None))
        try:
            path = find(name, self._folder)
            status = path.stat()
            version = (str(path), status.st_mtime_ns, status.st_size)
        except (PersonaError, OSError) as error:
            version = ("", 0, 0)
            if version != kept:
                structlog.get_logger().warning("persona not found", persona=name, why=str(error))
                self._keep(name, version, before)
            return before
        if version == kept:
            return before
        try:
            before = load(path)
        except PersonaError as error:
            structlog.get_logger().warning("persona not usable", persona=name, why=str(error))
        self._keep(name, version, before)
        return before

    def _keep(self, name: str, version: tuple[str, int, int], persona: Persona | None) -> None:
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[name] = (version, persona)
