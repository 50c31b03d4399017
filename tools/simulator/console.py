"""What a doll's console says: the firmware's log lines and the simulated board's events.

Sans-I/O: bytes in, items out. The log lines are those of docs/firmware-log.md, the events those of
tools/simulator/board/sim.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

#: The longest line that is kept; more of it is dropped.
MAX_LINE_BYTES = 4096

_EVENT_PREFIX = "@sim "
_LOG = re.compile(r"\[doll\] ([EWID]) (.*)")
_PAIR = re.compile(r"(\w+)=(-?\d+)(?!\S)")


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that the firmware logged: `[doll] I listen stop frames=94 lost=0`."""

    level: str  #: E, W, I or D
    message: str  #: all after the level

    def rest(self, words: str) -> str | None:
        """What follows `words`, or None if the message does not begin with them."""
        if self.message == words:
            return ""
        if self.message.startswith(words + " "):
            return self.message[len(words) + 1 :]
        return None

    def number(self, key: str) -> int | None:
        """The whole number after `key=`, or None."""
        return next((int(n) for k, n in _PAIR.findall(self.message) if k == key), None)


@dataclass(frozen=True, slots=True)
class BoardEvent:
    """Something that happened to the simulated board."""

    name: str
    t_ms: int  #: since the board started
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PlainLine:
    """Any other line, as a stray print would make it."""

    text: str


Item: TypeAlias = LogLine | BoardEvent | PlainLine


def parse_line(line: str) -> Item:
    """Says what a line of the console is. No line is an error."""
    if line.startswith(_EVENT_PREFIX):
        try:
            fields = json.loads(line[len(_EVENT_PREFIX) :])
            return BoardEvent(str(fields.pop("event")), int(fields.pop("t_ms")), fields)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return PlainLine(line)
    match = _LOG.fullmatch(line)
    return LogLine(match[1], match[2]) if match else PlainLine(line)


class LineSplitter:
    """Cuts a byte stream into lines, and never holds more than one line of limited length."""

    def __init__(self) -> None:
        self._partial = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes, without their ends."""
        lines: list[str] = []
        *ended, rest = data.split(b"\n")
        for part in ended:
            self._add(part)
            lines.append(self._take())
        self._add(rest)
        return lines

    def finish(self) -> list[str]:
        """The last line, if the stream ended without a line end."""
        return [self._take()] if self._partial else []

    def _add(self, part: bytes) -> None:
        self._partial += part[: MAX_LINE_BYTES - len(self._partial)]

    def _take(self) -> str:
        line = self._partial.decode(errors="replace").rstrip("\r")
        self._partial.clear()
        return line
