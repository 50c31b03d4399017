"""The owner's personas for commands: in a folder, or in the database that several relays share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from relay.config import Settings
from relay.persona.shared import SharedPersonas
from relay.persona.shelf import PersonaShelf
from relay.store.database import Database


@dataclass(frozen=True, slots=True)
class Own:
    """`settings` find them. `save` keeps one, if it can be used, and says where that is."""

    settings: Settings
    save: Callable[[str, str], str]
    is_shared: bool = False


@contextmanager
def own_personas(settings: Settings) -> Iterator[Own]:
    """Those of the relay with these settings. Raises StoreError, SQLAlchemyError."""
    folder = settings.personas_folder
    if not settings.relay.database_url:

        def keep(name: str, text: str) -> str:
            PersonaShelf(folder).save(name, text)
            return str(folder / f"{name}.toml")

        yield Own(settings, keep)
        return
    with asyncio.Runner() as runner:
        relay = settings.relay
        database = runner.run(Database.open(relay.data, relay.database_url))
        try:
            shared = runner.run(SharedPersonas.open(database))

            def share(name: str, text: str) -> str:
                runner.run(shared.save(name, text))
                return name

            try:
                yield Own(settings.with_personas(shared.folder), share, is_shared=True)
            finally:
                runner.run(shared.close())
        finally:
            runner.run(database.close())


def texts_in(path: Path) -> list[Path]:
    """A persona's file, or those of a folder."""
    return sorted(path.glob("*.toml")) if path.is_dir() else [path]
