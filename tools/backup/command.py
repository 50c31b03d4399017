"""`doll backup` and `doll restore`: run them where the relay runs, with its settings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from relay.config import load
from tools.backup.archive import back_up
from tools.backup.errors import BackupError
from tools.backup.restore import prune, restore
from tools.texts import texts

_Config = Annotated[Path | None, typer.Option(help="The relay's settings file; doll.toml here.")]


def backup(
    to: Annotated[
        Path | None, typer.Argument(help="A new file, or a folder; without it this one.")
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Delete all but so many archives in the folder.")
    ] = None,
    config: _Config = None,
) -> None:
    """Copy all that the relay keeps into one file; the relay may go on."""
    say = texts(__file__)
    settings = load(config)
    archive = to or Path()
    if archive.is_dir():
        archive /= f"doll-{datetime.now(UTC):%Y%m%d-%H%M%S}.tar.gz"
    elif keep is not None:
        raise _failed("backup", say["keep_needs_folder"])
    try:
        entries = back_up(settings.relay.data, archive)
    except BackupError as error:
        raise _failed("backup", say[error.key].format(**error.facts)) from None
    typer.echo(say["made"].format(path=archive, files=len(entries)))
    if settings.relay.database_url:
        typer.secho(say["elsewhere"], fg=typer.colors.YELLOW, err=True)
    if keep is not None:
        for path in prune(archive.parent, keep):
            typer.echo(say["pruned"].format(path=path))


def restore_backup(
    archive: Annotated[Path, typer.Argument(help="What `doll backup` has written.")],
    force: Annotated[
        bool, typer.Option("--force", help="Put it in place of data that is there.")
    ] = False,
    config: _Config = None,
) -> None:
    """Put a backup back. Stop the relay first."""
    say = texts(__file__)
    data = load(config).relay.data
    try:
        aside = restore(archive, data, force=force)
    except BackupError as error:
        raise _failed("restore", say[error.key].format(**error.facts)) from None
    typer.echo(say["restored"].format(path=data))
    if aside is not None:
        typer.echo(say["aside"].format(path=aside))


def _failed(command: str, why: str) -> typer.Exit:
    typer.secho(f"doll {command}: {why}", fg=typer.colors.RED, err=True)
    return typer.Exit(1)
