"""A relay with a shelf of updates, and a board that goes on through resets and crashes."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
import uvicorn

from relay.app import create_app
from relay.config import Settings
from relay.devices.shelf import Shelf, publish
from relay.llm.chain import Chain
from relay.persona import load
from relay.services import Services
from relay.store.database import Database
from relay.wire.server import websocket_options
from tests.fakes.detector import LoudnessDetector
from tests.fakes.llm import FakeLanguageModel
from tests.fakes.stt import FakeSpeechToText
from tests.fakes.tts import FakeTextToSpeech
from tools.flash.build import FIRMWARE
from tools.simulator.compiled import compiled
from tools.simulator.console import Item, LogLine
from tools.simulator.process import RESET_CAUSES, BoardProcess
from tools.update.make import make_bundles

_LIMIT_S = 40.0

#: Waits that a test does not want to wait for: in which file, what stands there, and what instead.
_SHORTER = (
    ("doll/supervisor.py", "_HEALTHY_MS = const(60_000)", "_HEALTHY_MS = const(1_200)"),
    ("doll/supervisor.py", "_WDT_AFTER_MS = const(30_000)", "_WDT_AFTER_MS = const(300)"),
    ("doll/guard.py", "_TRIAL_MS = const(120_000)", "_TRIAL_MS = const(4_000)"),
    ("doll/update.py", "_ASK_MS = const(100)", "_ASK_MS = const(10)"),
    ("main.py", "time.sleep(3 if", "time.sleep(0.1 if"),
)


class Board:
    """A simulated board that starts again after each reset, as a real one does."""

    heap_kb: int | None = None  #: compiles the firmware, and gives it no more than such a board has

    def __init__(self, firmware: Path, flash: Path, settings: dict[str, Any]) -> None:
        self.lines: list[str] = []  #: of its console, with their level, not yet waited for
        self.said: list[str] = []  #: all of them
        self.flash = flash
        self._firmware = firmware
        self._process: BoardProcess | None = None
        self._starting: asyncio.Task[None] | None = None
        self._off = False
        self._news = asyncio.Event()
        flash.mkdir()
        (flash / "settings.json").write_text(json.dumps(settings))

    async def start(self, cause: int = 1) -> None:
        if self.heap_kb is not None and cause == 1:
            self._firmware = compiled(self._firmware, self.flash.with_name("compiled"))
        self._process = BoardProcess(self._take, self._ended)
        await self._process.start(
            self._firmware,
            self.flash,
            environment={"SIM_RESET_CAUSE": str(cause), "SIM_WIFI_MS": "1"},
            heap_kb=self.heap_kb,
        )

    async def stop(self) -> None:
        self._off = True
        if self._starting is not None:
            await self._starting
        if self._process is not None:
            await self._process.stop()

    def do(self, cmd: str) -> None:
        assert self._process is not None
        self._process.send(cmd)

    async def line(self, start: str) -> str:
        """Waits for the next line that begins so; earlier ones are dropped. The rest of it."""
        try:
            async with asyncio.timeout(_LIMIT_S):
                while True:
                    while self.lines:
                        line = self.lines.pop(0)
                        if line.startswith(start):
                            return line.removeprefix(start).strip()
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"no {start}:\n" + "\n".join(self.said[-40:])) from None

    @property
    def slot(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.flash / "slot").read_text())
        return found

    def _take(self, item: Item) -> None:
        if isinstance(item, LogLine):
            self.lines.append(f"{item.level} {item.message}")
            self.said.append(self.lines[-1])
            self._news.set()

    def _ended(self, code: int) -> None:
        if not self._off and code in RESET_CAUSES:
            self._starting = asyncio.create_task(self.start(RESET_CAUSES[code]))


class World:
    """One relay, one board with version 0.1.0."""

    def __init__(self, folder: Path, port: int, token: str, logs: list[dict[str, Any]]) -> None:
        self.folder = folder
        self.firmware = folder / "firmware"
        self.logs = logs
        self.board = Board(
            self.firmware,
            folder / "flash",
            {
                "relay": f"ws://127.0.0.1:{port}/xiaozhi/v1/",
                "wifi": [{"ssid": "home"}],
                "token": token,
                "device_id": "doll-1",
            },
        )

    def publish(
        self,
        version: str,
        change: Callable[[Path], None] | None = None,
        architecture: str = "",
    ) -> None:
        """Puts a version on the relay's shelf: this firmware, changed; as sources, or compiled."""
        source = self.folder / f"source-{version}"
        shutil.copytree(self.firmware, source)
        if change is not None:
            change(source)
        publish(self.folder / "updates", make_bundles(source, version, [architecture]))

    async def logged(self, event: str) -> dict[str, Any]:
        """Waits until the relay has logged that."""
        async with asyncio.timeout(_LIMIT_S):
            while True:
                for line in self.logs:
                    if line["event"] == event:
                        self.logs.remove(line)
                        return line
                await asyncio.sleep(0.02)


@asynccontextmanager
async def _relay(folder: Path) -> AsyncIterator[tuple[int, str]]:
    """Its port, and the token of the doll `doll-1`."""
    services = Services(
        settings=Settings(limits={"texts_per_s": 100.0}),
        detector=LoudnessDetector(),
        stt=FakeSpeechToText("안녕"),
        brain=Chain(tail=FakeLanguageModel(["그래."])),
        tts=FakeTextToSpeech(0.2),
        persona=load("chacha"),
        shelf=Shelf(folder),
    )
    app = create_app(services, await Database.open(folder.with_name("data")))
    token = await app.state.dolls.registry.issue("doll-1")
    config = uvicorn.Config(
        app,
        port=0,
        log_config=None,
        timeout_graceful_shutdown=1,
        **websocket_options(),
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1], token
    finally:
        server.should_exit = True
        await task


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr("relay.devices.shelf.LOOK_S", 0.1)
    shutil.copytree(FIRMWARE, tmp_path / "firmware")
    for name, text, instead in _SHORTER:
        path = tmp_path / "firmware" / name
        source = path.read_text()
        assert source.count(text) == 1, f"{name} does not say {text}"
        path.write_text(source.replace(text, instead))
    with structlog.testing.capture_logs() as logs:
        async with _relay(tmp_path / "updates") as (port, token):
            made = World(tmp_path, port, token, logs)  # type: ignore[arg-type]
            try:
                yield made
            finally:
                await made.board.stop()
