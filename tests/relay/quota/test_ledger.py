from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from relay.llm.gemini_errors import Limit, Refusal
from relay.quota import calendar
from relay.quota.base import Admission, Later, NotToday, Now
from relay.quota.ledger import (
    BACK_OFF_S,
    FORGET_S,
    PROBE_S,
    REST_S,
    Ask,
    Ledger,
)
from relay.quota.limits import Allowance, Limits
from relay.quota.log import LATEST_S, WINDOW_S
from relay.quota.pacing import Pacing, Step
from relay.quota.settings import LimitSettings
from relay.quota.state import State
from tests.fakes.clocks import ManualClock

UNPACED = Pacing(ZoneInfo("Asia/Seoul"), keep=0)
MIDNIGHT = calendar.end_of(date(2026, 11, 23))


class Desk:
    """A ledger that is opened anew for each question, as the store does it."""

    def __init__(self, clock: ManualClock, pacing: Pacing = UNPACED, **own: int) -> None:
        self.clock = clock
        self.state = State()
        self.allowance = Allowance(Limits(15, 250_000, 500), LimitSettings(**own))
        self.pacing = pacing

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.allowance, self.pacing, self.state, self.clock())

    def grant(
        self, doll: str = "a", tokens: int = 100, *, background: bool = False, spare: int = 0
    ) -> Admission:
        """Ask, and send to a provider that answers at once."""
        ledger = self.ledger
        granted = ledger.grant(Ask(doll, tokens, background, spare))
        ledger.arrived(self.state.time, doll, 0.0)
        return granted

    def fill(self, requests: int, tokens: int = 100) -> None:
        for _ in range(requests):
            assert self.grant(tokens=tokens) == Now()


@pytest.fixture
def desk(clock: ManualClock) -> Desk:
    return Desk(clock)


def seconds(admission: Admission) -> float:
    assert isinstance(admission, Later), admission
    return admission.seconds


def test_a_minute_takes_its_limit_and_not_one_more(desk: Desk) -> None:
    desk.fill(15)
    assert seconds(desk.grant()) == pytest.approx(WINDOW_S)
    desk.clock.pass_(WINDOW_S - 0.1)
    assert seconds(desk.grant()) == pytest.approx(0.1)
    desk.clock.pass_(0.11)
    assert desk.grant() == Now()


def test_slots_come_back_one_by_one_as_they_were_taken(desk: Desk) -> None:
    for _ in range(15):
        desk.fill(1)
        desk.clock.pass_(2)
    desk.clock.pass_(WINDOW_S - 30)
    assert desk.grant() == Now()
    assert seconds(desk.grant()) == pytest.approx(2)


def test_the_wait_behind_others_is_known_at_once(desk: Desk) -> None:
    desk.fill(14)
    ask = Ask("a", 100)
    assert desk.ledger.admission(ask) == Now()
    assert seconds(desk.ledger.admission(ask, [ask])) == pytest.approx(WINDOW_S)
    assert seconds(desk.ledger.admission(ask, [ask] * 16)) == pytest.approx(2 * WINDOW_S)


def test_a_request_counts_from_when_it_arrived(desk: Desk) -> None:
    desk.fill(14)
    assert desk.ledger.grant(Ask("slow", 100)) == Now()
    granted_at = desk.state.time
    desk.clock.pass_(20)
    desk.ledger.arrived(granted_at, "slow", 7.0)
    desk.clock.pass_(WINDOW_S - 20)
    desk.fill(14)
    assert seconds(desk.grant()) == pytest.approx(7)
    desk.clock.pass_(7)
    assert desk.grant() == Now()


def test_a_request_on_its_way_counts_as_if_it_arrived_now_but_not_for_ever(desk: Desk) -> None:
    desk.fill(14)
    assert desk.ledger.grant(Ask("lost", 100)) == Now()
    desk.clock.pass_(10)
    assert seconds(desk.ledger.admission(Ask("a", 1), [Ask("b", 1)] * 14)) == pytest.approx(
        WINDOW_S
    )
    desk.clock.pass_(WINDOW_S - 10)
    desk.fill(14)
    desk.clock.pass_(LATEST_S - 1)
    assert seconds(desk.grant()) == pytest.approx(1)
    desk.clock.pass_(1)
    assert desk.grant() == Now()


