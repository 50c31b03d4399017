"""Edits a persona in the owner's editor. Only what can be used takes the place of what was."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import typer

from relay.files import replacing
from relay.persona import PersonaError
from relay.persona import load as load_persona
from relay.persona.loader import SHIPPED, find


class EditError(Exception):
    """It cannot be edited; the message says why and what to do."""


def edit(
    name: str,
    folder: Path,
    say: Mapping[str, str],
    *,
    start_from: str = "",
    share: Callable[[str, str], object] | None = None,
) -> None:
    """Edit the owner's persona of that name; a shipped one, or `start_from`, is what it begins as.

    `folder` is a copy where `share` is given, which gets the name and the text to be kept. Raises
    EditError and PersonaError.
    """
    path = _place(name, folder)
    source = path if path.is_file() else find(start_from or name, folder)
    is_shared = share is not None and path.parent == folder
    shown = path.stem if is_shared else path
    before = source.read_text(encoding="utf-8", errors="replace")
    with tempfile.TemporaryDirectory() as directory:
        draft = Path(directory) / path.name
        draft.write_text(before, encoding="utf-8")
        while True:
            _open(draft)
            after = draft.read_text(encoding="utf-8", errors="replace")
            if after == before and path.is_file():
                typer.echo(say["unchanged"].format(path=shown))
                return
            try:
                load_persona(draft)
                break
            except PersonaError as error:
                typer.secho(str(error).replace(str(draft), path.name), fg=typer.colors.RED)
                if not typer.confirm(say["again"], default=True):
                    raise EditError(say["dropped"].format(path=shown)) from None
    if share is not None and is_shared:
        share(path.stem, after)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            partial.write_text(after, encoding="utf-8")
    typer.echo(say["saved"].format(path=shown))


def _place(name: str, folder: Path) -> Path:
    """Where the owner's own is, or will be."""
    if name.endswith(".toml") or "/" in name or os.sep in name:
        path = Path(name).expanduser()
        if path.resolve().parent == SHIPPED.resolve():
            raise EditError(f"{path} belongs to the program; edit {path.stem} for a copy.")
        return path
    if not name or name.startswith("."):
        raise EditError(f"{name!r} is no name for a persona.")
    return folder / f"{name}.toml"


def _open(path: Path) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        editor = "notepad" if os.name == "nt" else "nano"
    try:
        subprocess.run([*shlex.split(editor), str(path)], check=True)
    except (OSError, ValueError):
        raise EditError(f"There is no editor {editor!r}; set EDITOR to one.") from None
    except subprocess.CalledProcessError as error:
        raise EditError(f"{editor} ended with {error.returncode}; nothing was changed.") from None
