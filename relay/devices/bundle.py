"""A bundle: all files of a firmware in one stream, as a doll writes it to its flash.

Before each file stands a line `path size sha256`, the sha256 of what follows in hex. The doll's
half is `firmware/doll/bundle.py`; docs/updates.md describes both.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

#: What a doll takes, and no more: bytes of a bundle, files in it, characters of a path.
MAX_BYTES, MAX_FILES, MAX_PATH = 1_000_000, 200, 64

_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")
_VERSION = re.compile(r"(\d{1,5})\.(\d{1,5})\.(\d{1,5})", re.ASCII)


class BundleError(Exception):
    """It cannot be a bundle, or not one that a doll would take; the text says why."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """One version of the firmware for one kind of board."""

    version: str
    mpy: str  #: the .mpy format that the board must read, such as 6.3
    architecture: str  #: of its native code; empty: sources, which every board can read
    files: int
    data: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """Of the whole stream."""
        return hashlib.sha256(self.data).hexdigest()


def pack(files: Iterable[tuple[str, bytes]]) -> bytes:
    """The stream of these files. Raises BundleError for what a doll would not take."""
    parts: list[bytes] = []
    for path, data in files:
        if len(path) > MAX_PATH or not _PATH.fullmatch(path):
            raise BundleError(f"{path!r} is no path that a doll takes")
        digest = hashlib.sha256(data).hexdigest()
        parts += [f"{path} {len(data)} {digest}\n".encode(), data]
    if len(parts) > 2 * MAX_FILES:
        raise BundleError(f"a doll takes {MAX_FILES} files, not {len(parts) // 2}")
    stream = b"".join(parts)
    if len(stream) > MAX_BYTES:
        raise BundleError(f"a doll takes {MAX_BYTES} bytes, not {len(stream)}")
    return stream


def version_number(text: str) -> tuple[int, int, int]:
    """A version as numbers that compare. Raises BundleError unless it is three numbers."""
    match = _VERSION.fullmatch(text)
    if match is None:
        raise BundleError(f"{text[:32]!r} is no version: three numbers, such as 1.2.3")
    major, minor, patch = (int(number) for number in match.groups())
    return major, minor, patch
