"""The `doll` command: one command set for the relay, the simulated doll and the measurements."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from relay.config import ConfigError, load
from relay.errors import ProviderError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# A relay runs for months, and would keep 4 MB of what the other commands need.
if sys.argv[1:2] != ["relay"]:
    from tools.commands import add_to

    add_to(app)


@app.callback()
def doll() -> None:
    """The talking doll: run the relay, try a doll without hardware, measure."""


@app.command()
def relay(
    config: Annotated[
        Path | None, typer.Option(help="Settings file; doll.toml here if it exists.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    home: Annotated[
        bool, typer.Option("--home", help="Dolls of the network at home may come, without TLS.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(help="Processes; more than one need relay.redis.")
    ] = None,
    persona: Annotated[str | None, typer.Option(help="A shipped persona, or a TOML file.")] = None,
    log_format: Annotated[str | None, typer.Option(help="text or json.")] = None,
) -> None:
    """Run the relay that dolls connect to."""
    from relay.serve import serve

    if home:
        host = host or "0.0.0.0"  # noqa: S104 (who is not at home is refused)
    flags: dict[str, dict[str, object]] = {
        "relay": {
            "host": host,
            "port": port,
            "log_format": log_format,
            "home_network": home or None,
            "workers": workers,
        },
        "persona": {"name": persona},
    }
    serve(load(config, flags))


def main() -> None:
    """Entry point: what an owner can mend is told in one line, without a traceback."""
    try:
        app()
    except (ConfigError, ProviderError) as error:
        typer.secho(f"doll: {error}", fg=typer.colors.RED, err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
