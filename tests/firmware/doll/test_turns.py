"""Whole turns, from the button to the last sample of the answer."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest

from tests.firmware.doll.world import decoded, encoded, sweep, whole_turn, world
from tools.simulator.heap import ESP32_KB


@pytest.mark.parametrize("heap_kb", [0, ESP32_KB], ids=["any heap", "a board's heap"])
async def test_a_whole_turn_takes_no_heap_and_loses_no_sample(tmp_path: Path, heap_kb: int) -> None:
    async with world(tmp_path, heap_kb, volume=100) as w:
        link = await w.link()
        await w.doll.line("state idle")
        tune = sweep(90)  # more than the doll has room for: it slows the relay down
        for _ in range(2):
            report = await whole_turn(w, link, tune)
            assert report["frames_played"] == 90
            assert report["frames_lost"] == report["underruns"] == report["frames_dropped"] == 0
            assert report["heap_per_frame"] == 0
            assert report["frames_sent"] == len(link.frames)
            assert report["rssi"] == -55
        log = "\n".join(w.doll.lines)
        assert f"listen stop frames={len(link.frames)} lost=0 heap_per_frame=0" in log
        assert "[doll] I heard 안녕\n[doll] I feels happy\n[doll] I reply start\n" in log
        assert max(map(abs, array("h", decoded(link.frames)))) < 2000  # the room's hiss
        await w.doll.do("quit")
        assert await w.doll.ended() == 0
        played = (tmp_path / "speaker.raw").read_bytes()
        at = 0
        for _ in range(2):
            for i, frame in enumerate(encoded(tune)):
                # Unit by unit: on a machine that is too busy silence may come between them.
                for unit in (decoded([frame])[:512], decoded([frame])[512:]):
                    at = played.find(unit, at)
                    assert at >= 0, f"frame {i} was not played, or not in its place"
                    at += 512


async def test_an_offer_that_is_refused_leaves_turns_as_they_were(tmp_path: Path) -> None:
    async with world(tmp_path, token="t0ken") as w:
        link = await w.link()
        await w.doll.line("state idle")
        for _ in range(2):
            await link.say(type="update", manifest="{}", signature="00" * 32)
            assert (await link.message("update"))["reason"] == "signature"
            report = await whole_turn(w, link, sweep(30))
            assert report["frames_played"] == 30
            assert report["heap_per_frame"] == 0


async def test_a_tap_lets_the_relay_find_the_end(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        link = await w.link()
        await w.doll.line("state idle")
        await w.doll.do("tap")
        assert (await link.message("listen"))["mode"] == "auto"
        while len(link.frames) < 20:
            received = await link.socket.recv()
            assert isinstance(received, bytes)
            link.frames.append(received)
        await link.say(type="stt", text="hello")
        await w.doll.line("heard hello")
        await w.doll.line("state thinking")
        await link.say(type="tts", state="stop")
        await w.doll.line("state idle")


async def test_a_press_in_mid_reply_aborts_and_listens(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        link = await w.link()
        await w.doll.line("state idle")
        await link.say(type="tts", state="start")
        for frame in encoded(sweep(60)):  # more than is played by then
            await link.socket.send(frame)
        await w.doll.line("sound start")
        await w.doll.do("press")
        report = await link.message("report")
        assert report["frames_played"] < 60
        await link.message("abort")
        assert (await link.message("listen"))["mode"] == "manual"
        await link.say(type="tts", state="stop")
        await w.doll.do("release")
        assert (await link.message("listen"))["state"] == "stop"


async def test_an_underrun_is_told_and_the_reply_goes_on(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        link = await w.link()
        await w.doll.line("state idle")
        frames = encoded(sweep(30))
        await link.say(type="tts", state="start")
        for frame in frames[:10]:
            await link.socket.send(frame)
        assert await w.doll.line("sound underrun ") == "n=1"
        for frame in frames[10:]:
            await link.socket.send(frame)
        await link.say(type="tts", state="stop")
        report = await link.message("report")
        assert (report["frames_played"], report["underruns"]) == (30, 1)


async def test_hands_free_listens_as_soon_as_it_can(tmp_path: Path) -> None:
    async with world(tmp_path, talk="free") as w:
        link = await w.link()
        for _ in range(2):
            listen = await link.message("listen")
            assert (listen["state"], listen["mode"]) == ("start", "auto")
            await link.say(type="stt", text="x")
            await link.reply(sweep(5))
            report = await link.message("report")
            assert (report["frames_played"], report["underruns"]) == (5, 0)
