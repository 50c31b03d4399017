"""A doll whose memory runs out: it ends the turn, goes on, and restarts when that does not help."""

from __future__ import annotations

import shutil
from array import array
from pathlib import Path

import pytest

from tests.firmware.doll import world as worlds
from tests.firmware.doll.world import HELLO, Link, World, sweep, whole_turn, world
from tools.simulator.heap import ESP32_KB

#: Empty lists of 64 bytes, half of that on a board: 12 KB of objects, and the list of them takes
#: 2 KB in one piece. No message of the relay is near that.
_FITS = 200


async def ask_too_much(link: Link) -> None:
    """A message that fits the doll's buffer, and as objects needs more memory than it has."""
    await link.socket.send('{"type":"stt","text":"x","more":[' + "[]," * 640 + "0]}")


async def thinking(w: World, link: Link) -> None:
    """A doll that waits for its answer."""
    await w.doll.do("tap")
    assert (await link.message("listen"))["mode"] == "auto"
    await link.say(type="stt", text="hello")
    await w.doll.line("state thinking")


async def test_after_a_turn_a_board_without_psram_has_room_left(tmp_path: Path) -> None:
    async with world(tmp_path, ESP32_KB) as w:
        link = await w.link()
        await w.doll.line("state idle")
        for _ in range(3):
            await whole_turn(w, link, sweep(30))
            await link.socket.send('{"type":"test","more":[' + "[]," * _FITS + "0]}")
        await whole_turn(w, link, sweep(5))
        assert not any("memory" in line for line in w.doll.lines)


async def test_a_message_without_room_ends_the_turn_and_not_the_link(tmp_path: Path) -> None:
    async with world(tmp_path, ESP32_KB) as w:
        link = await w.link()
        await w.doll.line("state idle")
        await thinking(w, link)
        await ask_too_much(link)
        await w.doll.line("memory short at=message n=1")
        await w.doll.line("turn: there was no memory for it")
        await link.message("abort")
        await w.doll.line("state idle")
        await link.say(type="tts", state="stop")
        assert (await whole_turn(w, link, sweep(30)))["heap_per_frame"] == 0
        assert not any("relay lost" in line for line in w.doll.lines)


@pytest.mark.parametrize(
    ("place", "event"), [("chores", "event == button.PRESS"), ("sound", "event == STARTED")]
)
async def test_the_tasks_survive_a_lack_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, event: str
) -> None:
    firmware = shutil.copytree(worlds.FIRMWARE, tmp_path / "firmware")
    turn = firmware / "doll" / "turn.py"
    name = "on_button" if place == "chores" else "on_sound"
    begin = f"    def {name}(self, event, now):\n"
    lacking = f"{begin}        if {event}:\n            raise MemoryError\n"
    turn.write_text(turn.read_text().replace(begin, lacking))
    monkeypatch.setattr(worlds, "FIRMWARE", firmware)
    async with world(tmp_path) as w:
        link = await w.link()
        await w.doll.line("state idle")
        if place == "sound":
            await link.reply(sweep(10))
            await w.doll.line("memory short at=sound n=1")
            await w.doll.line("turn: there was no memory for it")
            await w.doll.line("state idle")
        await w.doll.do("tap")
        if place == "chores":
            await w.doll.line("memory short at=chores n=1")
        await w.doll.line("state listening")


async def test_a_doll_that_has_no_room_for_a_link_says_so_with_a_tone_and_starts_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    firmware = shutil.copytree(worlds.FIRMWARE, tmp_path / "firmware")
    room = firmware / "doll" / "room.py"
    room.write_text(room.read_text().replace("_FIRST_S = const(60)", "_FIRST_S = const(4)"))
    monkeypatch.setattr(worlds, "FIRMWARE", firmware)
    async with world(tmp_path, ESP32_KB - 10, volume=100) as w:
        await w.doll.line("memory short at=link n=1")
        await w.doll.line("memory restart to make room")
        assert await w.doll.ended() == 3
    played = array("h", (tmp_path / "speaker.raw").read_bytes())
    assert max(map(abs, played), default=0) > 3000


async def test_the_third_time_it_restarts_as_soon_as_it_is_quiet_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    firmware = shutil.copytree(worlds.FIRMWARE, tmp_path / "firmware")
    room = firmware / "doll" / "room.py"
    room.write_text(room.read_text().replace("_FIRST_S = const(60)", "_FIRST_S = const(1)"))
    monkeypatch.setattr(worlds, "FIRMWARE", firmware)
    monkeypatch.setenv("SIM_STATE", str(tmp_path))
    async with world(tmp_path, ESP32_KB) as w:
        link = await w.link()
        await w.doll.line("state idle")
        for n in (1, 2):
            await ask_too_much(link)
            await w.doll.line(f"memory short at=message n={n}")
        await link.say(type="tts", state="start")
        await w.doll.line("state speaking")
        await ask_too_much(link)
        await w.doll.line("memory short at=message n=3")
        await w.doll.line("state idle")
        await w.doll.line("memory restart to make room")
        assert await w.doll.ended() == 3
    monkeypatch.setenv("SIM_RESET_CAUSE", "3")
    async with world(tmp_path, ESP32_KB) as w:
        for why in ("memory", ""):  # said once
            link = await w.links.get()
            assert (await link.message("hello"))["firmware"]["restart"] == why
            await link.say(**HELLO)
            await w.doll.line("state idle")
            await link.socket.close(1012)
