"""What can still be read of an answer that was meant to be JSON, and is not."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

_UNFINISHED_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": " ", "f": " "}

# A quotation mark ends a value only where JSON goes on behind it; models forget to escape those
# that they mean to be read. Some write JSON as Python or JavaScript would.
_END = {q: re.compile(rf"""{q}\s*(?:,\s*["']?\w+["']?\s*:|,?\s*\}}|\Z)""") for q in "\"'"}
_PERHAPS_AN_END = {q: re.compile(rf"""{q}\s*(?:,\s*(?:["']?\w*["']?\s*)?)?\Z""") for q in "\"'"}


def strings(text: str, keys: Collection[str], *, whole: bool) -> dict[str, str]:
    """The string values of `keys` in a broken JSON object, in the order in which they stand.

    The last value may be unfinished. With `whole` there is nothing more to come, otherwise a
    quotation mark that may or may not end it is held back. Never raises.
    """
    key = re.compile(rf"""["']?\b({"|".join(map(re.escape, keys))})["']?\s*:\s*(["'])""")
    found: dict[str, str] = {}
    at = 0
    while match := key.search(text, at):
        at, value = _value(text, match.end(), match[2], whole=whole)
        found.setdefault(match[1], value)
    return found


def _value(text: str, start: int, mark: str, *, whole: bool) -> tuple[int, str]:
    """Where the value that begins at `start` ends, and its text."""
    for quote in _quotes(text, start, mark):
        if not whole and _PERHAPS_AN_END[mark].match(text, quote):
            return len(text), _unescaped(text[start:quote])
        if _END[mark].match(text, quote):
            return quote + 1, _unescaped(text[start:quote])
    return len(text), _unescaped(_UNFINISHED_ESCAPE.sub("", text[start:]))


def _quotes(text: str, start: int, mark: str) -> Iterator[int]:
    """Where unescaped quotation marks stand."""
    at = text.find(mark, start)
    while at >= 0:
        backslash = at
        while backslash > start and text[backslash - 1] == "\\":
            backslash -= 1
        if (at - backslash) % 2 == 0:
            yield at
        at = text.find(mark, at + 1)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(
        lambda found: chr(int(found[1], 16)) if found[1] else _ESCAPED.get(found[2], str(found[2])),
        text,
    )
