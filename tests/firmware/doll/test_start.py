"""How a doll starts: it introduces itself, or names what is wrong with its settings."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.firmware.doll.world import AUDIO, HELLO, world


async def test_the_doll_introduces_itself(tmp_path: Path) -> None:
    async with world(tmp_path, token="t0ken", device_id="doll-7") as w:
        link = await asyncio.wait_for(w.links.get(), 30)
        hello = await link.message("hello")
        assert hello["version"] == 1
        assert hello["transport"] == "websocket"
        assert hello["features"]["report"] is True
        assert hello["audio_params"] == AUDIO
        assert link.headers["Device-Id"] == "doll-7"
        assert link.headers["Protocol-Version"] == "1"
        assert link.headers["Authorization"] == "Bearer t0ken"
        client = link.headers["Client-Id"]
        assert client[14] == "4"
        assert len(client) == 36
        assert json.loads((tmp_path / "settings.json").read_text())["client_id"] == client
        await link.say(**HELLO)
        assert await w.doll.line("relay connected ") == "session=s-1"
        await w.doll.line("state idle")
        assert not any("t0ken" in line for line in w.doll.lines)


async def test_a_board_that_does_not_exist_is_named(tmp_path: Path) -> None:
    async with world(tmp_path, board="esp99") as w:
        assert await w.doll.line("settings board: ") == "there is no file boards/esp99.py"
        assert await w.doll.ended() == 3  # it tries again
