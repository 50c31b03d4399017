"""Telegram Desktop's export: `result.json`, of one chat or of a whole account."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any, BinaryIO

import ijson

from relay.persona.learning.messages import MAX_MESSAGE_CHARS, ExportError, Message

#: Without the end of a value in so many bytes it is no chat, and would only fill the memory.
_MAX_VALUE_BYTES = 4 * 1024 * 1024

#: Levels within each other. A text with links in a chat in a list of chats has nine.
_MAX_DEPTH = 32

_CHATS = ("messages.item", "chats.list.item.messages.item", "left_chats.list.item.messages.item")


def is_telegram(head: str) -> bool:
    """By the first characters of a file."""
    return head.lstrip().startswith("{")


def read(file: BinaryIO) -> Iterator[Message]:
    """Stream the messages that people wrote themselves: none that were forwarded, no service
    notes, no captions without text. Raises ExportError."""
    bounded = _Bounded(file)
    builder: ijson.ObjectBuilder | None = None
    at = ""
    depth = 0
    try:
        for prefix, event, value in ijson.parse(bounded, use_float=True):
            bounded.seen()
            depth += event in ("start_map", "start_array")
            depth -= event in ("end_map", "end_array")
            if depth > _MAX_DEPTH:
                raise ExportError("This JSON is nested too deeply to be a chat of Telegram.")
            if builder is None:
                if event == "start_map" and prefix in _CHATS:
                    builder, at = ijson.ObjectBuilder(), prefix
                    builder.event(event, value)
                continue
            builder.event(event, value)
            if event == "end_map" and prefix == at:
                if (message := _message(builder.value)) is not None:
                    yield message
                builder = None
    except (ijson.JSONError, UnicodeError) as error:
        why = (str(error).splitlines() or ["?"])[0]
        raise ExportError(f"The file is damaged or no JSON: {why[:80]}") from None


def _message(item: Any) -> Message | None:
    if not isinstance(item, dict) or item.get("type") != "message" or "forwarded_from" in item:
        return None
    who, date = item.get("from"), item.get("date")
    text = _text(item.get("text"))
    if not isinstance(who, str) or not who or not text.strip():
        return None
    day, minute = _when(date if isinstance(date, str) else "")
    return Message(who, text[:MAX_MESSAGE_CHARS], day, minute)


def _text(value: Any) -> str:
    """Plain text, or a list of that and of formatted pieces. Code and the like is left out."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return ""
    pieces = []
    for piece in value:
        if isinstance(piece, str):
            pieces.append(piece)
        elif isinstance(piece, dict) and piece.get("type") not in ("pre", "code", "bot_command"):
            text = piece.get("text")
            pieces.append(text if isinstance(text, str) else "")
    return "".join(pieces)


def _when(date: str) -> tuple[str, int | None]:
    """Local time without a zone: 2026-11-23T21:07:15."""
    day, _, clock = date.partition("T")
    hour, _, rest = clock.partition(":")
    minute = rest[:2]
    if hour.isdecimal() and minute.isdecimal():
        return day, int(hour) * 60 + int(minute)
    return day, None


class _Bounded:
    """A file that is read only as long as values come of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._unseen = 0
        self._begins = True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        if self._begins and data:
            self._begins = False
            data = data.removeprefix(codecs.BOM_UTF8)
        self._unseen += len(data)
        if self._unseen > _MAX_VALUE_BYTES:
            raise ExportError("This JSON holds a text of megabytes; that is no chat of Telegram.")
        return data

    def seen(self) -> None:
        self._unseen = 0
