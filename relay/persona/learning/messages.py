"""One message of a chat, whoever exported it."""

from __future__ import annotations

from dataclasses import dataclass

#: Longest text of one message that is kept; what is longer is no talk.
MAX_MESSAGE_CHARS = 2_000

#: Longest name of somebody who writes.
MAX_NAME_CHARS = 80

#: Messages that are read of one export. Ten years of a lively chat have fewer.
MAX_MESSAGES = 2_000_000


class ExportError(ValueError):
    """An export cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Message:
    """Who wrote what, and when.

    Exports tell dates in the order of the phone's country, and 3/4 is March or April. What is
    needed is only how long an answer took, so a day is kept as it is written.
    """

    who: str
    text: str
    day: str = ""  #: as the export writes it; the same text is the same day
    minute: int | None = None  #: of the day; None where the export tells none


def minute_of(hour: int, minute: int, half: str = "") -> int | None:
    """The minute of the day; `half` is "AM", "오후" and the like. None if there is no such time."""
    half = half.replace(".", "").replace(" ", "").lower()
    if half in ("pm", "오후") and hour < 12:
        hour += 12
    elif half in ("am", "오전") and hour == 12:
        hour = 0
    return hour * 60 + minute if hour < 24 and minute < 60 else None