def test_tokens_of_a_minute_are_counted_too(clock: ManualClock) -> None:
    desk = Desk(clock, tokens_per_minute=10_000)
    desk.fill(1, 4000)
    clock.pass_(10)
    desk.fill(1, 4000)
    assert seconds(desk.grant(tokens=4000)) == pytest.approx(WINDOW_S - 10)
    assert seconds(desk.grant(tokens=2001)) == pytest.approx(WINDOW_S - 10)
    assert desk.grant(tokens=2000) == Now()


def test_what_fits_into_no_minute_is_refused_for_good(clock: ManualClock) -> None:
    assert Desk(clock, tokens_per_minute=10_000).grant(tokens=10_001) == NotToday(None)


def test_a_day_takes_its_limit_until_midnight_in_california(clock: ManualClock) -> None:
    desk = Desk(clock, requests_per_day=20, requests_per_minute=100)
    desk.fill(20)
    assert desk.grant() == NotToday(MIDNIGHT)
    assert desk.ledger.step is Step.SPENT
    clock.pass_(MIDNIGHT - clock.wall)
    assert desk.grant() == Now()


def test_a_queue_that_a_day_has_no_room_for_is_told_so(clock: ManualClock) -> None:
    desk = Desk(clock, requests_per_day=2)
    ask = Ask("a", 1)
    assert desk.ledger.admission(ask, [ask]) == Now()
    assert desk.ledger.admission(ask, [ask, ask]) == NotToday(MIDNIGHT)


def test_no_allowance_means_never(clock: ManualClock) -> None:
    assert Desk(clock, requests_per_day=0).grant() == NotToday(None)


def test_without_limits_nothing_is_kept(clock: ManualClock) -> None:
    desk = Desk(clock)
    desk.allowance = Allowance()
    desk.fill(1000)
    assert len(desk.state.log) == 0


def test_a_talking_doll_leaves_slots_to_a_silent_one(desk: Desk) -> None:
    desk.fill(13)
    assert seconds(desk.grant("a", spare=2)) == pytest.approx(WINDOW_S)
    assert desk.grant("b", spare=2) == Now()
    assert desk.grant("b") == Now()


def test_background_work_leaves_half_of_a_minute_to_turns(desk: Desk) -> None:
    desk.fill(7)
    assert seconds(desk.grant(background=True)) == pytest.approx(WINDOW_S)
    assert desk.grant() == Now()


def test_background_work_stops_where_turns_begin_to_borrow(clock: ManualClock) -> None:
    desk = Desk(clock, Pacing(ZoneInfo("America/Los_Angeles")), requests_per_minute=1000)
    desk.state.days = {"2026-11-23": 200}  # at ten in the morning, of 500
    desk.state.day = "2026-11-23"
    assert desk.ledger.step is Step.BORROWING
    assert seconds(desk.grant(background=True)) > 1000
    assert desk.grant() == Now()


def test_a_429_keeps_the_model_away_as_long_as_it_told(desk: Desk) -> None:
    desk.ledger.refused(Refusal(Limit.MINUTE, 15, 47.6))
    assert seconds(desk.grant()) == pytest.approx(48.1)
    assert desk.ledger.held_s == pytest.approx(48.1)
    desk.clock.pass_(48.2)
    assert desk.grant() == Now()


def test_a_429_that_tells_nothing_keeps_it_away_longer_each_time(desk: Desk) -> None:
    for expected in (BACK_OFF_S, 2 * BACK_OFF_S, 4 * BACK_OFF_S):
        desk.ledger.refused(Refusal(Limit.UNKNOWN, None, None))
        assert seconds(desk.grant()) == pytest.approx(expected)
        desk.clock.pass_(expected)
    desk.ledger.answered()
    desk.ledger.refused(Refusal(Limit.UNKNOWN, None, None))
    assert seconds(desk.grant()) == pytest.approx(BACK_OFF_S)


