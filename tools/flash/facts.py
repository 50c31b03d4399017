"""What a board said about itself: its chip, its MicroPython, its files. Sans-I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.flash.errors import FlashError

#: `micropython.RingIO`, the doll's jitter buffer, came with this release.
OLDEST_MICROPYTHON = (1, 25)

#: sys.implementation._mpy >> 10; from MicroPython's reference, "MicroPython .mpy files".
_ARCHITECTURES = (
    *("", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp"),
    *("xtensa", "xtensawin", "rv32imc", "rv64imc"),
)


@dataclass(frozen=True, slots=True)
class MpyFormat:
    """A version of the .mpy file format and the architecture of the native code in it."""

    version: int
    sub_version: int  #: of the native code's interface
    architecture: str  #: as mpy-cross -march= calls it; empty: no native code

    @classmethod
    def of(cls, number: int) -> MpyFormat:
        """Decodes `sys.implementation._mpy`; 0 means that .mpy files cannot be loaded."""
        index = number >> 10 & 0x0F
        known = index < len(_ARCHITECTURES)
        return cls(number & 0xFF, number >> 8 & 3, _ARCHITECTURES[index] if known else "")


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """A board as tools/flash/onboard/survey.py found it."""

    release: str  #: of MicroPython: 1.29.0, or 1.30.0-preview
    machine: str  #: "Generic ESP32S3 module with Octal-SPIRAM with ESP32S3"
    mpy: MpyFormat
    free: int  #: bytes of the file system that are not in use
    block: int  #: bytes; a file takes whole blocks
    files: Mapping[str, str]  #: path: sha256 of what may be ours, incoming/ included
    installed: Mapping[str, str] = field(default_factory=dict)  #: by the last doll flash
    settings: str | None = None  #: the text of settings.json; holds secrets
    settings_good: str | None = None  #: what the firmware last read without a fault
    device_id: str = ""  #: what the firmware calls itself unless its settings say otherwise

    @property
    def chip(self) -> str:
        """esp32, esp32s3 …; empty if it is no chip that we know."""
        match = re.search(r"\b(ESP32(?:[A-Z]\d+)?)$", self.machine)
        return match[1].lower() if match else ""

    @property
    def version(self) -> tuple[int, int]:
        """Of MicroPython, as far as it matters; (0, 0) if it does not say."""
        match = re.match(r"(\d+)\.(\d+)", self.release)
        return (int(match[1]), int(match[2])) if match else (0, 0)


def parse_facts(output: str) -> BoardFacts:
    """Reads what survey.py printed, whatever boot.py printed before it.

    Raises:
        FlashError: it is not there.
    """
    for line in reversed(output.splitlines()):
        if not line.startswith("{"):
            continue
        try:
            fields = json.loads(line)
            return BoardFacts(
                release=str(fields["release"]),
                machine=str(fields["machine"]),
                mpy=MpyFormat.of(int(fields["mpy"])),
                free=int(fields["free"]),
                block=max(1, int(fields["block"])),
                files={str(path): str(digest) for path, digest in fields["files"].items()},
                installed=_installed(fields["installed"]),
                settings=fields["settings"],
                settings_good=fields["settings_good"],
                device_id=str(fields["id"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    raise FlashError("no_answer")


def _installed(text: str | None) -> dict[str, str]:
    """The files of a manifest; none if it is damaged, for then it proves nothing."""
    try:
        manifest: Any = json.loads(text or "{}")
        return {str(path): str(digest) for path, digest in manifest.get("files", {}).items()}
    except (ValueError, AttributeError):
        return {}
