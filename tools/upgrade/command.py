"""`doll upgrade` passes its arguments on to the program that also works without it."""

from __future__ import annotations

import typer

from tools.upgrade.__main__ import main

#: For `app.command`: argparse reads the arguments, as it does before typer is installed.
PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


def upgrade(context: typer.Context) -> None:
    """Install a release beside the one that runs, switch to it, and back if it does not serve."""
    raise typer.Exit(main(context.args))
