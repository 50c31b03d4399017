"""Flashes a MicroPython image: checked by its hash, its chip, and the chip on the board."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.flash.errors import FlashError
from tools.flash.ports import check_port
from tools.flash.process import run_module

#: The chip id at byte 12 of an image's extended header; from esptool's reference, "Firmware Image
#: Format".
_CHIPS = {
    0: "esp32",
    2: "esp32s2",
    5: "esp32c3",
    9: "esp32s3",
    12: "esp32c2",
    13: "esp32c6",
    16: "esp32h2",
    18: "esp32p4",
    20: "esp32c61",
    23: "esp32c5",
}
_MAGIC = 0xE9
_HEADER_BYTES = 24

#: Where the ROM of a chip looks for the bootloader, with which MicroPython's images begin.
_OFFSETS = {"esp32": 0x1000, "esp32s2": 0x1000, "esp32c5": 0x2000, "esp32p4": 0x2000}

_MAX_BYTES = 32 << 20
_SILENCE_S = 60.0  #: erasing a large flash takes most of that without a word

_MEANINGS = (
    (r"This chip is (\S+?),? not|Unexpected chip ID|[Ww]rong (?:--)?chip", "wrong_chip"),
    (r"port is busy|multiple access|could not exclusively lock|Resource temporarily", "busy"),
    (r"Could not open|could not open port", "busy"),
    (r"Failed to connect|No serial data received|Invalid head of packet", "no_bootloader"),
    (r"SerialException|Errno (?:5|6|19|32)\b|device disconnected|stopped responding", "unplugged"),
)


@dataclass(frozen=True, slots=True)
class Image:
    """A MicroPython image for one chip."""

    path: Path
    chip: str
    size: int  #: bytes
    checked: bool  #: its hash was known and is right

    @property
    def offset(self) -> int:
        """Where in the flash it goes."""
        return _OFFSETS.get(self.chip, 0)


def read_image(path: Path, sha256: str | None = None) -> Image:
    """Checks the image in a file; its hash by `sha256` or by a file PATH.sha256 beside it.

    Raises:
        FlashError: it is no image for an ESP32, or not the one that it should be.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise FlashError("not_an_image", path=path)
        data = path.read_bytes()
        beside = path.with_name(path.name + ".sha256")
        if sha256 is None and beside.is_file():
            # As sha256sum writes it: the hash, then the name of the file.
            words = beside.read_text(encoding="utf-8", errors="replace").split()
            sha256 = words[0] if words else ""
    except OSError as error:
        raise FlashError("image_unreadable", path=path, reason=error.strerror) from None
    if sha256 is not None:
        if not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
            raise FlashError("bad_hash", path=path)
        if hashlib.sha256(data).hexdigest() != sha256.lower():
            raise FlashError("wrong_hash", path=path)
    if len(data) < _HEADER_BYTES or data[0] != _MAGIC:
        raise FlashError("not_an_image", path=path)
    chip = _CHIPS.get(struct.unpack_from("<H", data, 12)[0])
    if chip is None:
        raise FlashError("not_an_image", path=path)
    return Image(path, chip, len(data), sha256 is not None)


def write_image(
    port: str, image: Image, *, erase: bool, on_line: Callable[[str], None] = lambda _: None
) -> None:
    """Writes an image with esptool, over all that was in the flash if `erase` is set.

    esptool reads the chip first and refuses an image for another one. It starts the board anew
    when it is done.

    Raises:
        FlashError: the board is another chip, or cannot be flashed.
    """
    if importlib.util.find_spec("esptool") is None:
        raise FlashError("not_installed", package="esptool")
    arguments = ["--chip", image.chip, "--port", port, "--baud", "460800", "write-flash"]
    if erase:
        arguments.append("--erase-all")
    arguments += [hex(image.offset), str(image.path)]
    finished = run_module("esptool", arguments, silence_s=_SILENCE_S, on_line=on_line)
    if finished.code == 0:
        return
    for pattern, key in _MEANINGS:
        if re.search(pattern, finished.output):
            if key == "busy":
                check_port(port)
            raise FlashError(key, port=port, chip=image.chip)
    if finished.code is None:
        raise FlashError("no_bootloader", port=port, chip=image.chip)
    lines = [line for line in finished.output.splitlines() if line.strip()] or ["?"]
    raise FlashError("esptool", text=lines[-1].strip()[:200])
