"""The firmware as it goes on a board."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.flash.build import FIRMWARE, boards, build, can_load, mpy_format
from tools.flash.errors import FlashError
from tools.flash.facts import MpyFormat


@pytest.mark.parametrize("architecture", ["xtensawin", "rv32imc"])
def test_the_real_firmware_shrinks_when_it_is_compiled(architecture: str) -> None:
    built = build(FIRMWARE, architecture)
    paths = {file.path for file in built.files}
    assert {"boot.py", "main.py", "doll/app.mpy", "boards/esp32s3.mpy"} <= paths
    assert built.bytes < 0.7 * built.source_bytes


def test_sources_go_as_they_are() -> None:
    built = build(FIRMWARE, "")
    assert built.bytes == built.source_bytes
    assert all(file.data == (FIRMWARE / file.path).read_bytes() for file in built.files)


def test_the_same_source_gives_the_same_file(firmware: Path) -> None:
    assert build(firmware, "xtensawin").files == build(firmware, "xtensawin").files


def test_an_error_names_its_place(firmware: Path) -> None:
    (firmware / "doll" / "app.py").write_text("def f(:\n")
    with pytest.raises(FlashError) as raised:
        build(firmware, "xtensawin")
    assert raised.value.key == "compiler"
    assert raised.value.values["text"] == "doll/app.py, 1: SyntaxError: invalid syntax"


def test_an_empty_folder_is_no_firmware(tmp_path: Path) -> None:
    with pytest.raises(FlashError) as raised:
        build(tmp_path, "")
    assert raised.value.key == "no_firmware"


def test_a_board_loads_only_its_own_format() -> None:
    made = mpy_format()
    assert (made.version, made.sub_version) == (6, 3)
    assert can_load(MpyFormat(6, 3, "xtensawin"), made)
    assert not can_load(MpyFormat(6, 2, "xtensawin"), made)  # MicroPython before 1.23
    assert not can_load(MpyFormat(7, 3, "xtensawin"), made)
    assert not can_load(MpyFormat(6, 3, ""), made)


def test_every_board_says_its_chip() -> None:
    known = boards(FIRMWARE)
    assert known["esp32s3"] == "esp32s3"
    assert all(known.values())


def test_what_the_modules_read_goes_with_them_and_caches_do_not(firmware: Path) -> None:
    for name in ("doll/pages/setup.html", "doll/__pycache__/app.cpython-311.pyc", "doll/.hidden"):
        (firmware / name).parent.mkdir(exist_ok=True)
        (firmware / name).write_bytes(b"<p>")
    paths = [file.path for file in build(firmware, "xtensawin").files]
    assert "doll/pages/setup.html" in paths
    assert not any("cache" in path or "hidden" in path or "package" in path for path in paths)
