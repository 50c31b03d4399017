from __future__ import annotations

import random
from bisect import bisect_right
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.quota import calendar
from tools.bench.quota import Outcome, simulate
from tools.bench.quota_day import (
    DAY,
    PER_DAY,
    PER_MINUTE,
    START,
    Answer,
    FreeTier,
    Turn,
    Window,
    droughts,
    sessions,
)
from tools.bench.quota_policies import Planned, Retrying


@given(st.lists(st.floats(0, 12), max_size=150), st.sampled_from(["sliding", "clock minute"]))
def test_the_simulated_server_keeps_its_minute(gaps: list[float], window: Window) -> None:
    server = FreeTier(window, 0.0, random.Random(1))
    now, granted = START, []
    for gap in gaps:
        now += gap
        answer, _ = server.ask(now)
        if answer is Answer.OK:
            granted.append(now)
        elif window == "sliding":
            assert len(granted) - bisect_right(granted, now - 60) == PER_MINUTE
        else:
            assert sum(at // 60 == now // 60 for at in granted) == PER_MINUTE


def test_the_simulated_server_keeps_its_day_and_counts_503s() -> None:
    server = FreeTier("sliding", 0.5, random.Random(1))
    answers = [server.ask(START + 10 * number)[0] for number in range(PER_DAY + 10)]
    assert answers[:PER_DAY].count(Answer.OVERLOADED) > 200
    assert Answer.DAY not in answers[:PER_DAY]
    assert set(answers[PER_DAY:]) == {Answer.DAY}


@pytest.mark.parametrize("doll", range(5))
def test_a_doll_is_talked_with_by_day_and_in_one_session_after_another(doll: int) -> None:
    talks = sessions(doll, seed=1)
    assert all(START <= begin < calendar.end_of(DAY) for begin, _ in talks)
    assert all(first[1] < second[0] for first, second in pairwise(talks))


def test_a_drought_is_waking_time_in_which_somebody_asked_in_vain() -> None:
    hour = 3600.0
    # At six in the evening, in vain at nine, again at eight in the morning: nine hours asleep.
    turns = [
        Turn(START + 1 * hour, True, True, False, 0, 0),
        Turn(START + 4 * hour, False, True, False, 0, 0),
        Turn(START + 15 * hour, True, True, False, 0, 0),
    ]
    assert list(droughts(turns)) == [pytest.approx(5 * hour, abs=10)]


@pytest.fixture(scope="module", params=["sliding", "clock minute"])
def planned(request: pytest.FixtureRequest) -> Outcome:
    return simulate(3, request.param, Planned)


def test_a_planned_day_meets_no_429_wastes_no_request_and_answers_everybody(
    planned: Outcome,
) -> None:
    assert planned.refused == 0
    assert planned.answered == 1
    assert planned.of_allowed >= 0.98
    assert len(planned.turns) > PER_DAY
    assert planned.failed > 0


def test_a_day_of_retries_leaves_dolls_silent() -> None:
    retried = simulate(3, "sliding", Retrying)
    assert retried.refused > 100
    assert retried.answered < 0.9
    assert retried.longest_silence_s > 10
