"""Reads JSON that is not complete yet, or that is not quite JSON.

The partial modes of JSON libraries end silently at the first mistake; models make some, and the
rest of what they say is wanted all the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

_UNFINISHED_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}

# A quotation mark ends a value only where JSON goes on behind it; models forget to escape those
# that they mean to be read. Some write JSON as Python or JavaScript would.
_END = {q: re.compile(rf"""{q}\s*(?:,\s*["']?\w+["']?\s*:|,?\s*\}})""") for q in "\"'"}
_PERHAPS_AN_END = {q: re.compile(rf"""{q}\s*(?:,\s*(?:["']?\w*["']?\s*)?)?\Z""") for q in "\"'"}


def strings(text: str, keys: Collection[str]) -> dict[str, str]:
    """The string values of `keys` in a JSON object, in the order in which they stand.

    Of valid JSON they are exact. The last value may be unfinished; a quotation mark at the end
    that may or may not close it is not part of it yet. Never raises.
    """
    key = re.compile(rf"""["']?\b({"|".join(map(re.escape, keys))})["']?\s*:\s*(["'])""")
    found: dict[str, str] = {}
    at = 0
    while match := key.search(text, at):
        at, value = _value(text, match.end(), match[2])
        found.setdefault(match[1], value)
    return found


def _value(text: str, start: int, mark: str) -> tuple[int, str]:
    """Where the value that begins at `start` ends, and its text."""
    for quote in _quotes(text, start, mark):
        if _PERHAPS_AN_END[mark].match(text, quote):
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
    text = _ESCAPE.sub(
        lambda found: chr(int(found[1], 16)) if found[1] else _ESCAPED.get(found[2], str(found[2])),
        text,
    )
    # Letters beyond 16 bits are written as two escapes; half a one is none.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
