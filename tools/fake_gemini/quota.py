"""The allowance of one model in one project, as the real service may count it.

Nobody outside knows how Google counts a minute, so both ways are here: the minute of the clock, and
any 60 seconds. The same for whether a refused request counts. What is known: a request that
failed with 503 does, and the day is that of the Pacific coast.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from tools.fake_gemini.refusals import DAY_ID, MINUTE_ID, TOKENS_ID, Exceeded

MINUTE_S = 60.0
PACIFIC = ZoneInfo("America/Los_Angeles")

Window = Literal["minute", "sliding"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a project may send to a model. None is without limit, 0 is nothing at all."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    requests_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Counting:
    """How requests are counted; each field is a thing that nobody outside of Google knows."""

    window: Window = "sliding"
    rejected: bool = False  #: a request that was answered 429 counts as one
    honest_day: bool = True  #: over for today: tell the hours; else the seconds to the next minute


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a request is not taken, and when to come back according to the service (seconds)."""

    exceeded: tuple[Exceeded, ...]
    retry_s: float


class Allowance:
    """Counts the requests to one model. Times are Unix time; one that goes back stands still."""

    def __init__(self, limits: Limits, counting: Counting) -> None:
        self.limits = limits
        self._counting = counting
        self._recent: deque[tuple[float, int]] = deque()  # (when, tokens) in the current window
        self._tokens = 0  # of `_recent`
        self._day: date | None = None
        self._today = 0
        self._now = -math.inf

    def take(self, now: float, tokens: int) -> Refused | None:
        """Count a request of `tokens` input tokens; None if it is taken."""
        self._pass(now)
        over = self._exceeded(tokens)
        if over and not self._counting.rejected:
            return self._refused(over)
        # A refused request cost a request, but nothing was read of it.
        self._today += 1
        self._recent.append((self._now, 0 if over else tokens))
        self._tokens += 0 if over else tokens
        return self._refused(over) if over else None

    def used(self, now: float) -> tuple[int, int]:
        """Requests in this minute, and today."""
        self._pass(now)
        return len(self._recent), self._today

    def _pass(self, now: float) -> None:
        self._now = max(self._now, now)
        while self._recent and not self._counts(self._recent[0][0]):
            self._tokens -= self._recent.popleft()[1]
        today = datetime.fromtimestamp(self._now, PACIFIC).date()
        if today != self._day:
            self._day, self._today = today, 0

    def _counts(self, sent: float) -> bool:
        if self._counting.window == "sliding":
            return self._now - sent < MINUTE_S
        return self._now // MINUTE_S == sent // MINUTE_S

    def _exceeded(self, tokens: int) -> tuple[Exceeded, ...]:
        limits = self.limits
        wanted = (
            (TOKENS_ID, limits.tokens_per_minute, self._tokens + tokens),
            (MINUTE_ID, limits.requests_per_minute, len(self._recent) + 1),
            (DAY_ID, limits.requests_per_day, self._today + 1),
        )
        return tuple(
            Exceeded(quota_id, limit or None)  # a limit of nothing is not told
            for quota_id, limit, count in wanted
            if limit is not None and count > limit
        )

    def _refused(self, over: tuple[Exceeded, ...]) -> Refused:
        # Logs show that the hint counts down to the next minute of the clock whatever is over, and
        # since autumn 2026 to the end of the day if that is.
        if self._counting.honest_day and any(one.quota_id == DAY_ID for one in over):
            return Refused(over, midnight(self._now) - self._now)
        return Refused(over, MINUTE_S - self._now % MINUTE_S)


def midnight(now: float) -> float:
    """When the Pacific day ends; days of 23 and 25 hours come twice a year."""
    tomorrow = datetime.fromtimestamp(now, PACIFIC).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time.min, PACIFIC).timestamp()
