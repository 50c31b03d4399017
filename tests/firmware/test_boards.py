"""Every board: its file loads, its pins exist on its chip, and a whole turn works on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

Micropython = Callable[..., str]

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
BOARDS = sorted(path.stem for path in (FIRMWARE / "boards").glob("*.py"))

#: Pins that a module leaves free: not wired to flash or PSRAM, not missing. From the chips'
#: datasheets and ESP-IDF's GPIO pages; the S3 as a module with octal PSRAM (33-37 are taken).
PINS = {
    "esp32": {0, 2, 4, 5, *range(12, 16), 18, 19, *range(21, 24), *range(25, 28), *range(32, 40)},
    "esp32s3": {*range(22), *range(38, 49)},
    "esp32s2": {*range(19), 21, *range(33, 47)},
    "esp32c3": {*range(11), *range(18, 22)},
}
INPUT_ONLY = {"esp32": {34, 35, 36, 37, 38, 39}, "esp32s2": {46}}
#: The native USB of a chip: the doll could not be reached any more.
USB = {"esp32": set(), "esp32s3": {19, 20}, "esp32s2": {19, 20}, "esp32c3": {18, 19}}

FACTS = """
import json
b = __import__("boards." + %r, None, None, ("NAME",))
print(json.dumps({k: getattr(b, k) for k in dir(b) if k[0] != "_"}))
"""


@pytest.fixture
def facts(micropython: Micropython) -> Callable[[str], dict[str, object]]:
    """What a board's file says, as MicroPython reads it."""
    import json

    return lambda board: json.loads(micropython(FACTS % board))


Facts = Callable[[str], dict[str, object]]


def _pins(board: dict[str, object]) -> dict[str, int]:
    names = ("BUTTON", "LIGHT", *(f"{who}_{what}" for who in ("MIC", "SPEAKER") for what in WIRES))
    pins = {name: board[name] for name in names}
    held = board.get("HELD_HIGH", [])
    assert isinstance(held, list)
    pins |= {f"HELD_HIGH[{i}]": pin for i, pin in enumerate(held)}
    assert all(type(pin) is int for pin in pins.values()), pins
    return pins  # type: ignore[return-value]


WIRES = ("SCK", "WS", "SD")


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_is_named_as_its_file(facts: Facts, board: str) -> None:
    said = facts(board)
    assert said["NAME"] == board
    assert said["CHIP"] in PINS


@pytest.mark.parametrize("board", BOARDS)
def test_every_wire_has_a_pin_of_its_own_that_the_chip_has(facts: Facts, board: str) -> None:
    said = facts(board)
    chip = str(said["CHIP"])
    pins = _pins(said)
    assert len(set(pins.values())) == len(pins), pins
    assert set(pins.values()) <= PINS[chip], pins
    assert not set(pins.values()) & USB[chip], pins
    inputs = {"MIC_SD", "BUTTON"}
    outputs = {pin for name, pin in pins.items() if name not in inputs}
    assert not outputs & INPUT_ONLY.get(chip, set()), pins


@pytest.mark.parametrize("board", BOARDS)
def test_a_chip_with_one_i2s_is_half_duplex_and_gives_both_directions_the_same_memory(
    facts: Facts, board: str
) -> None:
    said = facts(board)
    assert bool(said.get("HALF_DUPLEX")) == (said["CHIP"] in ("esp32c3", "esp32s2"))
    if said.get("HALF_DUPLEX"):
        assert said["MIC_IBUF"] == said["SPEAKER_IBUF"]


@pytest.mark.parametrize("board", BOARDS)
def test_the_microphone_bears_a_tenth_of_a_second_of_a_busy_chip(facts: Facts, board: str) -> None:
    said = facts(board)
    buffers = int(str(said["MIC_IBUF"])) // (256 * 8)
    assert (buffers - 1) * 16 >= 100


@pytest.mark.parametrize("board", BOARDS)
def test_the_wiring_of_every_board_is_in_the_documentation(facts: Facts, board: str) -> None:
    text = (FIRMWARE.parent / "docs" / "wiring.md").read_text(encoding="utf-8")
    section = re.search(rf"^## [^\n]*`{board}`.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section is not None, f"docs/wiring.md has no section for {board}"
    for name, pin in _pins(facts(board)).items():
        assert re.search(rf"\bGPIO {pin}\b", section[0]), f"{name} (GPIO {pin}) is missing"


def test_pins_that_keep_a_board_on_are_high_before_anything_else(micropython: Micropython) -> None:
    output = micropython("""
from doll import audio, settings
conf = settings.load()
conf.board = "xingzhi_cube_oled"
audio.board(conf)
import machine
print(machine.Pin(21).value())
""")
    assert output == "1\n"
