"""The doll's sample arithmetic against plain Python."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

Micropython = Callable[..., str]

SCRIPT = """
import json, sys
from array import array
from doll import dsp

with open(sys.argv[1]) as f:
    values = json.load(f)
"""


def _run(micropython: Micropython, tmp_path: Path, code: str, values: list[int]) -> list[int]:
    file = tmp_path / "values.json"
    file.write_text(json.dumps(values))
    result: list[int] = json.loads(micropython(SCRIPT + code, str(file)))
    return result


def _clip(value: int) -> int:
    return max(-32768, min(32767, value))


@pytest.mark.parametrize("shift", [16, 13, 11, 8])
def test_narrow_shifts_microphone_words_down_and_clips(
    micropython: Micropython, tmp_path: Path, shift: int
) -> None:
    dice = random.Random(shift)
    words = [-(2**31), 2**31 - 1, 0, -1, 1, -(1 << shift), (1 << shift) - 1]
    words += [dice.randint(-(2**31), 2**31 - 1) >> dice.randint(0, 16) for _ in range(249)]
    got = _run(
        micropython,
        tmp_path,
        f"""
out = array("h", bytearray(512))
dsp.narrow(array("i", values), 0, 256, out, 0, {shift})
print(json.dumps(list(out)))
""",
        words,
    )
    assert got == [_clip(word >> shift) for word in words]


def test_narrow_takes_a_part_to_a_place(micropython: Micropython, tmp_path: Path) -> None:
    got = _run(
        micropython,
        tmp_path,
        """
out = array("h", (9,) * 6)
dsp.narrow(array("i", values), 1, 2, out, 3, 16)
print(json.dumps(list(out)))
""",
        [v << 16 for v in (1, -2, 3, 4)],
    )
    assert got == [9, 9, 9, -2, 3, 9]


def test_volume_scales_and_clips(micropython: Micropython, tmp_path: Path) -> None:
    values = [-32768, 32767, 0, 1, -1, 20000, -20000]
    for gain in (0, 1, 128, 256, 512):
        got = _run(
            micropython,
            tmp_path,
            f"""
out = array("h", values)
dsp.volume(out, len(out), {gain})
print(json.dumps(list(out)))
""",
            values,
        )
        assert got == [_clip(v * gain >> 8) for v in values]


def _remove_dc(values: list[int], dc: int = 0) -> tuple[list[int], int]:
    out = []
    for value in values:
        dc += value - (dc >> 8)
        out.append(_clip(value - (dc >> 8)))
    return out, sum(map(abs, out)) // len(out)


@pytest.mark.parametrize("name", ["offset", "noise", "extremes"])
def test_dc_is_removed_and_the_level_measured(
    micropython: Micropython, tmp_path: Path, name: str
) -> None:
    dice = random.Random(3)
    values = {
        "offset": [-1500] * 512,
        "noise": [dice.randint(-32768, 32767) for _ in range(512)],
        "extremes": [-32768] * 200 + [32767] * 312,
    }[name]
    got = _run(
        micropython,
        tmp_path,
        """
out = array("h", values)
level = dsp.remove_dc(out, len(out), dsp.new_state())
print(json.dumps(list(out) + [level]))
""",
        values,
    )
    samples, level = _remove_dc(values)
    assert got == [*samples, level]


def test_a_constant_offset_is_gone_after_an_eighth_of_a_second(
    micropython: Micropython, tmp_path: Path
) -> None:
    got = _run(
        micropython,
        tmp_path,
        """
state = dsp.new_state()
for _ in range(4):
    out = array("h", values)
    level = dsp.remove_dc(out, len(out), state)
print(json.dumps([level]))
""",
        [-3000] * 512,
    )
    assert got[0] <= 3
