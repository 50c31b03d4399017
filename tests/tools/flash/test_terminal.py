"""The commands in front of a person: on a terminal, with questions."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.tools.flash.conftest import REPOSITORY, Installs
from tools.simulator.serial_board import SerialBoard

#: Makes the terminal its own: passwords are asked for on /dev/tty.
_LOG_IN = "import os, sys; os.login_tty(int(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"


class Terminal:
    """A `doll` command on a terminal of its own; a person reads and types."""

    def __init__(self, host: int) -> None:
        self._host = host
        self._news = asyncio.Event()
        self.screen = b""
        asyncio.get_running_loop().add_reader(host, self._read)

    def _read(self) -> None:
        try:
            self.screen += os.read(self._host, 4096)
        except OSError:  # EIO: the command has ended
            asyncio.get_running_loop().remove_reader(self._host)
        self._news.set()

    async def until(self, text: bytes) -> None:
        try:
            async with asyncio.timeout(30):
                while text not in self.screen:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pytest.fail(self.screen.decode(errors="replace"))

    def type(self, text: bytes) -> None:
        os.write(self._host, text)


@asynccontextmanager
async def on_a_terminal(*arguments: str) -> AsyncIterator[tuple[Terminal, Callable[[], Any]]]:
    host, line = os.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", _LOG_IN, str(line)),
        *(sys.executable, "-m", "tools.cli", *arguments),
        pass_fds=(line,),
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "COLUMNS": "200", "TERM": "dumb"},
    )
    os.close(line)
    terminal = Terminal(host)
    try:
        yield terminal, process.wait
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        asyncio.get_running_loop().remove_reader(host)
        os.close(host)


async def test_the_password_is_asked_for_and_never_shown(
    board: SerialBoard, settings: Callable[[], Awaitable[dict[str, Any]]]
) -> None:
    arguments = ("--port", str(board.port), "--relay", "127.0.0.1:9", "--ready-s", "0")
    async with on_a_terminal("flash", *arguments) as (terminal, ended):
        await terminal.until(b"Name of the Wi-Fi")
        terminal.type(b"home\n")
        await terminal.until(b"Password of home")
        await terminal.until(b"network): ")  # the last space comes when nothing is echoed any more
        terminal.type(b"open sesame\n")
        await terminal.until(b"was not ready within 0 s")
        assert await ended() == 1
    assert b"sesame" not in terminal.screen
    assert (await settings())["wifi"] == [{"ssid": "home", "password": "open sesame"}]


async def test_the_shell_is_the_boards_prompt(board: SerialBoard, installs: Installs) -> None:
    async with on_a_terminal("shell", "--port", str(board.port)) as (terminal, ended):
        await terminal.until(b"Connected to MicroPython")
        terminal.type(b"print(6 * 7)\r")
        await terminal.until(b"\n42")
        terminal.type(b"\x1d")
        assert await ended() == 0
