"""The relay's database for commands that run beside the relay, and how they tell what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from relay.config import Settings, load
from relay.devices.pairing import Pairing
from relay.devices.records import RegistryError
from relay.devices.registry import Registry
from relay.memory.store import MemoryStore
from relay.persona import PersonaError
from relay.persona.shared import SharedPersonas
from relay.store.database import FILE, Database, StoreError
from tools.pairing import has_database
from tools.texts import texts

Config = Annotated[Path | None, typer.Option(help="The relay's settings file; doll.toml here.")]
Doll = Annotated[str, typer.Argument(metavar="DOLL", help="Its name or its id.")]


@dataclass(frozen=True, slots=True)
class Store:
    """What a relay keeps."""

    database: Database
    registry: Registry
    pairing: Pairing
    memory: MemoryStore


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Store]:
    """The store of the relay with these settings. Raises RegistryError where none has run."""
    if not has_database(settings.relay):
        raise RegistryError("no_relay", file=settings.relay.data / FILE)
    database = await Database.open(settings.relay.data, settings.relay.database_url)
    try:
        registry = Registry(database)
        pairing = Pairing(database, registry, settings.pairing)
        yield Store(database, registry, pairing, MemoryStore(database))
    finally:
        await database.close()


@asynccontextmanager
async def with_personas(settings: Settings, database: Database) -> AsyncIterator[Settings]:
    """The settings with the personas that the relay finds: where the database is shared those are
    in there, and a copy of them stands in a folder while the block runs."""
    if database.is_sqlite:
        yield settings
        return
    shared = await SharedPersonas.open(database)
    try:
        yield settings.with_personas(shared.folder)
    finally:
        await shared.close()


def run(
    command: str, config: Path | None, work: Callable[[Settings, Store], Awaitable[None]]
) -> None:
    """Do `work` with the store that the settings name."""

    async def working() -> None:
        settings = load(config)
        async with opened(settings) as store, with_personas(settings, store.database) as whole:
            await work(whole, store)

    with telling(command):
        asyncio.run(working())


@contextmanager
def telling(command: str) -> Iterator[None]:
    """End the command with one sentence if it could not be done."""
    try:
        yield
    except RegistryError as error:
        sentence = texts(__file__)["error_" + error.problem].format(**error.values)
    except (PersonaError, StoreError) as error:
        sentence = str(error)
    except SQLAlchemyError as error:
        sentence = texts(__file__)["error_database"].format(detail=type(error).__name__)
    else:
        return
    typer.secho(f"{command}: {sentence}", fg=typer.colors.RED, err=True)
    raise typer.Exit(1)
