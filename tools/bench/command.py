"""`doll bench NAME`: measurements, each with a baseline taken in the same run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from json import dumps
from typing import Annotated, Any

import typer
import uvloop

from relay.errors import ProviderError
from tools.bench.parts import Format, Part
from tools.bench.report import Report

bench = typer.Typer(help="Measure the relay and the doll.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")]


@bench.callback()
def _group() -> None:
    """Measure the relay and the doll."""


@bench.command(rich_help_panel="A turn")
def turn(
    json: Json = False,
    dolls: Annotated[int, typer.Option(help="Dolls that talk at once.", min=1)] = 50,
) -> None:
    """From the last speech to the first sound, with providers that take no time."""
    from tools.bench.turn import measure

    _run(measure(dolls), json)


@bench.command(rich_help_panel="A turn")
def speech(
    json: Json = False,
    only: Annotated[Part | None, typer.Option(help="One part alone.")] = None,
) -> None:
    """How well and how soon the relay hears and speaks with the embedded models."""
    from relay.log import configure
    from tools.bench.speech import measure
    from tools.bench.speech_material import MaterialError

    configure("text", "warning")  # standard output is the report's
    try:
        _run(measure(only), json)
    except (MaterialError, ProviderError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None


@bench.command(rich_help_panel="A doll")
def firmware(
    json: Json = False,
    seconds: Annotated[
        float, typer.Option(help="How long to stream over each network.", min=3)
    ] = 60.0,
) -> None:
    """What streaming costs the doll, and what a bad network does to it."""
    from tools.bench.firmware import measure

    _run(measure(seconds), json)


@bench.command(rich_help_panel="Days and memory")
def quota(json: Json = False) -> None:
    """A simulated day of talk on one free tier: planned with, and run into."""
    from tools.bench.quota import measure

    _run(measure(), json)


@bench.command(rich_help_panel="Days and memory")
def memory(
    json: Json = False,
    messages: Annotated[int, typer.Option(help="How many there are.", min=1_000)] = 100_000,
) -> None:
    """What a long history costs the next turn."""
    from relay.log import configure
    from tools.bench.memory import measure

    configure("text", "warning")
    _run(measure(messages), json)


@bench.command(rich_help_panel="Load")
def capacity(
    json: Json = False,
    codec: Annotated[
        list[Format] | None, typer.Option(help="One format alone; else one after the other.")
    ] = None,
    most: Annotated[int, typer.Option(help="No more dolls than these.", min=2)] = 800,
    check: Annotated[bool, typer.Option(help="Only look whether --most dolls pass.")] = False,
    workers: Annotated[
        int, typer.Option(help="Compare so many processes, each with --dolls, with one.", min=1)
    ] = 1,
    dolls: Annotated[int, typer.Option(help="Of each process, with --workers.", min=2)] = 200,
) -> None:
    """How many talking dolls one core carries, and what more processes add to that."""
    from tools.bench import capacity, capacity_workers

    names = [str(one) for one in codec or Format]
    timing = capacity.CHECK if check else capacity.Timing()
    if workers == 1:
        _run(capacity.measure(names, most, timing), json)
        return
    try:
        _run(capacity_workers.measure(names, workers, dolls, timing), json)
    except capacity_workers.NoRedisError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None


@bench.command(rich_help_panel="Load")
def idle(
    json: Json = False,
    dolls: Annotated[int, typer.Option(help="Dolls that rest.", min=1)] = 1000,
    seconds: Annotated[float, typer.Option(help="How long to look at them.", min=1)] = 20.0,
) -> None:
    """What a doll costs that nobody talks with, in memory and CPU."""
    from tools.bench.idle import measure

    _run(measure(dolls, seconds), json)


@bench.command(rich_help_panel="A turn")
def pipeline(
    json: Json = False,
    turns: Annotated[int, typer.Option(help="Turns of each kind.", min=2)] = 12,
) -> None:
    """From voice to voice with providers that take their time, and how soon all stops."""
    from relay.log import configure
    from tools.bench.pipeline import measure

    configure("text", "error")
    _run(measure(turns), json)


@bench.command(rich_help_panel="Hours and faults")
def soak(
    json: Json = False,
    minutes: Annotated[float, typer.Option(help="Of real time.", min=0.1)] = 5.0,
    virtual_hours: Annotated[float, typer.Option(help="Of time that jumps.", min=0.01)] = 2.0,
) -> None:
    """Dolls that come, talk, drop and leave for hours: what stays behind."""
    from relay.log import configure
    from tools.bench.soak import measure

    configure("text", "critical")  # what fails, fails on purpose
    _run(measure(minutes, virtual_hours), json)


@bench.command(rich_help_panel="Hours and faults")
def scaling(
    json: Json = False,
    redis: Annotated[str, typer.Option(help="URL of an empty Redis server to measure.")] = "",
    postgres: Annotated[str, typer.Option(help="URL of an empty database to measure.")] = "",
    dolls: Annotated[int, typer.Option(help="That those are to carry.", min=100)] = 10_000,
    largest: Annotated[int, typer.Option(help="The most that are simulated.", min=1)] = 1_000_000,
    arrivals: Annotated[bool, typer.Option(help="Measure handshakes and greetings too.")] = False,
) -> None:
    """Very many dolls: a day, a restart and a quota simulated, real servers measured."""
    from relay.log import configure
    from tools.scaling.bench import measure

    configure("text", "warning")
    _print(asyncio.run(measure(redis, postgres, dolls, largest, arrivals=arrivals)), json)


@bench.command(rich_help_panel="Hours and faults")
def faults(json: Json = False) -> None:
    """Break everything once: how long until the doll talks again, and what is lost."""
    from relay.log import configure
    from tools.faults.table import measure

    configure("text", "error")
    _print(asyncio.run(measure()), json)  # on the loop of the tests


@bench.command("all", rich_help_panel="Everything")
def everything(json: Json = False) -> None:
    """All of them, each for a short time: about a quarter of an hour."""
    from tools.bench.all import measure, print_table

    reports = uvloop.run(measure())
    if json:
        print(dumps({"name": "all", "benches": reports}))
    else:
        print_table(reports)


def _run(measurement: Coroutine[Any, Any, Report], json: bool) -> None:
    _print(uvloop.run(measurement), json)


def _print(report: Report, json: bool) -> None:
    if json:
        print(report.as_json())
    else:
        report.print_table()
