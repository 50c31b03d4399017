"""`doll update`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relay.config import load
from relay.devices.bundle import BundleError
from relay.devices.shelf import publish
from tools.flash.build import FIRMWARE
from tools.flash.errors import FlashError
from tools.texts import texts
from tools.update.make import make_bundles


def update(
    folder: Annotated[
        Path | None, typer.Option(help="Where the relay looks; by default its updates.folder.")
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="Call it so; by default what firmware/package.json says.")
    ] = None,
    firmware: Annotated[Path, typer.Option(help="Folder of the firmware.")] = FIRMWARE,
    force: Annotated[
        bool, typer.Option("--force", help="Offer it to dolls that have a newer one too.")
    ] = False,
) -> None:
    """Build the firmware and offer it to the dolls that are connected to the relay here."""
    said = texts(__file__)
    where = folder or load().updates.folder
    if not (firmware / "main.py").is_file():
        _fail(said["error_firmware"].format(folder=firmware))
    try:
        bundles = make_bundles(firmware, version)
    except BundleError as error:
        key = "error_version" if "version" in str(error) else "error_bundle"
        _fail(said[key].format(detail=error))
    except FlashError as error:
        _fail(said["error_compiler"].format(detail=", ".join(map(str, error.values.values()))))
    try:
        publish(where, bundles, force=force)
    except OSError as error:
        _fail(said["error_folder"].format(folder=where, detail=error.strerror))
    for bundle in bundles:
        kind = f"{bundle.architecture} (mpy {bundle.mpy})" if bundle.mpy else said["sources"]
        size = f"{len(bundle.data) / 1024:.1f} KB"
        print(said["bundle"].format(kind=kind, files=bundle.files, size=size))
    if force:
        print(said["forced"])
    print(said["done"].format(version=bundles[0].version, folder=where))


def _fail(text: str) -> None:
    typer.secho(f"doll update: {text}", fg=typer.colors.RED, err=True)
    raise typer.Exit(1)
