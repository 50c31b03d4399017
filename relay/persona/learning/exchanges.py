"""Pairs what was said to somebody with what they answered, out of a stream of messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from relay.persona.base import Exchange
from relay.persona.learning.messages import Message

#: An answer after so many minutes is one to something else.
_LATE_MIN = 6 * 60

#: Messages of one person that follow each other so closely are one thing that was said.
_BURST_MIN = 3

_MOST_MESSAGES = 4  #: of a burst; who writes more at once tells a story
MAX_CHARS = 160  #: of either side: a doll talks in short sentences

_DAY_MIN = 24 * 60


@dataclass(slots=True)
class _Burst:
    who: str
    texts: list[str]
    last: Message
    whole: bool = True  # nothing of it was private, or too much


def exchanges(messages: Iterable[tuple[Message, bool]], speaker: str) -> Iterator[Exchange]:
    """What others said and `speaker` answered, in order.

    Each message comes with whether it may be kept. What is private or too long leaves no half of
    itself: the exchange that holds it is left out.
    """
    heard: _Burst | None = None
    for burst in _bursts(messages):
        if burst.who == speaker and heard is not None and heard.who != speaker:
            late = _minutes_between(heard.last, burst.last) > _LATE_MIN
            question, answer = " ".join(heard.texts), " ".join(burst.texts)
            short = 0 < len(question) <= MAX_CHARS and 0 < len(answer) <= MAX_CHARS
            if not late and short and heard.whole and burst.whole:
                yield Exchange(question, answer)
        heard = burst


def _bursts(messages: Iterable[tuple[Message, bool]]) -> Iterator[_Burst]:
    burst: _Burst | None = None
    for message, may_be_kept in messages:
        text = " ".join(message.text.split())
        if (
            burst is not None
            and burst.who == message.who
            and _minutes_between(burst.last, message) <= _BURST_MIN
        ):
            burst.last = message
            burst.whole &= may_be_kept and len(burst.texts) < _MOST_MESSAGES
            if burst.whole:
                burst.texts.append(text)
            continue
        if burst is not None:
            yield burst
        burst = _Burst(message.who, [text], message, may_be_kept)
    if burst is not None:
        yield burst


def _minutes_between(earlier: Message, later: Message) -> int:
    """Over midnight at most; what is further apart counts as a day."""
    if earlier.minute is None or later.minute is None:
        return 0 if earlier.day == later.day else _DAY_MIN
    if earlier.day == later.day:
        return max(0, later.minute - earlier.minute)
    over_midnight = later.minute + _DAY_MIN - earlier.minute
    return over_midnight if over_midnight <= _LATE_MIN else _DAY_MIN
