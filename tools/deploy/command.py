"""`doll deploy`: run as root on the server, or anywhere with --root to look at the files first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tools.deploy.plan import Plan, PlanError
from tools.deploy.write import ASIDE, Outcome, write
from tools.texts import texts


def deploy(
    domain: Annotated[str, typer.Argument(help="The name at which dolls find the server.")],
    root: Annotated[Path, typer.Option(help="Write below this folder.")] = Path("/"),
    base: Annotated[str, typer.Option(help="Where `doll upgrade` keeps releases.")] = "/opt/doll",
    port: Annotated[int, typer.Option(help="Of the relay, behind Caddy.")] = 8000,
    flavour: Annotated[
        str, typer.Option(help="cloud (small, needs a key) or embedded (2 GB of memory).")
    ] = "cloud",
    memory: Annotated[
        int | None, typer.Option(help="MB above which the system holds the relay back.", min=128)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that differ.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be.")] = False,
) -> None:
    """Write what a Debian or Ubuntu server needs: service, Caddy, settings, key file, backups."""
    say = texts(__file__)
    try:
        limit = {} if memory is None else {"memory_mb": memory}
        plan = Plan(domain.strip().lower().rstrip("."), base, port, flavour, **limit)
    except PlanError as error:
        raise _failed(say[error.key].format(value=error.value[:80])) from None
    kept = False
    for file in plan.files():
        try:
            outcome = write(root, file, force=force, dry_run=dry_run)
        except OSError as error:
            raise _failed(
                say["error_write"].format(path=file.path, detail=error.strerror)
            ) from None
        kept |= outcome is Outcome.KEPT and not file.secret
        typer.echo(f"{say[outcome.value]:<12} {file.path} ({file.mode:04o})")
        if outcome is Outcome.PACKAGED and not dry_run:
            aside = f"{file.path}{ASIDE}"
            typer.echo(say["hint_packaged"].format(path=file.path, aside=aside))
    if kept:
        typer.secho(say["hint_kept"], fg=typer.colors.YELLOW, err=True)
    if not dry_run:
        typer.echo(say["next"].format(domain=plan.domain))


def _failed(why: str) -> typer.Exit:
    typer.secho(f"doll deploy: {why}", fg=typer.colors.RED, err=True)
    return typer.Exit(1)
