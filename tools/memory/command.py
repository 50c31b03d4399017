"""`doll memory`: see, edit, export and delete what a doll remembers.

Run it where the relay runs, with its settings. A relay that runs follows within a second; what is
deleted is gone from its RAM and from the database's files (docs/memory.md).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import click
import typer
from rich.console import Console

from relay.config import Settings
from relay.memory.facts import Facts
from relay.memory.records import MAX_FACT_CHARS, Fact, one_line
from relay.recorder.shelf import Recordings
from tools.devices.store import Config, Doll, Store, run
from tools.memory.export import export as write_export
from tools.texts import texts

memory = typer.Typer(help="What a doll remembers.", no_args_is_help=True)

console = Console(highlight=False, soft_wrap=True)

_Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@memory.command()
def show(
    doll: Doll,
    last: Annotated[int, typer.Option(help="How many turns.", min=0, max=1000)] = 10,
    config: Config = None,
) -> None:
    """The last turns of a doll, and what was before them in short."""

    async def work(settings: Settings, store: Store) -> None:
        record = await store.registry.find(doll)
        amount = await store.memory.amount(record.id)
        kept = await store.memory.load(record.id, last)
        if not amount.turns:
            _say("nothing", name=record.name)
            return
        _say(
            "amount",
            name=record.name,
            turns=amount.turns,
            facts=amount.facts,
            first=_when(amount.first or 0, settings),
        )
        if kept.summary:
            _say("summary", at=_when(kept.summary.at, settings), text=kept.summary.text)
        for turn in kept.turns:
            _say("turn", at=_when(turn.at, settings), id=turn.id)
            _say("heard", text=turn.heard)
            _say("said", name=record.name, text=turn.said)

    run("doll memory show", config, work)


@memory.command()
def facts(
    doll: Doll,
    add: Annotated[str, typer.Option(help="Tell the doll one more.")] = "",
    remove: Annotated[int, typer.Option(help="Let it forget one, by its number.", min=0)] = 0,
    config: Config = None,
) -> None:
    """What a doll has noted about its owner."""

    async def work(settings: Settings, store: Store) -> None:
        record = await store.registry.find(doll)
        known = list((await store.memory.load(record.id, 0)).facts)
        if remove:
            if remove > len(known):
                raise _problem("no_such_fact", number=remove, name=record.name)
            del known[remove - 1]
        if add:
            changed = Facts(settings.memory.facts)
            changed.replace(known)
            changed.propose(add, int(time.time()))
            known = list(changed)
        if add or remove:
            await store.memory.set_facts(record.id, known)
            if remove:
                await store.database.empty_log()
        for number, fact in enumerate(known, 1):
            console.print(f"{number:3}  {_day(fact, settings)}  {fact.text}", markup=False)
        if not known:
            _say("no_facts", name=record.name)

    run("doll memory facts", config, work)


@memory.command()
def edit(doll: Doll, config: Config = None) -> None:
    """Change what a doll has noted, in your editor ($EDITOR)."""

    async def work(settings: Settings, store: Store) -> None:
        record = await store.registry.find(doll)
        known = (await store.memory.load(record.id, 0)).facts
        lines = [f"# {texts(__file__)['edit_hint']}"]
        lines += [f"{_day(fact, settings)} {fact.text}" for fact in known]
        edited = click.edit("\n".join(lines) + "\n", extension=".txt")
        if edited is None or (wanted := read(edited, known, settings)) == list(known):
            _say("unchanged")
            return
        await store.memory.set_facts(record.id, wanted)
        await store.database.empty_log()
        _say("saved", count=len(wanted))

    run("doll memory edit", config, work)


@memory.command("export")
def export_(
    doll: Doll,
    to: Annotated[
        Path | None, typer.Option("--to", "-o", help="A new file; standard output without it.")
    ] = None,
    config: Config = None,
) -> None:
    """Everything that a doll remembers, as JSON."""

    async def work(settings: Settings, store: Store) -> None:
        record = await store.registry.find(doll)
        zone = ZoneInfo(settings.persona.timezone)
        try:
            turns, known = await write_export(store.memory, record, zone, to)
        except FileExistsError:
            raise _problem("exists", file=to) from None
        if to is not None:
            _say("exported", file=to, turns=turns, facts=known)

    run("doll memory export", config, work)


@memory.command()
def delete(
    doll: Doll,
    turn: Annotated[int, typer.Option(help="Only this turn, by its number.", min=0)] = 0,
    keep_facts: Annotated[bool, typer.Option(help="All but the facts.")] = False,
    yes: _Yes = False,
    config: Config = None,
) -> None:
    """Forget what was said to a doll, for good: its turns, summary, facts and recordings."""

    async def work(settings: Settings, store: Store) -> None:
        record = await store.registry.find(doll)
        if turn:
            if not await store.memory.delete_turn(record.id, turn):
                raise _problem("no_such_turn", id=turn, name=record.name)
            await store.database.scrub("turns", "summaries")
            _say("deleted_turn", id=turn)
            return
        amount = await store.memory.amount(record.id)
        question = "sure_talk" if keep_facts else "sure_all"
        if not yes and not typer.confirm(
            texts(__file__)[question].format(
                name=record.name, turns=amount.turns, facts=amount.facts
            )
        ):
            raise typer.Exit(1)
        await store.memory.delete_all(record.id, keep_facts=keep_facts)
        Recordings.of(settings).delete(record.id)
        if not await store.database.scrub("turns", "summaries", "facts"):
            _say("deleted_busy")
        else:
            _say("deleted" if store.database.is_sqlite else "deleted_postgres")

    run("doll memory delete", config, work)


def read(edited: str, known: Sequence[Fact], settings: Settings) -> list[Fact]:
    """The facts of a text as `edit` gives it to the editor. What is not new keeps its moment."""
    wanted: list[Fact] = []
    for line in map(str.strip, edited.splitlines()):
        if not line or line.startswith("#"):
            continue
        before, _, behind = line.partition(" ")
        try:
            at = int(datetime.fromisoformat(before).replace(tzinfo=_zone(settings)).timestamp())
            text = one_line(behind, MAX_FACT_CHARS)
        except ValueError:
            at, text = int(time.time()), one_line(line, MAX_FACT_CHARS)
        old = next((fact for fact in known if fact.text == text), None)
        if text:
            wanted.append(old or Fact(at, text))
    return sorted(wanted, key=lambda fact: fact.at)[-settings.memory.facts :]


def _problem(key: str, **values: object) -> click.ClickException:
    return click.ClickException(texts(__file__)[key].format(**values))


def _say(key: str, **values: object) -> None:
    console.print(texts(__file__)[key].format(**values), markup=False)


def _day(fact: Fact, settings: Settings) -> str:
    return f"{datetime.fromtimestamp(fact.at, _zone(settings)):%Y-%m-%d}"


def _when(at: int, settings: Settings) -> str:
    return f"{datetime.fromtimestamp(at, _zone(settings)):%Y-%m-%d %H:%M}"


def _zone(settings: Settings) -> ZoneInfo:
    return ZoneInfo(settings.persona.timezone)
