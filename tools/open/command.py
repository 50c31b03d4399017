"""`doll open`: opens the relay's page in a browser, which proves that it is on this machine."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from relay.config import RelaySettings, load
from relay.web.here import HERE_PATH, leave_ticket
from tools.texts import texts


def open_page(
    config: Annotated[
        Path | None, typer.Option(help="The relay's settings file; doll.toml here.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port of the relay, if not its settings'.")
    ] = None,
    owner: Annotated[
        bool, typer.Option("--owner", help="The owner's page instead of the doll's.")
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Only print the link.")] = False,
) -> None:
    """Open the doll in a browser on the relay's machine: it needs no code there."""
    say = texts(__file__)
    relay = load(config, {"relay": {"port": port}}).relay
    try:
        ticket = leave_ticket(relay.data)
    except OSError:
        typer.secho(say["error_data"].format(data=relay.data), fg=typer.colors.RED, err=True)
        raise typer.Exit(2) from None
    url = address(relay, ticket, owner=owner)
    typer.echo(say["link"].format(url=url))
    if not show:
        webbrowser.open(url)


def address(relay: RelaySettings, ticket: str, *, owner: bool) -> str:
    """Where a browser shows the ticket."""
    scheme = "https" if relay.tls_certificate else "http"
    query = "?to=" if owner else ""
    return f"{scheme}://localhost:{relay.port}{HERE_PATH}{ticket}{query}"
