from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.quota import calendar


@pytest.mark.parametrize(
    ("utc", "day"),
    [
        (datetime(2026, 11, 24, 7, 59, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 24, 8, 1, tzinfo=UTC), date(2026, 11, 24)),
        (datetime(2026, 7, 1, 6, 59, tzinfo=UTC), date(2026, 6, 30)),
        (datetime(2026, 7, 1, 7, 1, tzinfo=UTC), date(2026, 7, 1)),
    ],
)
def test_days_end_at_midnight_in_california_in_winter_and_in_summer(
    utc: datetime, day: date
) -> None:
    assert calendar.day_of(utc.timestamp()) == day


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 11, 2), 24)]
)
def test_a_day_on_which_the_clocks_change_is_as_long_as_it_is(day: date, hours: int) -> None:
    assert calendar.end_of(day) - calendar.start_of(day) == hours * 3600


def test_a_day_begins_a_little_late_and_never_early() -> None:
    midnight = datetime(2026, 11, 23, tzinfo=calendar.PACIFIC).timestamp()
    assert calendar.start_of(date(2026, 11, 23)) == midnight + calendar.MARGIN_S
    assert calendar.day_of(midnight + 1) == date(2026, 11, 22)


@given(st.floats(0, 4e9))
def test_every_moment_lies_in_its_day(wall: float) -> None:
    day = calendar.day_of(wall)
    assert calendar.start_of(day) <= wall < calendar.end_of(day)