def test_a_hint_that_proves_wrong_is_not_believed_again(desk: Desk) -> None:
    desk.ledger.refused(Refusal(Limit.MINUTE, 15, 0.1))
    assert seconds(desk.grant()) < 1
    desk.ledger.refused(Refusal(Limit.MINUTE, 15, 0.1))
    assert seconds(desk.grant()) == pytest.approx(BACK_OFF_S)


def test_a_limit_is_learned_from_a_429(desk: Desk) -> None:
    desk.ledger.refused(Refusal(Limit.MINUTE, 3, 1.0))
    desk.ledger.refused(Refusal(Limit.MINUTE, 16_000, 1.0, tokens=True))
    desk.ledger.refused(Refusal(Limit.DAY, 20, None))
    assert desk.ledger.limits == Limits(3, 16_000, 20)


@pytest.mark.parametrize("value", [None, -5, 10**12])
def test_a_limit_that_cannot_be_is_not_learned(desk: Desk, value: int | None) -> None:
    desk.ledger.refused(Refusal(Limit.MINUTE, value, 1.0))
    assert desk.ledger.limits == Limits(15, 250_000, 500)


def test_a_day_that_is_over_ends_at_midnight_or_when_the_429_says(desk: Desk) -> None:
    desk.ledger.refused(Refusal(Limit.DAY, 500, None))
    assert desk.grant() == NotToday(MIDNIGHT)
    later = Desk(desk.clock)
    later.ledger.refused(Refusal(Limit.DAY, 500, 7200.0))
    assert later.grant() == NotToday(desk.clock.wall + 7200.5)
    desk.clock.pass_(MIDNIGHT - desk.clock.wall)
    assert desk.grant() == Now()


def test_what_has_no_allowance_or_is_retired_is_asked_again_only_after_a_month(
    desk: Desk,
) -> None:
    gone = Desk(desk.clock)
    desk.ledger.refused(Refusal(Limit.ZERO, 0, None))
    gone.ledger.retired()
    assert desk.grant() == gone.grant() == NotToday(None)
    desk.clock.pass_(FORGET_S + 1)
    assert desk.grant() == gone.grant() == Now()


def test_what_a_clock_far_in_the_future_wrote_does_not_hold_for_ever(desk: Desk) -> None:
    desk.clock.wall += 10 * 365 * 86400
    desk.ledger.refused(Refusal(Limit.DAY, 20, None))
    desk.ledger.retired()
    assert desk.grant() == NotToday(None)
    desk.clock.wall -= 10 * 365 * 86400
    assert desk.grant() == Now()
    assert desk.ledger.limits == Limits(15, 250_000, 500)


def test_a_503_lets_the_model_rest_and_each_further_one_twice_as_long(desk: Desk) -> None:
    for expected in (REST_S, 2 * REST_S, 4 * REST_S):
        desk.ledger.failed()
        assert seconds(desk.grant()) == pytest.approx(expected)
        desk.clock.pass_(expected)


def test_a_model_that_failed_twice_is_tried_by_one_turn_at_a_time(desk: Desk) -> None:
    desk.ledger.failed()
    desk.ledger.failed()
    desk.clock.pass_(2 * REST_S)
    assert desk.grant() == Now()
    assert seconds(desk.grant()) == pytest.approx(PROBE_S)
    assert desk.ledger.answered() is True
    assert desk.grant() == Now()


def test_answers_bring_the_rest_down_by_half_each(desk: Desk) -> None:
    for _ in range(4):
        desk.ledger.failed()
    assert [desk.ledger.answered() for _ in range(4)] == [True, True, True, False]


def test_the_use_of_a_minute_is_told(desk: Desk) -> None:
    desk.fill(3, 200)
    assert desk.ledger.use() == (3, 600)
    desk.clock.pass_(WINDOW_S)
    assert desk.ledger.use() == (0, 0)
