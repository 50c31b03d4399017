"""`doll telegram`: who may write to the doll in Telegram. Run it where the relay runs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from relay.config import Settings
from relay.telegram.people import CODE_S, People
from tools.devices.store import Config, Store, run
from tools.texts import texts

telegram = typer.Typer(help="Who may write to the doll in Telegram.", no_args_is_help=True)

console = Console(highlight=False, soft_wrap=True)


@telegram.command()
def link(config: Config = None) -> None:
    """A code that lets one person in."""

    async def work(settings: Settings, store: Store) -> None:
        code = await People(store.database).new_code()
        _say("link", code=code, minutes=CODE_S // 60)
        if settings.telegram.token is None:
            _say("no_token")

    run("doll telegram link", config, work)


@telegram.command("list")
def list_(config: Config = None) -> None:
    """Who was let in by a code, and whom the settings name."""

    async def work(settings: Settings, store: Store) -> None:
        zone = ZoneInfo(settings.persona.timezone)
        people = await People(store.database).all()
        for person in people:
            linked = datetime.fromtimestamp(person.linked, zone)
            console.print(f"{person.id:>12}  {linked:%Y-%m-%d}  {person.name}", markup=False)
        for who in settings.telegram.allowed:
            console.print(f"{who:>12}  telegram.allowed", markup=False)
        if not people and not settings.telegram.allowed:
            _say("nobody")

    run("doll telegram list", config, work)


@telegram.command()
def remove(
    person: Annotated[int, typer.Argument(help="Their id, as `doll telegram list` shows it.")],
    config: Config = None,
) -> None:
    """Let somebody write no more, from their next message on."""

    async def work(_: Settings, store: Store) -> None:
        known = await People(store.database).remove(person)
        _say("removed" if known else "unknown", id=person)
        if not known:
            raise typer.Exit(1)

    run("doll telegram remove", config, work)


def _say(key: str, **values: object) -> None:
    console.print(texts(__file__)[key].format(**values), markup=False)
