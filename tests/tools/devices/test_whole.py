"""A new doll from its first word to its first answer: the real firmware on MicroPython, the real
relay, the real command, real sockets."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relay.audio import RATE_HZ
from tests.fakes.relay import Relay, running
from tests.tools.devices.conftest import Run
from tools.simulator.console import Item, LogLine
from tools.simulator.doll import SimulatedDoll

DOLL = "24:6f:28:00:00:01"


class Watched:
    """A simulated doll, and what it logs."""

    def __init__(self, relay: Relay, flash: Path, token: str = "") -> None:
        self.lines: list[str] = []
        self._read = 0
        self.flash = flash
        self._news = asyncio.Event()
        self.doll = SimulatedDoll(
            relay.url,
            device_id=DOLL,
            token=token,
            flash=flash,
            settings={"sounds": False},
            on_item=self._take,
        )

    def _take(self, item: Item) -> None:
        if isinstance(item, LogLine):
            self.lines.append(item.message)
            self._news.set()

    async def line(self, start: str) -> str:
        """Waits for the next line that begins so; those before it are passed over."""
        async with asyncio.timeout(30):
            while True:
                while self._read < len(self.lines):
                    self._read += 1
                    if self.lines[self._read - 1].startswith(start):
                        return self.lines[self._read - 1]
                self._news.clear()
                await self._news.wait()

    def stored(self) -> dict[str, Any]:
        values: dict[str, Any] = json.loads((self.flash / "settings.json").read_text())
        return values


@pytest.fixture
def question() -> Any:
    t = np.arange(RATE_HZ // 2) / RATE_HZ
    return (8000 * np.sin(2 * np.pi * 500 * t)).astype(np.int16)


async def test_a_new_doll_says_its_code_and_answers_once_it_is_paired(
    tmp_path: Path, question: Any, doll: Run
) -> None:
    async with running() as relay:
        relay.tts.seconds_per_clause = 0.2
        watched = Watched(relay, tmp_path / "flash")
        async with watched.doll:
            code = (await watched.line("pairing doll pair "))[-6:]
            await watched.line("reply start")
            await watched.line("state idle")
            again = await watched.doll.ask(question)  # whatever it is asked, it says its code
            assert again.transcript == ""
            assert "내 번호를 알려 줄게." in again.text
            assert relay.llm.requests == []
            status, output, errors = await doll(*("pair", code, "--name", "차차"), data=relay.data)
            assert (status, errors) == (0, "")
            assert "차차 is one of this relay's dolls now" in output
            await watched.line("token stored")
            await watched.line("relay lost")
            await watched.line("relay connected")
            await watched.doll.ready()
            relay.tts.calls.clear()
            reply = await watched.doll.ask(question)
            assert reply.transcript == "안녕"
            token = watched.stored()["token"]
            assert await relay.registry.check(DOLL, token) is not None
            assert not any(token in line for line in watched.lines)


async def test_a_rotated_token_is_stored_and_an_old_one_shut_out(
    tmp_path: Path, question: Any, doll: Run
) -> None:
    async with running() as relay:
        relay.tts.seconds_per_clause = 0.2
        old = await relay.token(DOLL)
        watched = Watched(relay, tmp_path / "flash", old)
        async with watched.doll:
            await watched.doll.ready()
            status, output, _ = await doll("devices", "rotate", DOLL, data=relay.data)
            assert status == 0
            assert "has stored its new token" in output
            await watched.line("relay connected")
            await watched.doll.ready()
            new = watched.stored()["token"]
            assert new != old
            assert await relay.registry.check(DOLL, old) is None
            assert (await watched.doll.ask(question)).transcript == "안녕"
            status, _, _ = await doll("devices", "revoke", DOLL, data=relay.data)
            assert status == 0
            await watched.line("relay lost")
            await watched.line("pairing doll pair ")  # a stranger again
