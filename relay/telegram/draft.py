"""An answer that grows, as messages: when to show more of it. Sans-I/O: the time comes in.

A doll speaks briefly, and most answers are there at once: they come as one message. A longer one is
shown up to its last whole sentence, and grows by whole sentences: half words that change under
one's eyes are worse to read than a moment's wait.
"""

from __future__ import annotations

from typing import Final

#: A message of Telegram's, in UTF-16 units: https://core.telegram.org/bots/api#sendmessage
MOST_UNITS: Final = 4096

#: Between two changes of what is shown. Telegram asks for no more than one message a second in a
#: chat (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits).
PACE_S: Final = 2.0

#: An answer longer than this is a fault of the model's.
MOST_CHARS: Final = 20_000

_ENDS = (".", "!", "?", "…", "。", "！", "？", "\n", '"', "”", "’")


class Draft:
    """One answer."""

    def __init__(self, now: float) -> None:
        """`now` and the times below are seconds of a clock that does not go back."""
        self._text = ""
        self._shown = 0
        self._changed = now

    @property
    def text(self) -> str:
        """All of it so far."""
        return self._text.strip()

    def push(self, piece: str, now: float) -> str:
        """More of the answer; what of it is to be shown now, or nothing."""
        self._text = (self._text + clean(piece))[:MOST_CHARS]
        if now - self._changed < PACE_S:
            return ""
        whole = _whole_sentences(self._text).strip()
        if len(whole) <= self._shown:
            return ""
        self._shown, self._changed = len(whole), now
        return whole

    def hold(self, until: float) -> None:
        """Show nothing more before this; Telegram wants it so."""
        self._changed = max(self._changed, until - PACE_S)


def split(text: str, most: int = MOST_UNITS) -> list[str]:
    """The text in messages that Telegram takes, cut at a space where there is one."""
    parts = []
    while text:
        end = _fitting(text, most)
        if end < len(text):
            space = max(text.rfind(" ", end // 2, end), text.rfind("\n", end // 2, end))
            end = space if space > 0 else end
        if part := text[:end].strip():
            parts.append(part)
        text = text[end:].lstrip()
    return parts


def clean(text: str) -> str:
    """Without what Telegram refuses: halves of characters, and NUL."""
    return "".join(char for char in text if char != "\0" and not "\ud800" <= char <= "\udfff")


def _fitting(text: str, most: int) -> int:
    """How many characters are at most `most` UTF-16 units."""
    if len(text) * 2 <= most:
        return len(text)
    units = 0
    for number, char in enumerate(text):
        units += 2 if char > "\uffff" else 1
        if units > most:
            return number
    return len(text)


def _whole_sentences(text: str) -> str:
    """Up to the last mark that ends a sentence; a mark at the very end may stand in a number."""
    end = max(text.rfind(mark, 0, len(text) - 1) for mark in _ENDS) if text else -1
    return text[: end + 1]
