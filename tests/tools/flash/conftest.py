"""What the installer's tests share: a board on a serial port, a small firmware, a person."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tools.flash.errors import FlashError
from tools.flash.install import Options, install
from tools.flash.mpremote import Mpremote
from tools.flash.person import Person
from tools.simulator.serial_board import SerialBoard

REPOSITORY = Path(__file__).resolve().parents[3]

#: Runs a command of `doll` or mpremote to its end: its exit code and all that it printed.
Run = Callable[..., Awaitable[tuple[int, str]]]

#: Runs an installation in a thread, for the board lives in the event loop.
Installs = Callable[..., Awaitable["RecordingPerson"]]

_LIMIT_S = 60

_MAIN = """\
import time
from doll import app
print("[doll] I state idle")
while True:
    time.sleep(1)
"""


class RecordingPerson(Person):
    """Nobody is there to be asked; what is said is kept."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.said: list[str] = []
        self.told: dict[str, dict[str, Any]] = {}
        self.details: list[str] = []

    def say(self, key: str, **values: object) -> None:
        self.said.append(self.text(key, **values))
        self.told[key] = dict(values)

    def detail(self, text: str) -> None:
        self.details.append(text)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of the machine or of its doll.toml come in."""
    for name in list(os.environ):
        if name.startswith(("DOLL_", "GEMINI_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
async def board(tmp_path: Path) -> AsyncIterator[SerialBoard]:
    """A new board whose Wi-Fi is called home and wants the password "open sesame"."""
    folder = tmp_path / "board"
    folder.mkdir()
    environment = {"SIM_WIFI_SSID": "home", "SIM_WIFI_PASSWORD": "open sesame"}
    async with SerialBoard(folder, environment=environment) as board:
        yield board


@pytest.fixture
def firmware(tmp_path: Path) -> Path:
    """A firmware of a few lines that is ready as soon as it has started."""
    folder = tmp_path / "firmware"
    files = {
        "boot.py": "",
        "main.py": _MAIN,
        "boards/esp32s3.py": 'NAME = "esp32s3"\nCHIP = "esp32s3"\n',
        "boards/esp32.py": 'NAME = "esp32"\nCHIP = "esp32"\n',
        "doll/__init__.py": '__version__ = "7.8.9"\n',
        "doll/app.py": "from . import sound\n",
        "doll/sound.py": "X = [\n" + "".join(f'    "tone {n}",\n' for n in range(400)) + "]\n",
        "package.json": '{"version": "7.8.9"}',
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def installs(board: SerialBoard, firmware: Path, monkeypatch: pytest.MonkeyPatch) -> Installs:
    """Installs the small firmware on the board, with a relay that nobody asks for."""
    # It asks no relay, so no code will follow when it is ready.
    monkeypatch.setattr("tools.flash.install._CODE_S", 0.0)

    async def run(**options: Any) -> RecordingPerson:
        person = RecordingPerson()
        chosen = Options(
            **{
                "port": str(board.port),
                "relay": "ws://127.0.0.1:9/",
                "firmware": firmware,
                "ready_limit_s": 20.0,
                **options,
            }
        )
        async with asyncio.timeout(_LIMIT_S):
            await asyncio.to_thread(install, chosen, person)
        return person

    return run


@pytest.fixture
def fails(installs: Installs) -> Callable[..., Awaitable[FlashError]]:
    """Installs, and returns the error with which that ends."""

    async def run(**options: Any) -> FlashError:
        with pytest.raises(FlashError) as raised:
            await installs(**options)
        return raised.value

    return run


@pytest.fixture
def files(board: SerialBoard) -> Callable[[], Awaitable[dict[str, str]]]:
    """Path and sha256 of what is on the board and may be ours."""

    async def read() -> dict[str, str]:
        facts = await asyncio.to_thread(Mpremote(str(board.port)).inspect)
        return dict(facts.files)

    return read


@pytest.fixture
def settings(board: SerialBoard) -> Callable[[], Awaitable[dict[str, Any]]]:
    """The settings on the board."""

    async def read() -> dict[str, Any]:
        facts = await asyncio.to_thread(Mpremote(str(board.port)).inspect)
        values = json.loads(facts.settings or "{}")
        assert isinstance(values, dict)
        return values

    return read


async def run_module(module: str, *arguments: str, **environment: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "COLUMNS": "200", **environment},
    )
    try:
        async with asyncio.timeout(_LIMIT_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, output.decode()


@pytest.fixture
def doll() -> Run:
    """The `doll` command."""

    async def run(*arguments: str, **environment: str) -> tuple[int, str]:
        return await run_module("tools.cli", *arguments, **environment)

    return run


@pytest.fixture
def mpremote(board: SerialBoard) -> Run:
    """The mpremote command, connected to the board."""

    async def run(*arguments: str) -> tuple[int, str]:
        return await run_module("mpremote", "connect", str(board.port), *arguments)

    return run
