"""`doll flash`, `doll logs` and `doll shell`."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tools.flash.console import Console
from tools.flash.errors import FlashError
from tools.flash.install import READY_LIMIT_S, Options, install
from tools.flash.person import Person
from tools.flash.ports import choose_port, usb_ports

_Port = Annotated[
    str | None, typer.Option(envvar="DOLL_PORT", help="Serial port; found if there is one board.")
]


def flash(
    port: _Port = None,
    board: Annotated[
        str | None, typer.Option(help="Its wiring: a name in firmware/boards/. By its chip.")
    ] = None,
    wifi: Annotated[
        str | None,
        typer.Option(help="Name of the Wi-Fi; the password is asked for ($DOLL_WIFI_PASSWORD)."),
    ] = None,
    relay: Annotated[
        str | None, typer.Option(help="Address of the relay: ws://192.168.1.2:8000, or a host.")
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="DOLL_TOKEN",
            help="The doll's token, from `doll devices add`; a relay here is asked for one.",
        ),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option(help="Trust this certificate alone, from `doll certificate` (PEM)."),
    ] = None,
    image: Annotated[
        Path | None, typer.Option(help="First flash this MicroPython image (.bin).")
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(help="The image's hash; else IMAGE.sha256 beside it.")
    ] = None,
    erase: Annotated[
        bool, typer.Option("--erase", help="With --image: erase all, settings too.")
    ] = False,
    py: Annotated[bool, typer.Option("--py", help="Ship sources, not compiled files.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    ready_s: Annotated[
        float, typer.Option(help="How long to wait for the doll to be ready.")
    ] = READY_LIMIT_S,
) -> None:
    """Put the firmware on a board: only what changed, settings too, until the doll is ready."""
    person = Person(quiet=yes)
    options = Options(
        port=port,
        board=board,
        wifi=wifi,
        relay=relay,
        token=token,
        ca=ca,
        image=image,
        sha256=sha256,
        erase=erase,
        py=py,
        dry_run=dry_run,
        ready_limit_s=ready_s,
    )
    with _telling("doll flash", person):
        try:
            install(options, person)
        except (KeyboardInterrupt, typer.Abort):
            raise FlashError("interrupted") from None


def logs(port: _Port = None) -> None:
    """Follow what the doll writes on its console, through resets and unplugging; ctrl-C ends it."""
    person = Person()
    with (
        _telling("doll logs", person),
        contextlib.suppress(KeyboardInterrupt),
        Console(_found(port, person), reconnect=True) as console,
    ):
        for line in console.lines():
            if line is not None:
                # What a board sends must not steer the terminal.
                print("".join(c if c.isprintable() else "·" for c in line), flush=True)


def shell(port: _Port = None) -> None:
    """Open MicroPython's prompt on the board: ctrl-C stops the doll, ctrl-] leaves."""
    person = Person()
    with _telling("doll shell", person):
        found = _found(port, person)
        person.say("shell")
        code = subprocess.call([sys.executable, "-m", "mpremote", "connect", found, "repl"])
        raise typer.Exit(code)


def _found(port: str | None, person: Person) -> str:
    ports = usb_ports() if port is None else []
    return choose_port(port, ports, person.ask_port if person.is_there else None)


@contextmanager
def _telling(command: str, person: Person) -> Iterator[None]:
    """Ends the command with one sentence if it could not be done."""
    try:
        yield
    except FlashError as error:
        person.error(command, error)
        raise typer.Exit(130 if error.key == "interrupted" else 1) from None
