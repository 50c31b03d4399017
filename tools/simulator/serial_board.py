"""A board on a serial port: real MicroPython and a real littlefs2 image behind a pty.

mpremote, or whatever else talks to boards, finds a raw REPL with raw paste, soft and hard resets,
boot.py and main.py, and a ctrl-C that interrupts them:

```python
async with SerialBoard(folder) as board:
    await asyncio.create_subprocess_exec("mpremote", "connect", board.port, "fs", "ls")
```
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import signal
import termios
import tty
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tools.simulator.micropython import micropython_command
from tools.simulator.process import BOARD, ENVIRONMENT, RESET_CAUSES

_CHUNK = 1 << 14
_CTRL_A, _CTRL_B = 0x01, 0x02
_STARTED = b"@rom\n"  #: what rom.py says when the board is ready to be interrupted
_RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
_RESET_LINE = b"\r\nrst:0x3 (SW_RESET),boot:0x8 (SPI_FAST_FLASH_BOOT)\r\n"
_KEPT_OUTPUT = 1 << 16

#: Makes the terminal given as its first argument its own, so that ctrl-C becomes a signal.
_LOG_IN = "import os, sys; os.login_tty(int(sys.argv.pop(1)))"


class SerialBoard:
    """One board with its flash in `folder`/flash.img, reachable at `port` until the block ends.

    `port` is a stable name, as /dev/ttyUSB0 is: it outlives `unplug()` and `plug()`. `environment`
    sets what the simulated hardware reads (SIM_WIFI_SSID and others). `blocks` of 4 KB are the
    flash. `power_cut_after` is the number of bytes from the computer after which the board loses
    its power, for good until `plug()`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        blocks: int = 512,
        environment: Mapping[str, str] | None = None,
        power_cut_after: int | None = None,
    ) -> None:
        self.image = folder / "flash.img"
        self.port = folder / "ttyUSB0"
        self.output = bytearray()  #: the last of what the board wrote
        self.resets = 0  #: how often MicroPython has started, soft resets included
        self.power_cut_after = power_cut_after
        self.received = 0  #: bytes from the computer
        self._blocks = blocks
        self._environment = dict(environment or {})
        self._host = -1  # our end of the serial line
        self._line = -1  # the computer's end, kept open so that the line survives its closing
        self._console = -1  # our end of MicroPython's terminal
        self._life: asyncio.Task[None] | None = None
        self._raw = False
        self._started = False  # MicroPython can take a ctrl-C
        self._first = b""  # what it said before that
        self._held = bytearray()  # and what the computer sent
        self._news = asyncio.Event()
        self._unsent = bytearray()  # what the computer has not taken yet
        self._banner: bytearray | None = None  # what is swallowed after a soft reset in raw mode

    async def __aenter__(self) -> Self:
        await self.plug()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.unplug()

    async def plug(self) -> None:
        """Gives the board power and its port to the computer."""
        self._host, self._line = pty.openpty()
        os.set_blocking(self._host, False)
        tty.setraw(self._line)
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(os.ttyname(self._line))
        self._raw = False
        self._unsent.clear()
        asyncio.get_running_loop().add_reader(self._host, self._from_computer)
        self._life = asyncio.create_task(self._live(), name="serial board")

    async def until(self, text: bytes, limit_s: float = 20.0) -> None:
        """Waits until the board has written `text`. Raises TimeoutError."""
        async with asyncio.timeout(limit_s):
            while text not in self.output:
                self._news.clear()
                await self._news.wait()

    async def unplug(self) -> None:
        """Pulls the plug: MicroPython ends at once, and the port is gone."""
        if self._life is not None:
            self._life.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._life
            self._life = None

    async def _live(self) -> None:
        cause = 1
        try:
            while True:
                code = await self._run(cause)
                self._raw = self._raw and code not in RESET_CAUSES
                if code in RESET_CAUSES:
                    cause = RESET_CAUSES[code]
                    self._say(_RESET_LINE)
                else:  # the unix port ends where a board makes a soft reset
                    cause = 5
                    self._say(b"MPY: soft reboot\r\n")
        finally:
            asyncio.get_running_loop().remove_reader(self._host)
            asyncio.get_running_loop().remove_writer(self._host)
            os.close(self._host)
            os.close(self._line)
            self.port.unlink(missing_ok=True)

    async def _run(self, cause: int) -> int:
        """One life of MicroPython; returns its exit code."""
        loop = asyncio.get_running_loop()
        self._console, terminal = pty.openpty()
        tty.setraw(terminal)  # also no ONLCR: MicroPython sends its own carriage returns
        modes = termios.tcgetattr(terminal)
        modes[3] |= termios.ISIG  # the REPL turns it off for itself, running code is interrupted
        termios.tcsetattr(terminal, termios.TCSANOW, modes)
        self._started = False
        self._first = b""
        self._held.clear()
        self._banner = bytearray() if self._raw else None
        if self._raw:
            self._held.append(_CTRL_A)
        command = [*micropython_command(first=_LOG_IN), str(terminal), "-i", str(BOARD / "rom.py")]
        mode = "raw" if self._raw else "friendly"
        process = await asyncio.create_subprocess_exec(
            *command,
            *(str(self.image), str(self._blocks), mode),
            pass_fds=(terminal,),
            cwd=self.image.parent,
            env={
                **{name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
                "MICROPYPATH": f"{BOARD}:.frozen",
                "SIM_STATE": str(self.image.parent.resolve()),
                "SIM_RESET_CAUSE": str(cause),
                **self._environment,
            },
        )
        os.close(terminal)
        self.resets += 1
        loop.add_reader(self._console, self._from_board)
        try:
            return await process.wait()
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
                await process.wait()
            self._from_board()
            loop.remove_reader(self._console)
            os.close(self._console)
            self._console = -1

    def _from_computer(self) -> None:
        try:
            data = os.read(self._host, _CHUNK)
        except OSError:
            return
        self.received += len(data)
        # Whoever sends data to a REPL escapes control characters in it: these are meant.
        for byte in data:
            if byte in (_CTRL_A, _CTRL_B):
                self._raw = byte == _CTRL_A
        if self.power_cut_after is not None:
            self.power_cut_after -= len(data)
            if self.power_cut_after < 0 and self._life is not None:
                self.power_cut_after = None
                self._life.cancel()
                return
        if self._started:
            os.write(self._console, data)
        else:
            self._held += data

    def _from_board(self) -> None:
        try:
            data = os.read(self._console, _CHUNK)
        except OSError:  # EIO: MicroPython has ended
            asyncio.get_running_loop().remove_reader(self._console)
            return
        if not self._started:
            self._first += data
            before, marker, data = self._first.partition(_STARTED)
            if not marker:
                return
            # A ctrl-C before this would have killed MicroPython, or left half a board.
            self._started = True
            os.write(self._console, self._held)
            data = before + data
        if self._banner is not None:
            self._banner += data
            at = self._banner.find(_RAW_BANNER)
            if at < 0:
                return
            data = bytes(self._banner[at:])
            self._banner = None
        self._say(data)

    def _say(self, data: bytes) -> None:
        self.output += data
        self._news.set()
        del self.output[:-_KEPT_OUTPUT]
        # A computer that does not read loses what is too much, as on a real line.
        self._unsent += data[: _KEPT_OUTPUT - len(self._unsent)]
        self._to_computer()

    def _to_computer(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(BlockingIOError):
            del self._unsent[: os.write(self._host, self._unsent)]
        if self._unsent:
            loop.add_writer(self._host, self._to_computer)
        else:
            loop.remove_writer(self._host)
