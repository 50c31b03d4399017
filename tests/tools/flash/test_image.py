"""Flashing an image through the real esptool, on a mock of the chip's bootloader."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from esp32_mock_bootloader import mock_bootloader

from tests.tools.flash.conftest import Installs
from tools.flash.build import build
from tools.flash.errors import FlashError
from tools.flash.image import Image, read_image, write_image
from tools.simulator.serial_board import SerialBoard

Fails = Callable[..., Awaitable[FlashError]]
Files = Callable[[], Awaitable[dict[str, str]]]

_IDS = {"esp32": 0, "esp32s3": 9, "esp32c3": 5}


def image(folder: Path, chip: str, size: int = 8192) -> Path:
    """A file with the header of an image; its code would not run."""
    header = struct.pack("<4BIBBBBH", 0xE9, 0, 2, 0x20, 0, 0xEE, 0, 0, 0, _IDS[chip])
    data = header.ljust(24, b"\0")
    path = folder / f"{chip}.bin"
    path.write_bytes(data + bytes(n * 7 & 0xFF for n in range(size - len(data))))
    return path


@pytest.mark.parametrize(("chip", "offset"), [("esp32", 0x1000), ("esp32s3", 0), ("esp32c3", 0)])
def test_the_image_says_its_chip_and_the_chip_its_place(
    tmp_path: Path, chip: str, offset: int
) -> None:
    found = read_image(image(tmp_path, chip))
    assert (found.chip, found.offset, found.checked) == (chip, offset, False)


def test_a_hash_is_checked_wherever_it_stands(tmp_path: Path) -> None:
    path = image(tmp_path, "esp32")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_image(path, digest.upper()).checked
    beside = tmp_path / "esp32.bin.sha256"
    beside.write_text(f"{digest}  esp32.bin\n")
    assert read_image(path).checked
    beside.write_text(f"{'0' * 64}  esp32.bin\n")
    with pytest.raises(FlashError) as raised:
        read_image(path)
    assert raised.value.key == "wrong_hash"
    for bad in ("", "no hash at all"):
        beside.write_text(bad)
        with pytest.raises(FlashError) as raised:
            read_image(path)
        assert raised.value.key == "bad_hash"


@pytest.mark.parametrize(
    "data", [b"", b"\xe9", b"\x7fELF" + bytes(100), b"\xe9" + bytes(11) + b"\xff\xff" + bytes(90)]
)
def test_another_file_is_no_image(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(data)
    with pytest.raises(FlashError) as raised:
        read_image(path)
    assert raised.value.key == "not_an_image"


def test_esptool_writes_it_and_tells_of_its_progress(tmp_path: Path) -> None:
    lines: list[str] = []
    with mock_bootloader("esp32s3") as chip:
        found = read_image(image(tmp_path, "esp32s3"))
        write_image(chip.url(), found, erase=True, on_line=lines.append)
    assert any("Hash of data verified" in line for line in lines)
    assert any("0x00000000" in line for line in lines)


def test_an_image_for_another_chip_is_refused(tmp_path: Path) -> None:
    with mock_bootloader("esp32s3") as chip:
        found = read_image(image(tmp_path, "esp32"))
        with pytest.raises(FlashError) as raised:
            write_image(chip.url(), found, erase=False)
    assert raised.value.key == "wrong_chip"
    assert raised.value.values["chip"] == "esp32"


def test_a_port_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(FlashError) as raised:
        write_image("/dev/no-such-port", read_image(image(tmp_path, "esp32")), erase=False)
    assert raised.value.key == "port_gone"


####################################################################################################
# As the first step of an installation


@pytest.fixture
def flashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An image for an ESP32-S3; on the board's port there is a bootloader while it is written."""
    path = image(tmp_path, "esp32s3")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(path.name + ".sha256").write_text(f"{digest}  {path.name}\n")
    with mock_bootloader("esp32s3") as chip:
        url = chip.url()

        def on_the_mock(port: str, image: Image, **options: Any) -> None:
            write_image(url, image, **options)

        monkeypatch.setattr("tools.flash.install.write_image", on_the_mock)
        yield path


async def test_an_image_is_flashed_before_the_firmware(
    installs: Installs, firmware: Path, files: Files, flashed: Path
) -> None:
    person = await installs(image=flashed, erase=True)
    assert list(person.told) == [
        *("flashed", "found", "ships_mpy", "plan", "settings_change", "copied"),
        *("watch_ready", "next"),
    ]
    assert await files() == {file.path: file.sha256 for file in build(firmware, "x64").files}


async def test_a_dry_run_flashes_no_image(
    board: SerialBoard, installs: Installs, flashed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.flash.install.write_image", None)
    await board.until(b">>> ")  # its file system is made
    before = board.image.read_bytes()
    person = await installs(image=flashed, dry_run=True)
    assert person.told["would_flash"]["offset"] == "0x0"
    assert board.image.read_bytes() == before


async def test_an_image_for_another_board_is_refused(fails: Fails, flashed: Path) -> None:
    error = await fails(image=flashed, board="esp32")
    assert error.key == "board_chip"
