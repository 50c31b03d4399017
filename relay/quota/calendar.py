"""The provider's day: it ends at midnight in California, which has daylight saving time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")

#: A day of ours begins so many seconds late, for clocks that differ a little from the provider's.
MARGIN_S = 5.0


def day_of(wall: float) -> date:
    """The day to which a request at this Unix time belongs."""
    return datetime.fromtimestamp(wall - MARGIN_S, UTC).astimezone(PACIFIC).date()


def start_of(day: date) -> float:
    """The Unix time at which a day's allowance begins."""
    return datetime(day.year, day.month, day.day, tzinfo=PACIFIC).timestamp() + MARGIN_S


def end_of(day: date) -> float:
    """The Unix time at which the next day's allowance begins; 23 to 25 hours after `start_of`."""
    return start_of(day + timedelta(days=1))
