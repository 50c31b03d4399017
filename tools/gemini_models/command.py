"""`doll models`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from relay.config import Settings, load
from relay.errors import ErrorKind, ProviderError
from relay.quota.limits import Limits
from tools.texts import texts


def models(
    config: Annotated[
        Path | None, typer.Option(help="Settings file; doll.toml here if it exists.")
    ] = None,
) -> None:
    """List the Gemini models that your key can use, and how much of each. Costs no allowance."""
    settings = load(config)
    key = settings.llm.gemini.api_key
    said = texts(__file__)
    if key is None or not key.get_secret_value().strip():
        typer.echo(said["no_key"].strip(), err=True)
        raise typer.Exit(1)
    if not asyncio.run(_show(settings, key.get_secret_value(), said)):
        raise typer.Exit(1)


async def _show(settings: Settings, key: str, said: dict[str, str]) -> bool:
    """Print both lists; whether any model of the chain is there."""
    from relay.gemini_server import GeminiServer
    from tools.gemini_models.listing import Row, rows

    def line(row: Row) -> str:
        about = [_limits(row.limits, said)]
        if row.learned:
            about.append(said["learned"])
        if row.today is not None:
            about.append(said["today"].format(count=row.today))
        about.append(said["hears" if row.hears else "deaf"])
        if not row.there:
            about = [said["gone"]]
        return f"{'✓' if row.there else '✗'} {row.name:<28}{', '.join(about)}"

    server = GeminiServer(key, settings.llm.gemini.base_url)
    try:
        async with asyncio.timeout(30):
            chain, others = await rows(server, settings, key)
    except TimeoutError:
        raise ProviderError(ErrorKind.NETWORK, said["slow"]) from None
    finally:
        await server.close()
    typer.echo(said["chain"])
    for number, row in enumerate(chain, 1):
        typer.echo(f"  {number} {line(row)}")
    if others:
        typer.echo(said["others"])
        for row in others:
            typer.echo(f"    {line(row)}")
    typer.echo(said["note"].strip())
    if not any(row.there for row in chain):
        typer.secho(said["none"], fg=typer.colors.RED, err=True)
        return False
    return True


def _limits(limits: Limits, said: dict[str, str]) -> str:
    if limits.never:
        return said["never"]
    known = [
        said[name].format(count=f"{count:,}")
        for name in ("requests_per_minute", "tokens_per_minute", "requests_per_day")
        if (count := getattr(limits, name)) is not None
    ]
    return " · ".join(known) or said["unknown"]
