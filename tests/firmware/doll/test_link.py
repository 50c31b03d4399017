"""Links that break and relays that misbehave: the doll says what it is, and comes back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.firmware.doll.world import AUDIO, HELLO, sweep, whole_turn, world


async def test_a_lost_relay_is_found_again(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        for _ in range(2):
            link = await w.link()
            await w.doll.line("state idle")
            await link.socket.close(1012, "restart")
            assert "1012" in await w.doll.line("relay lost ")
            await w.doll.line("state connecting")
            await w.doll.line("relay retry ms=")
        link = await w.link()
        await w.doll.line("state idle")
        assert (await whole_turn(w, link, sweep(10)))["frames_played"] == 10


async def test_only_the_first_hello_says_that_the_doll_was_plugged_in(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        for why in ("power", ""):
            link = await w.links.get()
            assert (await link.message("hello"))["firmware"]["restart"] == why
            await link.say(**HELLO)
            await w.doll.line("state idle")
            await link.socket.close(1012)


async def test_wifi_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.link()
        await w.doll.line("state idle")
        await w.doll.do("wifi", state="down")
        assert await w.doll.line("relay lost ") == "Wi-Fi is gone"
        await w.doll.line("wifi failed status=")
        await w.doll.do("wifi", state="up")
        await w.doll.line("wifi connected ")
        await w.link()
        await w.doll.line("state idle")


@pytest.mark.parametrize(
    ("hello", "reason"),
    [
        ({"audio_params": {**AUDIO, "format": "opus"}}, "the relay's format is opus"),
        ({"audio_params": {**AUDIO, "sample_rate": 24000}}, "the relay's sample_rate is 24000"),
        ({"audio_params": None}, "the relay's format is None"),
        ({"type": "tts", "state": "start"}, "the relay did not begin with a hello"),
        ({"type": "error", "message": "who\nare you?"}, "refused: who are you?"),
        ({"type": "error", "message": [[[]]]}, "refused: (no text)"),
    ],
)
async def test_a_relay_that_it_cannot_speak_with_is_named_and_tried_again(
    tmp_path: Path, hello: dict[str, Any], reason: str
) -> None:
    async with world(tmp_path) as w:
        await w.link(**hello)
        assert (await w.doll.line("relay lost ")).startswith(reason)
        await w.link()
        await w.doll.line("state idle")


async def test_garbage_is_told_once_and_harms_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        link = await w.link()
        await w.doll.line("state idle")
        await link.socket.send("{")
        await link.socket.send("[1, 2]")
        await link.socket.send('{"type":"stt","text":' + "[" * 900 + "]" * 900 + "}")
        await link.say(type="tts", state="sentence_start", text="too early")
        await link.socket.send(b"")
        await link.socket.send(os.urandom(3000))
        await link.say(type="surprise")
        await link.say(type="surprise")
        assert (await whole_turn(w, link, sweep(10)))["frames_played"] == 10
        log = "\n".join(w.doll.lines)
        assert log.count("relay garbage") == 1
        assert log.count("unknown type surprise") == 1
        assert "too early" not in log


async def test_a_relay_that_sends_only_garbage_is_left(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        link = await w.link()
        await w.doll.line("state idle")
        for _ in range(30):
            await link.socket.send("garbage")
        assert await w.doll.line("relay lost ") == "the relay sends garbage"
        await w.link()
        await w.doll.line("state idle")
