"""`doll certificate`: a certificate for a relay at home, which the dolls are given as theirs."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import socket
import ssl
from pathlib import Path
from typing import Annotated

import typer

from relay.config import load
from tools.texts import texts


def certificate(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Where dolls find the relay; this machine's address."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace one that is there.")] = False,
    config: Annotated[
        Path | None, typer.Option(help="The relay's settings file; doll.toml here.")
    ] = None,
) -> None:
    """Make a certificate for a relay at home that has no domain; the dolls trust it alone."""
    say = texts(__file__)
    try:
        from tools.certificate.make import make
    except ImportError:
        raise _failed(say["error_extra"]) from None
    folder = load(config).relay.data / "tls"
    files = folder / "certificate.pem", folder / "key.pem"
    for path in files:
        if path.exists() and not force:
            raise _failed(say["error_exists"].format(path=path))
    found = names or _own_names()
    try:
        pems = make(found, dt.datetime.now(dt.UTC))
    except ValueError as error:
        raise _failed(say["error_name"].format(name=str(error)[:64])) from None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path, pem in zip(files, pems, strict=True):
            path.unlink(missing_ok=True)
            with os.fdopen(
                os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb"
            ) as file:
                file.write(pem)
    except OSError as error:
        raise _failed(say["error_write"].format(path=folder, detail=error.strerror)) from None
    der = ssl.PEM_cert_to_DER_cert(pems[0].decode())
    made = say["made"].format(
        certificate=files[0],
        key=files[1],
        names=", ".join(found),
        first=found[0],
        fingerprint=hashlib.sha256(der).hexdigest(),
    )
    typer.echo(made)


def _own_names() -> list[str]:
    """The address by which others at home reach this machine, and its name."""
    name = socket.gethostname().partition(".")[0].lower()
    found = []
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe,
    ):
        probe.connect(("192.0.2.1", 9))  # sends nothing: the system only picks a way out
        found.append(str(probe.getsockname()[0]))
    return [*found, f"{name}.local", "127.0.0.1"]


def _failed(why: str) -> typer.Exit:
    typer.secho(f"doll certificate: {why}", fg=typer.colors.RED, err=True)
    return typer.Exit(1)
