"""The windows, against the definition: count everything anew for each request."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.fake_gemini.quota import PACIFIC, Allowance, Counting, Limits, midnight
from tools.fake_gemini.refusals import DAY_ID, MINUTE_ID, TOKENS_ID

BASE = 1_795_420_800.0  # 2026-11-23 00:00 Pacific: the beginning of a day and of a minute
SPRING = datetime(2026, 3, 8, 0, 0, tzinfo=PACIFIC).timestamp()  # a day of 23 hours
AUTUMN = datetime(2026, 11, 1, 0, 0, tzinfo=PACIFIC).timestamp()  # and one of 25

COUNTINGS = st.builds(
    Counting, window=st.sampled_from(["minute", "sliding"]), rejected=st.booleans()
)
LIMITS = st.builds(
    Limits,
    requests_per_minute=st.none() | st.integers(0, 5),
    tokens_per_minute=st.none() | st.integers(0, 50),
    requests_per_day=st.none() | st.integers(0, 12),
)
# Quarters of a second are exact, so that a request stands exactly on the edge of a window.
GAPS = st.integers(0, 40 * 4) | st.sampled_from([0, 60 * 4, 240, 239, 241, 8 * 3600 * 4])
REQUESTS = st.lists(st.tuples(GAPS, st.integers(0, 30)), max_size=40)


def day(moment: float) -> object:
    return datetime.fromtimestamp(moment, PACIFIC).date()


@given(REQUESTS, LIMITS, COUNTINGS, st.sampled_from([BASE, BASE + 59.5, SPRING, AUTUMN]))
def test_takes_exactly_what_counting_everything_anew_would(
    requests: list[tuple[int, int]], limits: Limits, counting: Counting, start: float
) -> None:
    allowance = Allowance(limits, counting)
    counted: list[tuple[float, int]] = []
    now = start
    for gap, tokens in requests:
        now += gap / 4
        if counting.window == "sliding":
            recent = [one for one in counted if now - 60 < one[0] <= now]
        else:
            recent = [one for one in counted if one[0] // 60 == now // 60]
        today = [one for one in counted if day(one[0]) == day(now)]
        over = {
            quota_id
            for quota_id, limit, count in (
                (MINUTE_ID, limits.requests_per_minute, len(recent) + 1),
                (TOKENS_ID, limits.tokens_per_minute, sum(t for _, t in recent) + tokens),
                (DAY_ID, limits.requests_per_day, len(today) + 1),
            )
            if limit is not None and count > limit
        }
        refused = allowance.take(now, tokens)
        assert {one.quota_id for one in refused.exceeded} == over if refused else not over
        if not over:
            counted.append((now, tokens))
        elif counting.rejected:
            counted.append((now, 0))


@given(REQUESTS, st.integers(1, 5))
def test_no_sixty_seconds_hold_more_than_the_limit(
    requests: list[tuple[int, int]], limit: int
) -> None:
    allowance = Allowance(Limits(requests_per_minute=limit), Counting("sliding"))
    now, taken = BASE, []
    for gap, tokens in requests:
        now += gap / 4
        if allowance.take(now, tokens) is None:
            taken.append(now)
    assert all(sum(first <= one < first + 60 for one in taken) <= limit for first in taken)


def test_a_minute_of_the_clock_takes_twice_as_much_around_its_edge() -> None:
    def burst(window: str) -> int:
        allowance = Allowance(Limits(requests_per_minute=15), Counting(window))  # type: ignore[arg-type]
        moments = [BASE + 59.0] * 20 + [BASE + 60.0] * 20
        return sum(allowance.take(moment, 1) is None for moment in moments)

    assert burst("minute") == 30
    assert burst("sliding") == 15


def test_the_hint_is_the_next_minute_of_the_clock() -> None:
    allowance = Allowance(Limits(requests_per_minute=1), Counting("sliding"))
    assert allowance.take(BASE + 12.5, 1) is None
    refused = allowance.take(BASE + 50.25, 1)
    assert refused is not None
    assert refused.retry_s == 9.75  # a lie: it would be taken after 22.25 s


@pytest.mark.parametrize(("honest", "hint"), [(True, 23 * 3600.0), (False, 60.0)])
def test_the_hint_for_a_day_is_hours_or_a_lie(honest: bool, hint: float) -> None:
    allowance = Allowance(Limits(requests_per_day=0), Counting(honest_day=honest))
    refused = allowance.take(BASE + 3600, 1)
    assert refused is not None
    assert refused.retry_s == hint


@pytest.mark.parametrize(("start", "hours"), [(BASE, 24), (SPRING, 23), (AUTUMN, 25)])
def test_a_day_ends_at_midnight_on_the_pacific_coast(start: float, hours: int) -> None:
    end = midnight(start)
    assert end - start == hours * 3600
    allowance = Allowance(Limits(requests_per_day=1), Counting())
    assert allowance.take(start, 1) is None
    assert allowance.take(end - 0.25, 1) is not None
    assert allowance.take(end, 1) is None


def test_a_limit_of_nothing_is_refused_and_not_told() -> None:
    refused = Allowance(Limits(0, 0, 0), Counting()).take(BASE, 1)
    assert refused is not None
    assert [one.limit for one in refused.exceeded] == [None, None, None]


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    allowance = Allowance(Limits(requests_per_minute=1, requests_per_day=1), Counting())
    assert allowance.take(BASE, 1) is None
    assert allowance.take(BASE - 90_000, 1) is not None
    assert allowance.used(BASE - 90_000) == (1, 1)
