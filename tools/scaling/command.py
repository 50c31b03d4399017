"""`doll scale`: the layout and the bill for a number of dolls."""

from __future__ import annotations

import json as jsons
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tools.bench.parts import Format


def scale(
    dolls: Annotated[int, typer.Option(help="How many there are.", min=1, max=100_000_000)],
    minutes_per_day: Annotated[
        float | None, typer.Option(help="Of talk, for each doll.", min=0.1, max=1440)
    ] = None,
    codec: Annotated[Format, typer.Option(help="What they send.")] = Format.ADPCM,
    assumptions: Annotated[
        Path | None, typer.Option(help="Your usage and prices: a copy of assumptions.toml.")
    ] = None,
    language: Annotated[str, typer.Option(help="en or ko.")] = "en",
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """What so many dolls need, and what that costs a month."""
    from tools.scaling import figures, plan, tables
    from tools.scaling.bottlenecks import bottlenecks

    try:
        assumed = figures.assumptions(assumptions or figures.ASSUMPTIONS)
    except figures.FiguresError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from None
    if language not in ("en", "ko"):
        raise typer.BadParameter("must be en or ko", param_hint="--language")
    if minutes_per_day is not None:
        assumed = plan.with_minutes(assumed, minutes_per_day)
    measured = figures.costs()
    found = plan.plan(dolls, codec, measured, assumed)
    limits = bottlenecks(codec, measured, assumed)
    if json:
        told = asdict(found) | {"bottlenecks": [asdict(limit) for limit in limits]}
        print(jsons.dumps(told | {"prices_seen": str(assumed.prices.seen)}))
        return
    text = tables.words(language)
    shown = Table(f"{dolls:,} {text['dolls']}", "")
    for name, tell in tables.load_rows(text):
        shown.add_row(name, tell(found))
    for name, about in tables.limit_rows(text, limits):
        shown.add_row(name, about(dolls))
    shown.add_section()
    for name, tell in tables.bill_rows(text):
        shown.add_row(name, tell(found))
    console = Console(highlight=False)
    console.print(shown)
    console.print(
        f"US dollars a month, prices as of {assumed.prices.seen}: check your provider. "
        "What was assumed: tools/scaling/assumptions.toml"
    )
