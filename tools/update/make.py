"""Bundles of the firmware for every kind of board."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from relay.devices.bundle import Bundle, pack, version_number
from tools.flash.build import build, mpy_format

#: Of the chips that MicroPython has I2S for; sources fit all others.
ARCHITECTURES = ("xtensawin", "rv32imc", "")

#: Never changed over the air: they are what is left when an update does not work.
_STAYS = ("boot.py", "main.py")

_VERSION = re.compile(r'^__version__ = ".*"$', re.MULTILINE)


def make_bundles(
    firmware: Path,
    version: str | None = None,
    architectures: Sequence[str] = ARCHITECTURES,
) -> list[Bundle]:
    """Compile `firmware`, as another version than it says if one is given.

    Raises:
        BundleError: it is nothing that a doll would take.
        FlashError: it is no firmware, or does not compile.
    """
    if version is not None:
        version_number(version)
        with tempfile.TemporaryDirectory(prefix="doll-") as folder:
            copy = Path(folder) / "firmware"
            shutil.copytree(firmware, copy)
            _stamp(copy, version)
            return make_bundles(copy, architectures=architectures)
    made = mpy_format()
    bundles = []
    for architecture in architectures:
        built = build(firmware, architecture)
        version_number(built.version)
        files = [(file.path, file.data) for file in built.files if file.path not in _STAYS]
        bundles.append(
            Bundle(
                version=built.version,
                mpy=f"{made.version}.{made.sub_version}" if architecture else "",
                architecture=architecture,
                files=len(files),
                data=pack(files),
            )
        )
    return bundles


def _stamp(firmware: Path, version: str) -> None:
    package = firmware / "package.json"
    fields = json.loads(package.read_text(encoding="utf-8"))
    package.write_text(json.dumps({**fields, "version": version}), encoding="utf-8")
    init = firmware / "doll" / "__init__.py"
    text = _VERSION.sub(f'__version__ = "{version}"', init.read_text(encoding="utf-8"))
    init.write_text(text, encoding="utf-8")
