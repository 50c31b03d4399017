"""`doll pair` and `doll devices`: run them where the relay runs, with its settings.

They change the relay's database, and the relay looks at that a few times a second. So there is no
door of the relay to guard for them: who may read and write its data folder may do what they do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from relay.config import Settings, load
from relay.devices.removal import remove_doll
from relay.persona import load as load_persona
from relay.recorder.shelf import Recordings
from tools.devices.store import Config, Doll, Store, opened, run, telling, with_personas
from tools.devices.table import table
from tools.pairing import called
from tools.texts import texts

#: For a doll to fetch what was decided, if it is connected.
_ARRIVAL_S = 5.0

devices = typer.Typer(help="The dolls of the relay here.", no_args_is_help=True)

console = Console(highlight=False, soft_wrap=True)

_Name = Annotated[str, typer.Option(help="What to call it; by default as its character.")]
_Persona = Annotated[str, typer.Option(help="A persona's name, or a TOML file; by default all's.")]


def pair(
    code: Annotated[str, typer.Argument(help="The six digits that the doll says.")],
    name: _Name = "",
    persona: _Persona = "",
    config: Config = None,
) -> None:
    """Make the doll that says this code one of the relay's."""
    with telling("doll pair"):
        asyncio.run(_pair(load(config), code, name, persona))


async def _pair(settings: Settings, code: str, name: str, persona: str) -> None:
    say = texts(__file__)
    async with opened(settings) as store, with_personas(settings, store.database) as whole:
        record = await store.pairing.confirm(
            code,
            source="cli",
            name=name,
            persona=_checked(whole, persona),
            suggestion=called(whole, persona),
        )
        with console.status(say["waiting"].format(name=record.name)):
            arrived = await _comes_true(lambda: store.pairing.is_done(record.id))
        key = "paired" if arrived else "confirmed"
        console.print(say[key].format(name=record.name), markup=False)


@devices.command("list")
def list_(config: Config = None) -> None:
    """All dolls: name, persona, when they were last here, firmware, board, id."""
    with telling("doll devices list"):
        asyncio.run(_list(load(config)))


async def _list(settings: Settings) -> None:
    say = texts(__file__)
    async with opened(settings) as store:
        records = await store.registry.all()
    if records:
        console.print(table(records, settings, say))
    else:
        console.print(say["nobody"], markup=False)


@devices.command()
def add(
    device_id: Annotated[str, typer.Argument(metavar="ID", help="The doll's id, its MAC.")],
    name: _Name = "",
    persona: _Persona = "",
    config: Config = None,
) -> None:
    """Make a token for a doll by hand, to be put on it with `doll flash --token`."""

    async def work(settings: Settings, store: Store) -> None:
        token = await store.registry.issue(
            device_id,
            name=name,
            persona=_checked(settings, persona),
            suggestion=called(settings, persona),
        )
        print(token)  # alone on standard output, for a script

    run("doll devices add", config, work)


@devices.command()
def rename(doll: Doll, name: str, config: Config = None) -> None:
    """Call a doll by another name."""

    async def work(_: Settings, store: Store) -> None:
        record = await store.registry.find(doll)
        changed = await store.registry.change(record.id, name=name)
        _say("renamed", old=record.name, name=changed.name)

    run("doll devices rename", config, work)


@devices.command()
def persona(
    doll: Doll,
    persona: Annotated[str, typer.Argument(help='A name, a TOML file, or "" for the relay\'s.')],
    config: Config = None,
) -> None:
    """Give a doll its own character, from its next turn on."""

    async def work(settings: Settings, store: Store) -> None:
        record = await store.registry.find(doll)
        await store.registry.change(record.id, persona=_checked(settings, persona))
        _say("persona", name=record.name, persona=persona or settings.persona.name)

    run("doll devices persona", config, work)


@devices.command()
def language(doll: Doll, language: str, config: Config = None) -> None:
    """Say which language a doll hears first (ko, en); "" for its persona's."""

    async def work(_: Settings, store: Store) -> None:
        record = await store.registry.find(doll)
        await store.registry.change(record.id, language=language)
        _say("language", name=record.name, language=language or "–")

    run("doll devices language", config, work)


@devices.command()
def instruction(
    doll: Doll,
    text: Annotated[
        str | None, typer.Argument(help='Who it is to be; "" for its persona\'s character.')
    ] = None,
    config: Config = None,
) -> None:
    """See or set what a doll is told to be in place of its character."""

    async def work(_: Settings, store: Store) -> None:
        record = await store.registry.find(doll)
        if text is not None:
            record = await store.registry.change(record.id, instruction=text)
        _say("instruction", name=record.name, text=record.instruction or "–")

    run("doll devices instruction", config, work)


@devices.command()
def rotate(doll: Doll, config: Config = None) -> None:
    """Give a doll a new token; the old one ends as soon as the doll has stored it."""

    async def work(_: Settings, store: Store) -> None:
        record = await store.registry.find(doll)
        await store.registry.ask_rotation(record.id)

        async def is_done() -> bool:
            return not (await store.registry.find(record.id)).rotate

        with console.status(texts(__file__)["waiting"].format(name=record.name)):
            arrived = await _comes_true(is_done)
        _say("rotated" if arrived else "will_rotate", name=record.name)

    run("doll devices rotate", config, work)


@devices.command()
def revoke(doll: Doll, config: Config = None) -> None:
    """Send a doll away at once. It is not forgotten, and can be paired again."""

    async def work(_: Settings, store: Store) -> None:
        record = await store.registry.find(doll)
        await store.registry.revoke(record.id)
        _say("revoked", name=record.name)

    run("doll devices revoke", config, work)


@devices.command()
def remove(
    doll: Doll,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: Config = None,
) -> None:
    """Send a doll away and forget it, with all that it remembers and its recordings."""

    async def work(settings: Settings, store: Store) -> None:
        record = await store.registry.find(doll)
        if not yes and not typer.confirm(texts(__file__)["sure"].format(name=record.name)):
            raise typer.Exit(1)
        await remove_doll(store.database, store.registry, Recordings.of(settings), record.id)
        _say("removed", name=record.name)

    run("doll devices remove", config, work)


def _checked(settings: Settings, persona: str) -> str:
    """A persona that can be used, as the relay finds it: a path is made whole. May be empty."""
    if not persona:
        return ""
    load_persona(persona, settings.personas_folder)
    is_path = persona.endswith(".toml") or "/" in persona
    return str(Path(persona).expanduser().resolve()) if is_path else persona


async def _comes_true(question: Callable[[], Awaitable[bool]]) -> bool:
    """Ask a few times a second, for as long as a connected doll may take."""
    try:
        async with asyncio.timeout(_ARRIVAL_S):
            while True:
                if await question():
                    return True
                await asyncio.sleep(0.2)
    except TimeoutError:
        return False


def _say(key: str, **values: object) -> None:
    console.print(texts(__file__)[key].format(**values), markup=False)
