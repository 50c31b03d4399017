"""What a relay may make the doll do besides speaking."""

from __future__ import annotations

import json
from pathlib import Path

from tests.firmware.doll.world import world


async def test_the_relay_may_set_the_volume_and_it_is_kept(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        link = await w.link()
        await w.doll.line("state idle")
        call = {"name": "self.audio_speaker.set_volume", "arguments": {"volume": 42}}
        await link.say(
            type="mcp",
            payload={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call},
        )
        answer = await link.message("mcp")
        assert answer["payload"]["result"]["isError"] is False
        assert await w.doll.line("volume ") == "42"
        await w.doll.line("settings saved")
        assert json.loads((tmp_path / "settings.json").read_text())["volume"] == 42


async def test_the_relay_may_restart_the_doll(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        link = await w.link()
        await w.doll.line("state idle")
        await link.say(type="system", command="format")
        await link.say(type="alert", status="Note", message="two\nlines", emotion="sad")
        assert await w.doll.line("alert ") == "Note: two lines"
        await link.say(type="error", code="unknown_type", message="what?")
        assert await w.doll.line("relay error ") == "code=unknown_type what?"
        await link.say(type="system", command="reboot")
        await w.doll.line("reboot")
        assert await w.doll.ended() == 3


async def test_the_light_follows_the_recorder_to_the_end_of_the_session(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        link = await w.link()
        await link.say(type="recorder", state="on")
        await w.doll.line("recorder on")
        await link.say(type="recorder", state="off")
        await w.doll.line("recorder off")
        await link.say(type="recorder", state=["no state"])
        await w.doll.line("recorder off")
