"""A simulated day of talk, and the free tier that it meets: no relay code in here."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum, auto
from typing import Literal
from zoneinfo import ZoneInfo

from relay.quota import calendar

Window = Literal["sliding", "clock minute"]

PER_MINUTE = 15
PER_DAY = 500
#: The provider's day that is simulated: in Seoul from five in the afternoon to five the next day.
DAY = date(2026, 11, 23)
START = calendar.start_of(DAY)
HOME = ZoneInfo("Asia/Seoul")

SPEECH_S = 5.0  #: how long an answer is spoken
_SESSIONS = 6  # a day and doll
SESSION_S = (240.0, 720.0)  #: how long a talk lasts, evenly spread
#: When people talk with a doll, by the clock at home: hours, and how likely a talk begins in them.
HOURS = {range(7, 9): 2, range(9, 12): 1, range(12, 15): 1, range(15, 17): 2, range(17, 22): 3}


def sessions(doll: int, seed: int) -> list[tuple[float, float]]:
    """When a doll is talked with: (begin, end) in Unix time, in order, apart from each other."""
    dice = random.Random(f"{seed} {doll}")  # noqa: S311
    hours = [hour for span, weight in HOURS.items() for hour in span for _ in range(weight)]
    begins = sorted(_at(dice.choice(hours) + dice.random()) for _ in range(_SESSIONS))
    found: list[tuple[float, float]] = []
    for begin in begins:
        begin = max(begin, found[-1][1] + 60) if found else begin
        found.append((begin, begin + dice.uniform(*SESSION_S)))
    return found


def _at(hour: float) -> float:
    """The moment of the simulated day at which a clock at home shows `hour`."""
    midnight = datetime.fromtimestamp(START, UTC).astimezone(HOME).replace(hour=0, minute=0)
    moment = midnight.replace(second=0, microsecond=0) + timedelta(hours=hour)
    if moment.timestamp() < START:
        moment += timedelta(days=1)
    return moment.timestamp()


def thinking_s(dice: random.Random) -> float:
    """How long a person thinks and speaks before the next question (5.2 turns a minute)."""
    return 2.0 + dice.expovariate(1 / 3)


class Answer(Enum):
    """What the server says to a request."""

    OK = auto()
    OVERLOADED = auto()  #: 503; it counts
    MINUTE = auto()  #: 429
    DAY = auto()  #: 429


class FreeTier:
    """The allowance of one model of one project, as the server keeps it.

    Rejected requests are not counted, 503s are. `window` is how it counts a minute; which of the
    two Google uses is not known.
    """

    def __init__(self, window: Window, failing: float, dice: random.Random) -> None:
        self._window = window
        self._failing = failing  # share of requests that end as a 503
        self.dice = dice
        self._log: deque[float] = deque()
        self.counted = 0
        self.overloaded = 0
        self.refused = 0

    def ask(self, now: float) -> tuple[Answer, float]:
        """One request at Unix time `now`: the answer, and for a 429 the hint in seconds."""
        if self.counted >= PER_DAY:
            self.refused += 1
            return Answer.DAY, calendar.end_of(DAY) - now
        first = now - 60 if self._window == "sliding" else now // 60 * 60 - 1e-9
        while self._log and self._log[0] <= first:
            self._log.popleft()
        if len(self._log) >= PER_MINUTE:
            self.refused += 1
            return Answer.MINUTE, 60 - now % 60  # the hint is the clock's in either case
        self._log.append(now)
        self.counted += 1
        if self.dice.random() < self._failing:
            self.overloaded += 1
            return Answer.OVERLOADED, 0.0
        return Answer.OK, 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What became of one question."""

    asked_at: float  #: Unix time
    by_gemini: bool
    answered: bool
    overloaded: bool  #: not answered by Gemini, because of a 503
    wait_s: float  #: from the question until Gemini answers, or until it is given up
    silence_s: float  #: the longest stretch without a sound before the answer


def droughts(turns: list[Turn]) -> Iterator[float]:
    """Seconds of waking time between two answers of Gemini in which somebody asked in vain."""
    good = [START, *(turn.asked_at for turn in turns if turn.by_gemini), calendar.end_of(DAY)]
    vain = [turn.asked_at for turn in turns if not turn.by_gemini]
    for first, last in {_around(good, moment) for moment in vain}:
        yield _waking(first, last)


def _around(good: list[float], moment: float) -> tuple[float, float]:
    index = min(bisect_right(good, moment), len(good) - 1)
    return good[index - 1], good[index]


def _waking(first: float, last: float) -> float:
    night = _at(22.0), _at(7.0)
    asleep = max(0.0, min(last, night[1]) - max(first, night[0]))
    return last - first - asleep
