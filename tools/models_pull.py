"""`doll models`, and `doll models pull`: the models of the brain, and those of the embedded ear."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TimeRemainingColumn

from relay.hub import WHISPERS
from relay.hub import pull as download
from tools.gemini_models.command import models as gemini_models

models = typer.Typer(help=gemini_models.__doc__, invoke_without_command=True)


@models.callback()
def _list(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="Settings file; doll.toml here if it exists.")
    ] = None,
) -> None:
    """List the Gemini models that your key can use, and how much of each. Costs no allowance."""
    if context.invoked_subcommand is None:
        gemini_models(config)


@models.command()
def pull(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(WHISPERS)}.")],
    mirror: Annotated[
        str, typer.Option(help="Another hub than huggingface.co; HF_ENDPOINT does the same.")
    ] = "",
) -> None:
    """Download a Whisper model for `stt.model`, checked by its digest; goes on where it stopped."""
    if name not in WHISPERS:
        raise typer.BadParameter(f"There is no model {name!r}; choose of {', '.join(WHISPERS)}.")
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TimeRemainingColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns) as bars:

        def show(file: str, there: int, whole: int) -> None:
            if file not in tasks:
                tasks[file] = bars.add_task(file, total=whole)
            bars.update(tasks[file], completed=there)

        home = download(WHISPERS[name], hub=mirror, progress=show)
    typer.echo(f'The model is in {home}. To hear with it: stt.model = "{name}"')
