"""The I2S model against the C driver's rules, in virtual time."""

from __future__ import annotations

import array
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

OnBoard = Callable[..., list[Any]]

PRELUDE = """
import gc, json, select, time
from array import array
import sim
from machine import I2S, Pin

def microphone(bits=16, format=I2S.MONO, rate=16000, ibuf=16384, id=0):
    return I2S(id, sck=Pin(1), ws=Pin(2), sd=Pin(3), mode=I2S.RX, bits=bits, format=format,
               rate=rate, ibuf=ibuf)

def speaker(bits=16, format=I2S.MONO, rate=16000, ibuf=4096, id=1):
    return I2S(id, sck=Pin(4), ws=Pin(5), sd=Pin(6), mode=I2S.TX, bits=bits, format=format,
               rate=rate, ibuf=ibuf)

def poll_once(i2s):
    p = select.poll()
    p.register(i2s, select.POLLIN if i2s.mode == I2S.RX else select.POLLOUT)
    return [event for _, event in p.poll(0)]

def tell(*values):
    print(json.dumps(values))

def tell_samples(buf, kind="h"):
    tell(*array(kind, buf))
"""


def ramp(n: int) -> list[int]:
    """Samples that differ from their neighbours, of both signs."""
    return [((i * 37) % 65536) - 32768 for i in range(n)]


