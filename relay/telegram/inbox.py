"""What waits in one chat while an answer is on its way. Sans-I/O, and bounded.

People write as they speak: three short messages in place of one. What comes while the doll answers
waits, and is answered together, so that nobody gets an answer to half a thought, and a flood is one
request.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Final

#: Messages that may wait in one chat.
MOST: Final = 6


@dataclass(frozen=True, slots=True)
class Message:
    """One that a person has written in a private chat."""

    id: int  #: within the chat
    chat: int
    user: int
    language: str  #: ISO 639-1 of their Telegram; may be empty
    text: str = ""
    voice: Voice | None = None
    problem: str = ""  #: why it cannot be answered, as a key of the texts; empty if it can

    @property
    def is_command(self) -> bool:
        """Whether it begins with a slash and a letter."""
        return self.text.startswith("/") and self.text[1:2].isalpha()


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice message, not fetched yet."""

    file_id: str
    seconds: int
    size: int  #: bytes


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody has pressed a button under a message of the doll's."""

    id: str
    chat: int
    message: int
    user: int
    language: str
    data: str


class _Flood(Enum):
    NO = 0
    NEWS = 1  # something was dropped
    TOLD = 2


class Inbox:
    """One chat's."""

    def __init__(self) -> None:
        self._waiting: deque[Message | Press] = deque()
        self._flood = _Flood.NO

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, item: Message | Press) -> None:
        """Take one in; where there is no place for it, it is dropped."""
        if len(self._waiting) < MOST:
            self._waiting.append(item)
        elif self._flood is _Flood.NO:
            self._flood = _Flood.NEWS

    def is_flooded(self) -> bool:
        """Whether something was dropped and its sender should be told so: once for a flood."""
        news = self._flood is _Flood.NEWS
        if news:
            self._flood = _Flood.TOLD
        return news

    def take(self) -> list[Message] | Press:
        """What is to be done next: messages that are answered together, or one alone.

        Only plain texts of one person belong together. Raises IndexError where nothing waits.
        """
        first = self._waiting.popleft()
        if isinstance(first, Press):
            return first
        together = [first]
        while self._waiting and _belong_together(first, self._waiting[0]):
            following = self._waiting.popleft()
            assert isinstance(following, Message)
            together.append(following)
        if not self._waiting and self._flood is _Flood.TOLD:
            self._flood = _Flood.NO
        return together


def _belong_together(one: Message, other: Message | Press) -> bool:
    return (
        isinstance(other, Message)
        and one.user == other.user
        and all(x.text and not x.is_command and not x.problem for x in (one, other))
    )
