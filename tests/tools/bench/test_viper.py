"""The firmware's routines as the ESP32 would run them, against references."""

from __future__ import annotations

import audioop
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.bench.routines import FIRMWARE, _steps
from tools.bench.xtensa.machine import UnknownInstructionError, signed
from tools.bench.xtensa.viper import ViperModule

STEPS = struct.pack("<89H", *_steps())
SAMPLES = st.lists(st.integers(-32768, 32767), min_size=64, max_size=64)


def doll(name: str) -> ViperModule:
    return ViperModule(FIRMWARE / "doll" / f"{name}.py")


adpcm, dsp, frames, websocket = (doll(name) for name in ("adpcm", "dsp", "frames", "websocket"))


@given(SAMPLES)
@settings(max_examples=25, deadline=None)
def test_encoding_is_bit_by_bit_that_of_audioop(samples: list[int]) -> None:
    pcm = struct.pack("<64h", *samples)
    body, (predictor, index) = audioop.lin2adpcm(pcm, 2, (0, 0))
    packet, state = bytearray(36), bytearray(4)
    adpcm.run("_encode", bytearray(pcm), 64, packet, 4, state, bytearray(STEPS))
    assert packet[4:] == body
    assert struct.unpack("<hH", state) == (predictor, index)


@given(st.binary(min_size=32, max_size=32), st.integers(-32768, 32767), st.integers(0, 88))
@settings(max_examples=25, deadline=None)
def test_decoding_is_bit_by_bit_that_of_audioop(body: bytes, predictor: int, index: int) -> None:
    pcm = bytearray(128)
    steps = bytearray(STEPS)
    adpcm.run("_decode", bytearray(4) + body, 4, 64, pcm, predictor, index, steps)
    assert pcm == audioop.adpcm2lin(body, 2, (predictor, index))[0]


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=32, max_size=32), st.integers(8, 16))
@settings(max_examples=25, deadline=None)
def test_narrowing_shifts_and_clips(words: list[int], shift: int) -> None:
    pcm = bytearray(64)
    dsp.run("narrow", bytearray(struct.pack("<32i", *words)), 0, 32, pcm, 0, shift)
    expected = np.clip(np.array(words, np.int64) >> shift, -32768, 32767)
    assert np.frombuffer(pcm, np.int16).tolist() == expected.tolist()


def test_the_level_comes_from_a_division() -> None:
    pcm = np.array([4000, -4000] * 32, np.int16)
    state = bytearray(8)
    run = dsp.run("_remove_dc", bytearray(pcm.tobytes()), 64, state)
    assert abs(struct.unpack("<iI", state)[1] - 4000) < 50
    assert run.helper_calls == 4


@given(st.binary(max_size=64), st.integers(0, 0x3FFF_FFFF))
@settings(max_examples=25, deadline=None)
def test_masking_is_an_exclusive_or(payload: bytes, key: int) -> None:
    buffer = bytearray(8) + payload
    websocket.run("_mask", buffer, len(payload), key)
    mask = key.to_bytes(4, "little")
    assert buffer[8:] == bytes(b ^ mask[n % 4] for n, b in enumerate(payload))


@given(st.binary(max_size=40) | st.text(max_size=20).map(str.encode))
@settings(max_examples=50, deadline=None)
def test_utf8_is_what_python_takes_for_it(data: bytes) -> None:
    try:
        data.decode()
        expected = True
    except UnicodeDecodeError:
        expected = False
    run = frames.run("is_utf8", bytearray(data), 0, len(data))
    assert bool(run.result) == expected


def test_instructions_grow_with_the_work() -> None:
    counts = [
        frames.run("copy", bytearray(200), 0, bytearray(200), 0, n).instructions
        for n in (0, 100, 200)
    ]
    assert counts[2] - counts[1] == counts[1] - counts[0] > 100


def module(folder: Path, source: str) -> ViperModule:
    (folder / "probe.py").write_text("import micropython\n" + source)
    return ViperModule(folder / "probe.py")


def test_arithmetic_is_that_of_micropython(tmp_path: Path) -> None:
    source = "".join(
        f"@micropython.viper\ndef {name}(a: int, b: int) -> int:\n    return {expression}\n"
        for name, expression in (
            ("plus", "a + b"),
            ("minus", "a - b"),
            ("times", "a * b"),
            ("divided", "a // b"),
            ("negative", "-a"),
            ("less", "int(a < b)"),
            ("same", "int(a == b)"),
            ("left", "a << (b & 31)"),
            ("right", "a >> (b & 31)"),
            ("bits", "(a & b) | (a ^ 21)"),
        )
    )
    probe = module(tmp_path, source)
    rng = random.Random(3)
    for _ in range(200):
        a, b = (
            rng.choice((rng.randint(-(2**31), 2**31 - 1), rng.randint(-50, 50))) or 1 for _ in "ab"
        )
        expected = {
            "plus": a + b,
            "minus": a - b,
            "times": a * b,
            "divided": a // b,
            "negative": -a,
            "less": a < b,
            "same": a == b,
            "left": a << (b & 31),
            "right": a >> (b & 31),
            "bits": (a & b) | (a ^ 21),
        }
        for name, value in expected.items():
            assert signed(probe.run(name, a, b).result) == signed(int(value) & 0xFFFF_FFFF), name


def test_code_that_deals_in_objects_is_refused(tmp_path: Path) -> None:
    probe = module(tmp_path, "@micropython.viper\ndef f(a):\n    return a[1]\n")
    with pytest.raises(UnknownInstructionError, match="helper"):
        probe.run("f", 1)


def test_only_viper_functions_are_offered(tmp_path: Path) -> None:
    probe = module(tmp_path, "def a():\n    pass\n@micropython.viper\ndef b():\n    pass\n")
    assert probe.names == ["b"]
