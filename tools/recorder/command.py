"""`doll recorder`: have a doll's turns recorded for a while, and see or delete what there is.

Run it where the relay runs, with its settings. A connected doll follows within a second.
"""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import click
import typer
from rich.console import Console

from relay.config import Settings
from relay.recorder.shelf import Recordings
from tools.devices.store import Config, Doll, Store, run
from tools.texts import texts

recorder = typer.Typer(help="Record a doll's turns, for a while.", no_args_is_help=True)

console = Console(highlight=False, soft_wrap=True)

_SECONDS = {"m": 60, "h": 3_600, "d": 86_400}
_LONGEST_S = 30 * 86_400


@recorder.command()
def on(
    doll: Doll,
    lasts: Annotated[str, typer.Option("--for", help="How long: 30m, 1h, 2d.")] = "1h",
    config: Config = None,
) -> None:
    """Record what is said to a doll and what it answers. It ends by itself."""
    lasts_s = seconds(lasts)

    async def work(settings: Settings, store: Store) -> None:
        record = await store.registry.find(doll)
        until = int(time.time()) + lasts_s
        await store.registry.record_until(record.id, until)
        _say("on", name=record.name, until=_when(until, settings))

    run("doll recorder on", config, work)


@recorder.command()
def off(doll: Doll, config: Config = None) -> None:
    """Stop recording a doll."""

    async def work(settings: Settings, store: Store) -> None:
        record = await store.registry.find(doll)
        await store.registry.record_until(record.id, None)
        _say("off", name=record.name, days=settings.recorder.days)

    run("doll recorder off", config, work)


@recorder.command("list")
def list_(config: Config = None) -> None:
    """Who is recorded, and the folders of what there is."""

    async def work(settings: Settings, store: Store) -> None:
        now = time.time()
        names = {}
        for record in await store.registry.all():
            names[record.id] = record.name
            if record.recorder_until is not None and record.recorder_until > now:
                _say("is_on", name=record.name, until=_when(record.recorder_until, settings))
        kept = Recordings.of(settings).list()
        for item in kept:
            name = names.get(item.device_id, item.device_id)
            line = f"{_when(item.at, settings)}  {name}  {item.size / 1000:.0f} KB  {item.folder}"
            console.print(line, markup=False)
        if not kept:
            _say("none")

    run("doll recorder list", config, work)


@recorder.command()
def delete(doll: Doll, config: Config = None) -> None:
    """Delete the recordings of a doll."""

    async def work(settings: Settings, store: Store) -> None:
        record = await store.registry.find(doll)
        _say("deleted", name=record.name, count=Recordings.of(settings).delete(record.id))

    run("doll recorder delete", config, work)


def seconds(given: str) -> int:
    """30m, 1h or 2d in seconds. Raises click.BadParameter."""
    found = re.fullmatch(r"([1-9]\d{0,5})([mhd])", given.strip().lower())
    lasts_s = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < lasts_s <= _LONGEST_S:
        raise click.BadParameter(texts(__file__)["bad_time"].format(given=given[:20]))
    return lasts_s


def _say(key: str, **values: object) -> None:
    console.print(texts(__file__)[key].format(**values), markup=False)


def _when(at: float, settings: Settings) -> str:
    return f"{datetime.fromtimestamp(at, ZoneInfo(settings.persona.timezone)):%Y-%m-%d %H:%M}"
