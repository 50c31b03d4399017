from __future__ import annotations

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.quota import calendar
from relay.quota.pacing import Pacing, Step

SEOUL = Pacing(ZoneInfo("Asia/Seoul"))
DAY = date(2026, 11, 23)  # from 17:00 in Seoul to 17:00 the next day
START, END = calendar.start_of(DAY), calendar.end_of(DAY)
HOUR = 3600.0

moments = st.floats(START, END - 1)


def test_the_waking_hours_of_a_korean_home_lie_on_both_sides_of_the_night() -> None:
    assert SEOUL.left(START) == pytest.approx(14 / 15, abs=0.001)  # 17 to 22 and 7 to 17
    assert SEOUL.left(START + 4 * HOUR) == pytest.approx(10 / 15, abs=0.001)
    assert SEOUL.left(START + 12 * HOUR) == pytest.approx(10 / 15, abs=0.001)
    assert SEOUL.left(END - HOUR) == 0


def test_an_evening_may_borrow_but_not_take_everything_from_the_next_day() -> None:
    assert SEOUL.delay(500, 0, START) == 0
    assert SEOUL.delay(500, 260, START) == 0
    assert SEOUL.delay(500, 300, START) > 60
    assert SEOUL.delay(500, 300, START, background=True) > SEOUL.delay(500, 300, START)


def test_in_the_last_waking_hour_nothing_is_kept() -> None:
    assert SEOUL.delay(500, 499, END - HOUR + 1) == 0


def test_the_steps_go_from_free_to_spent() -> None:
    used = [0, 100, 300, 500]
    assert [SEOUL.step(500, each, START) for each in used] == [
        Step.FREE,
        Step.BORROWING,
        Step.SPARING,
        Step.SPENT,
    ]


def test_keeping_nothing_lets_turns_take_all_at_once() -> None:
    careless = Pacing(ZoneInfo("Asia/Seoul"), keep=0)
    assert careless.delay(500, 499, START) == 0


def test_waking_hours_may_go_past_midnight() -> None:
    owl = Pacing(ZoneInfo("America/Los_Angeles"), time(20), time(4))
    assert owl.left(START) == pytest.approx(7 / 8, abs=0.001)  # 0 to 4 and 20 to 24
    assert owl.left(START + 12 * HOUR) == pytest.approx(4 / 8, abs=0.001)


@given(st.integers(1, 2000), st.data(), moments, st.booleans())
def test_a_request_is_in_the_budget_when_its_delay_is_over_and_not_earlier(
    limit: int, data: st.DataObject, wall: float, background: bool
) -> None:
    used = data.draw(st.integers(0, limit))
    delay = SEOUL.delay(limit, used, wall, background=background)
    assert wall + delay <= END + 0.01
    if used < limit:
        assert SEOUL.delay(limit, used, wall + delay, background=background) < 0.01
        if delay > 1:
            assert SEOUL.delay(limit, used, wall + delay - 1, background=background) > 0


@given(st.integers(1, 2000), moments, st.floats(0, 24 * HOUR))
def test_what_is_kept_only_melts(limit: int, wall: float, later: float) -> None:
    assert 0 <= SEOUL.left(min(wall + later, END - 1)) <= SEOUL.left(wall) <= 1


@given(st.integers(0, 500), moments)
def test_a_forecast_is_never_below_what_was_used_nor_above_the_limit(
    used: int, wall: float
) -> None:
    assert used <= SEOUL.forecast(500, used, wall) <= 500
    assert SEOUL.forecast(None, used, wall) >= used


def test_a_forecast_goes_on_as_people_did_so_far() -> None:
    noon = START + timedelta(hours=19).total_seconds()  # 10 of the 15 waking hours are gone
    assert SEOUL.forecast(None, 100, noon) == pytest.approx(150, abs=2)
