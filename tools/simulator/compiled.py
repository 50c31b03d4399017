"""The firmware as `doll flash` ships it, compiled, but for this machine's MicroPython."""

from __future__ import annotations

from pathlib import Path

from tools.flash.build import build

#: Of MicroPython's unix port on this machine; its native code is what `mpy-cross -march=` makes.
ARCHITECTURE = "x64"


def compiled(firmware: Path, folder: Path) -> Path:
    """Compiles `firmware` into `folder`, which is returned.

    A board's heap has room for the whole firmware in this form only: compiling takes more than
    what comes of it.

    Raises:
        FlashError: a file does not compile, or mpy-cross is not installed.
    """
    for file in build(firmware, ARCHITECTURE).files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
    return folder