def write(path: Path, samples: list[int], rate: int = 16_000, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(array.array("h", samples).tobytes())
    return path


@pytest.fixture
def told(on_board: OnBoard, tmp_path: Path) -> Callable[..., list[list[int]]]:
    """Runs a script while the microphone hears one second of a ramp; returns what it tells."""
    wav = write(tmp_path / "ramp.wav", ramp(16_000))

    def run(script: str, **sim: str) -> list[list[int]]:
        lines = on_board(PRELUDE + script, **{"SIM_MIC": str(wav), **sim})
        return [line for line in lines if isinstance(line, list)]

    return run


Told = Callable[..., list[list[int]]]


def test_a_16_bit_microphone_gives_the_wav_as_it_is(told: Told) -> None:
    script = "buf = bytearray(1024)\nmicrophone().readinto(buf)\ntell_samples(buf)\n"
    assert told(script) == [ramp(512)]


def test_a_32_bit_microphone_gives_left_justified_samples_that_a_gain_of_3_restores(
    told: Told,
) -> None:
    script = "buf = bytearray(2048)\nmicrophone(bits=32).readinto(buf)\ntell_samples(buf, 'i')\n"
    (samples,) = told(script)
    assert [sample >> (16 - 3) for sample in samples] == ramp(512)
    assert all(sample & 0xFF == 0 for sample in samples), "an INMP441 has 24 bits"


@pytest.mark.parametrize(("bits", "kind", "shift"), [(16, "h", 0), (32, "i", 13)])
def test_a_stereo_microphone_fills_the_left_slot_only(
    told: Told, bits: int, kind: str, shift: int
) -> None:
    script = (
        f"buf = bytearray(256 * 2 * {bits} // 8)\n"
        f"microphone(bits={bits}, format=I2S.STEREO).readinto(buf)\n"
        f"tell_samples(buf, '{kind}')\n"
    )
    (samples,) = told(script)
    assert [sample >> shift for sample in samples[::2]] == ramp(256)
    assert not any(samples[1::2])


def test_reads_block_until_the_first_poll(told: Told) -> None:
    script = (
        "mic = microphone()\nbuf = bytearray(1024)\n"
        "tell(mic.readinto(buf), time.ticks_ms())\n"
        "poll_once(mic)\n"
        "before = time.ticks_ms()\n"
        "tell(mic.readinto(buf), time.ticks_ms() - before)\n"
    )
    (blocked, took), (free, waited) = told(script)
    assert (blocked, took) == (1024, 32)
    assert (free, waited) == (0, 0)


def test_a_polled_read_gives_the_whole_dma_buffers_that_are_full(told: Told) -> None:
    script = (
        "mic = microphone()\npoll_once(mic)\nbuf = bytearray(1024)\n"
        "time.sleep_ms(15)\ntell(mic.readinto(buf))\n"
        "time.sleep_ms(5)\ntell(mic.readinto(buf))\ntell_samples(buf[:512])\n"
    )
    assert told(script) == [[0], [512], ramp(256)]


def test_a_read_may_take_part_of_a_dma_buffer(told: Told) -> None:
    script = (
        "mic = microphone()\npoll_once(mic)\na = bytearray(100)\nb = bytearray(1000)\n"
        "time.sleep_ms(16)\nn = mic.readinto(a)\nm = mic.readinto(b)\ntell(n, m)\n"
        "tell_samples(a + b[:m])\n"
    )
    assert told(script) == [[100, 412], ramp(256)]


def test_half_the_rate_gives_half_the_samples(told: Told, tmp_path: Path) -> None:
    wav = write(tmp_path / "slow.wav", ramp(8000), rate=8000)
    script = (
        "mic = microphone(rate=8000)\npoll_once(mic)\nbuf = bytearray(8192)\n"
        "time.sleep_ms(100)\ntell(mic.readinto(buf))\n"
    )
    assert told(script, SIM_MIC=str(wav)) == [[2 * 256 * (800 // 256)]]


def test_a_reader_that_is_late_loses_the_oldest_buffers_and_keeps_seven_of_eight(
    told: Told,
) -> None:
    script = (
        "mic = microphone(ibuf=16384)\npoll_once(mic)\nbuf = bytearray(16384)\n"
        "time.sleep_ms(480)\nn = mic.readinto(buf)\ntell(n, mic.lost, mic.losses)\n"
        "tell_samples(buf[:n])\n"
    )
    counts, samples = told(script)
    assert counts == [2 * 7 * 256, 30 - 7, 0], "nobody had read yet, so nobody fell behind"
    assert samples == ramp(30 * 256)[-7 * 256 :]


def test_falling_behind_is_counted_once_however_long_it_lasts(told: Told) -> None:
    script = (
        "mic = microphone()\npoll_once(mic)\nbuf = bytearray(512)\n"
        "for pause in (300, 16, 300):\n"
        "    time.sleep_ms(16)\n    mic.readinto(buf)\n"
        "    for i in range(pause // 4):\n        time.sleep_ms(4)\n        sim.poll()\n"
        "    while mic.readinto(buf): pass\n"
        "tell(mic.losses)\n"
    )
    assert told(script) == [[2]]


def test_the_microphone_hears_the_same_quiet_hiss_for_the_same_seed(told: Told) -> None:
    script = "buf = bytearray(8192)\nmicrophone().readinto(buf)\ntell_samples(buf)\n"

    def hiss(seed: str, noise: str) -> list[int]:
        return told(script, SIM_MIC="", SIM_SEED=seed, SIM_NOISE=noise)[0]

    first = hiss("1", "20")
    assert first == hiss("1", "20")
    assert first != hiss("2", "20")
    assert max(map(abs, first)) <= 20
    assert 4 < np.std(first) < 12
    assert abs(np.mean(first)) < 1
    assert not any(hiss("1", "0"))


def test_after_the_wav_the_room_is_quiet_and_its_end_is_told(
    on_board: OnBoard, tmp_path: Path
) -> None:
    wav = write(tmp_path / "short.wav", [1000] * 300)
    script = "buf = bytearray(2048)\nmicrophone().readinto(buf)\ntell_samples(buf)\n"
    done, samples = on_board(PRELUDE + script, SIM_MIC=str(wav))
    assert done["event"] == "mic_done"
    assert samples[:300] == [1000] * 300
    assert max(map(abs, samples[300:])) <= 20


def test_a_write_takes_what_the_free_buffers_hold(told: Told, tmp_path: Path) -> None:
    script = (
        "spk = speaker(ibuf=4096)\npoll_once(spk)\nbuf = bytes(8192)\n"
        "tell(spk.write(buf), spk.write(buf))\ntime.sleep_ms(16)\ntell(spk.write(buf))\n"
    )
    assert told(script) == [[2 * 7 * 256, 0], [512]]


def test_writes_block_until_the_first_poll(told: Told) -> None:
    script = "tell(speaker(ibuf=4096).write(bytes(32000)), time.ticks_ms() >= 800)\n"
    assert told(script) == [[32000, True]]


def test_an_underrun_plays_silence_and_is_counted(told: Told, tmp_path: Path) -> None:
    out = tmp_path / "speaker.raw"
    script = (
        "spk = speaker()\npoll_once(spk)\nbuf = bytes([1, 1]) * 256\n"
        "time.sleep_ms(100)\ntell(spk.lost, spk.losses)\n"
        "spk.write(buf)\ntime.sleep_ms(160)\nspk.write(buf)\ntell(spk.lost, spk.losses)\n"
        "spk.deinit()\n"
    )
    idle, after = told(script, SIM_SPEAKER=str(out))
    assert idle == [0, 0], "a speaker that has nothing to say is not late"
    heard = np.frombuffer(out.read_bytes(), "<i2").reshape(-1, 256).any(axis=1).tolist()
    first, second = (i for i, loud in enumerate(heard) if loud)
    assert after == [second - first - 1, 1]
    assert second - first == 10, "160 ms are ten buffers of 16 ms"


def test_what_is_heard_and_said_again_arrives_unchanged(told: Told, tmp_path: Path) -> None:
    out = tmp_path / "speaker.raw"
    script = (
        "mic = microphone()\nspk = speaker()\npoll_once(mic)\npoll_once(spk)\n"
        "buf = bytearray(512)\nn = 0\n"
        "while n < 32000:\n"
        "    got = mic.readinto(buf)\n    n += got\n"
        "    if got:\n        assert spk.write(buf) == got\n"
        "    time.sleep_ms(4)\n"
        "tell(mic.lost, spk.lost)\nspk.deinit()\n"
    )
    assert told(script, SIM_SPEAKER=str(out)) == [[0, 0]]
    sound = out.read_bytes()
    start = next(i for i in range(0, len(sound), 2) if sound[i : i + 2] != b"\0\0")
    assert np.frombuffer(sound[start : start + 32000], "<i2").tolist() == ramp(16_000)


def test_no_read_or_write_takes_heap(told: Told) -> None:
    script = (
        "mic = microphone(bits=32)\nspk = speaker()\npoll_once(mic)\npoll_once(spk)\n"
        "buf = bytearray(1024)\nout = bytearray(512)\n"
        "def turn():\n"
        "    for i in range(400):\n"
        "        if mic.readinto(buf): spk.write(out)\n"
        "        time.sleep_ms(4)\n"
        "turn()\ngc.collect()\ngc.disable()\nbefore = gc.mem_alloc()\nturn()\n"
        "tell(gc.mem_alloc() - before)\n"
    )

    assert told(script, SIM_SPEAKER="/dev/null") == [[0]]


@pytest.mark.parametrize("i2s", ["microphone()", "speaker()"])
def test_polling_in_the_wrong_direction_is_refused(told: Told, i2s: str) -> None:
    wrong = "POLLOUT" if i2s == "microphone()" else "POLLIN"
    script = (
        f"p = select.poll()\np.register({i2s}, select.{wrong})\n"
        "try:\n    p.poll(0)\nexcept OSError as e:\n    tell(e.errno)\n"
    )
    assert told(script) == [[1]]


def test_poll_says_whether_it_is_worth_trying(told: Told) -> None:
    script = (
        "mic = microphone()\nbuf = bytearray(1024)\npoll_once(mic)\nmic.readinto(buf)\n"
        "tell(len(poll_once(mic)))\ntime.sleep_ms(16)\ntell(len(poll_once(mic)))\n"
    )
    assert told(script) == [[0], [1]]


@pytest.mark.parametrize(
    "call",
    [
        "microphone(bits=24)",
        "microphone(format=2)",
        "microphone(id=2)",
        "microphone(ibuf=0)",
        "I2S(0, sck=0, ws=0, sd=0, mode=7, bits=16, format=0, rate=16000, ibuf=4096)",
    ],
)
def test_what_the_driver_refuses_is_refused(told: Told, call: str) -> None:
    assert told(f"try:\n    {call}\nexcept ValueError:\n    tell('refused')\n") == [["refused"]]


def test_a_second_object_takes_the_peripheral_from_the_first(told: Told) -> None:
    script = "a = microphone()\nb = microphone()\ntell(I2S.ports[0] is b, len(I2S.ports))\n"
    assert told(script) == [[True, 1]]
