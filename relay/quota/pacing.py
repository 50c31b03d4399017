"""How a day's allowance lasts for the day: an afternoon must not leave the evening silent.

A provider's day is not the home's: in Korea it ends at four or five in the afternoon. So the
budget is laid over the waking hours that are left until it ends, wherever those lie:

    left(t)   share of the day's waking seconds that come later than an hour from now
    even(t)   = limit · left(t)          what an even pace would still have to have by then
    kept(t)   = keep · even(t)           what is really kept

`FREE` while more than the even pace's share remains: summaries and speculation may use it.
`BORROWING` below that: turns go on, at the cost of later hours; background work stops. `SPARING`
once only what is kept is left: a turn is admitted as fast as the kept share melts, and otherwise
goes to the next model of the chain, in the end to the local brain. `SPENT` when there is nothing.
In the last waking hour nothing is kept, and what nobody used is used up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum

from relay.quota import calendar

#: What comes sooner is not "later": nothing is kept for it.
SOON_S = 3600.0


class Step(StrEnum):
    """How far a day's allowance is used up, against the time of day."""

    FREE = "free"
    BORROWING = "borrowing"
    SPARING = "sparing"
    SPENT = "spent"


@dataclass(frozen=True, slots=True)
class Pacing:
    """The waking hours of a home, and how much is kept for those to come."""

    zone: tzinfo
    waking_from: time = time(7)
    waking_to: time = time(22)  #: earlier than `waking_from`, it is on the next day
    keep: float = 0.5

    def left(self, wall: float) -> float:
        """Share of the day's waking time that is later than an hour from `wall`, 0 to 1."""
        start, end = self._day(wall)
        whole = self._waking(start, end)
        return self._waking(wall + SOON_S, end) / whole if whole else 0.0

    def step(self, limit: int, used: int, wall: float) -> Step:
        """Where a day stands that allows `limit` requests, of which `used` are gone."""
        remaining = limit - used
        if remaining <= 0:
            return Step.SPENT
        even = limit * self.left(wall)
        if remaining > even:
            return Step.FREE
        return Step.BORROWING if remaining > self.keep * even else Step.SPARING

    def delay(self, limit: int, used: int, wall: float, *, background: bool = False) -> float:
        """Seconds until one more request is in the budget; 0 if it is.

        At the latest the provider's day ends, and with it the count. Background work has the even
        share to itself, and no part of what turns may borrow.
        """
        keep = 1.0 if background else self.keep
        remaining = limit - used
        if remaining > keep * limit * self.left(wall):
            return 0.0
        start, end = self._day(wall)
        if remaining <= 0:
            return end - wall
        # Back from the end of the day, over as much waking time as may be left by then.
        seconds = self._waking(start, end) * remaining / (keep * limit)
        for first, last in reversed(list(self._intervals(start, end))):
            if last - first >= seconds:
                # A millisecond more, because the share has to be smaller and not as small.
                return max(0.0, last - seconds - SOON_S - wall) + 0.001
            seconds -= last - first
        return 0.001

    def forecast(self, limit: int | None, used: int, wall: float) -> int:
        """Requests by the end of the day, if the waking time left is like that so far."""
        start, end = self._day(wall)
        gone, to_come = self._waking(start, wall), self._waking(wall, end)
        # The first half hour says little; it would promise the moon.
        expected = used + math.ceil(used * to_come / max(gone, SOON_S / 2))
        return expected if limit is None else min(expected, limit)

    def _day(self, wall: float) -> tuple[float, float]:
        day = calendar.day_of(wall)
        return calendar.start_of(day), calendar.end_of(day)

    def _waking(self, start: float, end: float) -> float:
        return sum(last - first for first, last in self._intervals(start, end))

    def _intervals(self, start: float, end: float) -> Iterator[tuple[float, float]]:
        """The waking hours between two Unix times, in order."""
        day = datetime.fromtimestamp(start, UTC).astimezone(self.zone).date() - timedelta(days=1)
        until = datetime.fromtimestamp(end, UTC).astimezone(self.zone).date()
        over_night = timedelta(days=1 if self.waking_to <= self.waking_from else 0)
        while day <= until:
            first = datetime.combine(day, self.waking_from, self.zone).timestamp()
            last = datetime.combine(day + over_night, self.waking_to, self.zone).timestamp()
            first, last = max(first, start), min(last, end)
            if first < last:
                yield first, last
            day += timedelta(days=1)
