"""Whole turns on boards that differ from the reference board: one I2S, or another slot."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tools.simulator.doll import FIRMWARE, SimulatedDoll, board_environment
from tools.simulator.turn import AskMode
from tools.simulator.wav import read_question, write_wav

RATE = 16_000


@pytest.fixture
def spoken(tmp_path: Path) -> Path:
    """A melody after half a second: a microphone that had no clock needs a quarter to settle."""
    t = np.arange(RATE // 2) / RATE
    melody = 8000 * np.sin(2 * np.pi * (300 + 400 * t) * t)
    pcm = np.concatenate([np.zeros(RATE // 2), melody, np.zeros(RATE // 5)]).astype(np.int16)
    write_wav(tmp_path / "spoken.wav", pcm)
    return tmp_path / "spoken.wav"


def _likeness(a: np.ndarray, b: np.ndarray) -> float:
    """How alike two recordings are at the best shift: 1 for the same, about 0 for strangers."""
    n = len(a) + len(b)
    both = np.fft.irfft(np.fft.rfft(a, n) * np.conj(np.fft.rfft(b, n)))
    return float(both.max() / np.sqrt((a**2.0).sum() * (b**2.0).sum()))


@pytest.mark.parametrize("board", ["esp32c3", "waveshare_lcd_146"])
async def test_turns_follow_each_other_without_heap_or_loss(
    echo_relay: Any, spoken: Path, board: str, tmp_path: Path
) -> None:
    settings = {"board": board, "volume": 100}
    async with SimulatedDoll(echo_relay.url, settings=settings, out=tmp_path / "out") as doll:
        await doll.ready()
        for mode in (AskMode.HOLD, AskMode.TAP, AskMode.HOLD):
            reply = await doll.ask(spoken, mode)
            question = read_question(spoken)
            assert _likeness(question, np.concatenate(echo_relay.heard)) > 0.9, "it hears"
            assert _likeness(question, read_question(reply.wav)) > 0.85, "it speaks"
            assert reply.heap_per_frame == 0
            assert reply.frames_lost == reply.underruns == 0
            report = await echo_relay.reports.get()
            assert report["frames_played"] == reply.frames_played


async def test_a_tap_in_mid_reply_makes_a_half_duplex_doll_listen(echo_relay: Any) -> None:
    async with SimulatedDoll(echo_relay.url, settings={"board": "esp32c3"}) as doll:
        await doll.ready()
        long = (8000 * np.sin(np.arange(3 * RATE) / 4)).astype(np.int16)
        turn = asyncio.create_task(doll.ask(long))
        await doll.until_state("speaking")
        doll.tap()
        await doll.until_state("listening")
        turn.cancel()
        await asyncio.gather(turn, return_exceptions=True)
        # The relay hears the doll again once it has said all that it had to say.
        asked = len(echo_relay.heard)
        while len(echo_relay.heard) in (0, asked):
            await asyncio.sleep(0.01)


def test_a_chip_with_one_i2s_gets_one() -> None:
    assert board_environment(FIRMWARE, "esp32c3")["SIM_I2S_PORTS"] == "1"
    assert board_environment(FIRMWARE, "esp32s3")["SIM_I2S_PORTS"] == "2"
    assert board_environment(FIRMWARE, "esp32c3")["SIM_BUTTON_PIN"] == "9"
    assert board_environment(FIRMWARE, "no such board") == {}


async def test_a_firmware_that_wants_two_i2s_fails_on_a_chip_with_one(on_board: Any) -> None:
    script = """
import json
from machine import I2S, Pin
settings = dict(sck=Pin(1), ws=Pin(2), sd=Pin(3), bits=16, format=I2S.MONO, rate=16000, ibuf=4096)
I2S(0, mode=I2S.RX, **settings)
try:
    I2S(1, mode=I2S.TX, **settings)
except ValueError as e:
    print(json.dumps(str(e)))
"""
    assert on_board(script, SIM_I2S_PORTS="1")[-1] == "invalid id"


def test_what_is_played_is_one_stream_across_changes_of_direction(
    on_board: Any, tmp_path: Path
) -> None:
    script = """
import select, time
from machine import I2S, Pin
rx = dict(sck=Pin(1), ws=Pin(2), sd=Pin(3), bits=16, format=I2S.MONO, rate=16000, ibuf=4096)
tx = dict(rx, mode=I2S.TX)
rx["mode"] = I2S.RX
def never_wait(flag):
    p = select.poll()
    p.register(i2s, flag)
    p.poll(0)
i2s = I2S(0, **tx)
never_wait(select.POLLOUT)
i2s.write(b"\\x01\\x00" * 256)
for _ in range(50):
    time.sleep_ms(10)
    Pin(9).value()
i2s.init(**rx)
never_wait(select.POLLIN)
for _ in range(100):
    time.sleep_ms(10)
    i2s.readinto(bytearray(512))
i2s.init(**tx)
never_wait(select.POLLOUT)
i2s.write(b"\\x02\\x00" * 256)
"""
    out = tmp_path / "speaker.raw"
    events = on_board(script, SIM_SPEAKER=str(out))
    assert [e["event"] for e in events] == ["speaker"], "it is one stream"
    played = np.frombuffer(out.read_bytes(), "<i2")
    first, second = (np.flatnonzero(played == n)[0] for n in (1, 2))
    assert abs((second - first) / RATE - 1.5) < 0.05, "and its silence takes its time"
