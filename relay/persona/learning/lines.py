"""Lines of a text file that nobody vouches for: streamed, decoded and bounded."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from relay.persona.learning.messages import ExportError

#: Longest line that is kept whole. KakaoTalk cuts a message at 10,000 characters itself.
MAX_LINE_CHARS = 16_384

_BLOCK = 64 * 1024

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

#: Direction marks and joiners that phones put around names and attachments.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069"))
_SPACES = dict.fromkeys(map(ord, "\u00a0\u202f\u2009"), " ")


def encoding_of(head: bytes) -> str:
    """By its first bytes: Windows writes UTF-16 now and then, and old Korean programs CP949."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp949"
    return "utf-8"


def lines(file: BinaryIO) -> Iterator[str]:
    """The lines of `file` from where it stands, without their ends and without invisible marks.

    Only one of at most MAX_LINE_CHARS is held at a time; the rest of a longer one is dropped.
    Raises ExportError where the bytes are no text.
    """
    block = file.read(_BLOCK)
    if b"\0" in block and encoding_of(block) != "utf-16":
        raise ExportError("This is no text file.")
    decoder = codecs.getincrementaldecoder(encoding_of(block))(errors="replace")
    pending = ""
    while block:
        pending += decoder.decode(block)
        *whole, pending = pending.split("\n")
        for line in whole:
            yield _clean(line)
        pending = pending[:MAX_LINE_CHARS]
        block = file.read(_BLOCK)
    pending += decoder.decode(b"", final=True)
    if pending:
        yield _clean(pending)


def _clean(line: str) -> str:
    return line[:MAX_LINE_CHARS].rstrip("\r").translate(_INVISIBLE).translate(_SPACES)
