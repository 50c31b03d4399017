"""Finds the serial port that the board is on."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from tools.flash.errors import FlashError


class Port(Protocol):
    """What we use of pyserial's `ListPortInfo`."""

    device: str
    description: str
    vid: int | None


def usb_ports() -> list[Port]:
    """The serial ports of USB devices, in a steady order.

    A PC's own ports (COM1, /dev/ttyS0) have no vendor id and never a board on them.
    """
    try:
        # Not imported above: it comes with mpremote, in the extra "flash".
        list_ports = importlib.import_module("serial.tools.list_ports")
    except ImportError:
        raise FlashError("not_installed", package="mpremote") from None
    return sorted(
        (port for port in list_ports.comports() if port.vid is not None), key=lambda p: p.device
    )


def choose_port(
    named: str | None, ports: Sequence[Port], ask: Callable[[Sequence[Port]], str] | None
) -> str:
    """The port to use: the named one, the only one, or the one that `ask` returns.

    Raises:
        FlashError: none is there; there are several and nobody to ask; it may not be opened.
    """
    if named is None:
        if not ports:
            raise FlashError("no_port")
        if len(ports) > 1 and ask is None:
            raise FlashError("many_ports", ports=", ".join(port.device for port in ports))
        named = ports[0].device if len(ports) == 1 or ask is None else ask(ports)
    check_port(named)
    return named


def check_port(port: str) -> None:
    """Refuses a port that is not there or that this user may not open.

    Raises:
        FlashError: it says what to do.
    """
    if "://" in port or os.name == "nt":
        return
    if not Path(port).exists():
        raise FlashError("port_gone", port=port)
    if not os.access(port, os.R_OK | os.W_OK):
        raise FlashError("permission", port=port)
