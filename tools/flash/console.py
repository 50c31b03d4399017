"""The board's serial console, read line by line; it may be unplugged and come back."""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tools.flash.errors import FlashError
from tools.flash.ports import check_port
from tools.simulator.console import LineSplitter

_BAUD = 115_200
_READ_S = 0.1
_RETRY_S = 0.5
_CHUNK = 4096


class Console:
    """The console at `port`; `reconnect` waits for a board that is gone instead of giving up."""

    def __init__(self, port: str, *, reconnect: bool) -> None:
        self.port = port
        self._reconnect = reconnect
        self._serial: Any = None
        self._splitter = LineSplitter()

    def __enter__(self) -> Self:
        check_port(self.port)
        self._open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    def restart(self) -> None:
        """Interrupts what runs and resets the board; what it says from then on is not missed.

        Raises:
            FlashError: the board is gone.
        """
        try:
            # Twice ctrl-C, ctrl-B for the REPL that takes lines, then one.
            self._serial.write(b"\r\x03\x03\x02\r\nimport machine; machine.reset()\r\n")
            self._serial.flush()
        except OSError:
            raise FlashError("unplugged") from None

    def lines(self) -> Iterator[str | None]:
        """The lines as they come, without end; None when there was none for a moment.

        Raises:
            FlashError: the board is gone and we do not wait for it.
        """
        while True:
            try:
                data = self._serial.read(self._serial.in_waiting or 1) if self._serial else b""
            except (OSError, TypeError):  # pyserial: TypeError if it was closed meanwhile
                self._close()
                data = b""
            if self._serial is None:
                if not self._reconnect:
                    raise FlashError("unplugged")
                yield None
                self._try_again()
                continue
            lines = self._splitter.feed(data)
            yield from lines
            if not lines:
                yield None

    def _try_again(self) -> None:
        time.sleep(_RETRY_S)
        try:
            check_port(self.port)
            self._open()
        except FlashError:
            return

    def _open(self) -> None:
        try:
            serial = importlib.import_module("serial")
        except ImportError:
            raise FlashError("not_installed", package="mpremote") from None
        try:
            self._serial = serial.serial_for_url(
                self.port, baudrate=_BAUD, timeout=_READ_S, exclusive=True
            )
        except (OSError, ValueError):
            gone = "://" not in self.port and not Path(self.port).exists()
            raise FlashError("port_gone" if gone else "busy", port=self.port) from None

    def _close(self) -> None:
        if self._serial is None:
            return
        with contextlib.suppress(OSError):  # a pty has no such wires, a lost adapter none either
            # In this order no adapter holds the chip in reset on its way.
            self._serial.rts = False
            self._serial.dtr = False
        with contextlib.suppress(OSError):
            self._serial.close()
        self._serial = None
