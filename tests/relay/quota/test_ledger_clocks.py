"""What the clocks do to a ledger: one machine or several, reboots, steps, crashes."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.quota import calendar
from relay.quota.base import Later, NotToday, Now
from relay.quota.clock import Reading
from relay.quota.ledger import Ask, Ledger
from relay.quota.limits import Allowance, Limits
from relay.quota.log import WINDOW_S
from relay.quota.pacing import Pacing
from relay.quota.state import State, decode, encode
from tests.fakes.clocks import MONDAY, ManualClock

PACING = Pacing(ZoneInfo("Asia/Seoul"), keep=0)
LIMITS = Limits(requests_per_minute=4, tokens_per_minute=1000, requests_per_day=12)


class World:
    """One stored ledger, machines with their own steady clocks, and the time that really passes."""

    def __init__(self, start: float = MONDAY) -> None:
        self.start = start
        self.now = 0.0
        self.error = 0.0  #: of the wall clock
        self.boots = {"a": -500.0, "b": -90.0}  #: when the machines were started
        self.stored = encode(State())
        self.sent: list[tuple[float, int]] = []  #: real time, tokens

    def ask(self, machine: str, tokens: int = 1, crash: str = "") -> object:
        boot = self.boots[machine]
        reading = Reading(f"{machine}{boot}", self.now - boot, self.start + self.now + self.error)
        state = decode(self.stored)
        ledger = Ledger(Allowance(LIMITS), PACING, state, reading)
        granted = ledger.grant(Ask("doll", tokens))
        ledger.arrived(state.time, "doll", 0.0)
        if isinstance(granted, Now) and crash != "before it is written":
            self.stored = encode(state)
            if crash != "before it is sent":
                self.sent.append((self.now, tokens))
        return granted

    def insist(self, machine: str, tokens: int = 1) -> None:
        """Ask again at the very moment that was told."""
        granted = self.ask(machine, tokens)
        if isinstance(granted, Later):
            self.now += granted.seconds + 1e-6
            assert self.ask(machine, tokens) == Now()

    def check_minutes(self) -> None:
        times = [at for at, _ in self.sent]
        for index, first in enumerate(times):
            window = self.sent[index : bisect_right(times, first + 60)]
            assert len(window) <= (LIMITS.requests_per_minute or 0), times
            assert sum(tokens for _, tokens in window) <= (LIMITS.tokens_per_minute or 0)

    def check_days(self) -> None:
        days = [
            datetime.fromtimestamp(self.start + at, UTC).astimezone(calendar.PACIFIC).date()
            for at, _ in self.sent
        ]
        assert all(days.count(day) <= (LIMITS.requests_per_day or 0) for day in set(days))


crashes = st.sampled_from(["", "", "", "before it is written", "before it is sent"])
asks = st.tuples(st.just("ask"), st.integers(0, 600), crashes)
passes = st.tuples(
    st.just("pass"), st.floats(0, 70) | st.floats(0, 7200) | st.just(86400.0), st.none()
)
steps = st.tuples(
    st.just("step"),
    st.floats(-90, 90) | st.sampled_from([-7e6, -86400.0, -3600.0, 3600.0, 86400.0, 4e8]),
    st.none(),
)
reboots = st.tuples(st.just("reboot"), st.floats(0, 100), st.none())
sane = st.lists(asks | passes, max_size=60)


@settings(max_examples=300)
@given(st.lists(asks | asks | passes | steps | reboots, max_size=60))
def test_no_step_of_the_wall_clock_lets_more_than_a_minutes_limit_through(
    course: list[tuple[str, float, str | None]],
) -> None:
    world = World()
    for what, value, crash in course:
        match what:
            case "ask":
                world.ask("a", int(value), crash or "")
            case "pass":
                world.now += value
            case "step":
                world.error += value
            case "reboot":
                world.now += value
                world.boots["a"] = world.now - value / 2
    world.check_minutes()


@settings(max_examples=200)
@given(sane, st.data())
def test_no_interleaving_of_machines_and_crashes_lets_more_than_the_limits_through(
    course: list[tuple[str, float, str | None]], data: st.DataObject
) -> None:
    world = World()
    for what, value, crash in course:
        if what == "pass":
            world.now += value
        else:
            world.ask(data.draw(st.sampled_from("ab")), int(value), crash or "")
    world.check_minutes()
    world.check_days()


@settings(max_examples=100)
@given(
    st.sampled_from([date(2026, 3, 7), date(2026, 3, 8), date(2026, 10, 31), date(2026, 11, 1)]),
    st.lists(st.floats(0, 4 * 3600) | st.floats(0, 20), max_size=80),
)
def test_no_day_takes_more_than_its_limit_also_where_the_clocks_change(
    day: date, gaps: list[float]
) -> None:
    world = World(calendar.start_of(day) - 600)
    for gap in gaps:
        world.now += gap
        world.ask("a")
    world.check_days()


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(0, 600)), max_size=11))
def test_who_comes_when_told_gets_through_and_not_too_early(
    course: list[tuple[float, int]],
) -> None:
    world = World()
    for gap, tokens in course:
        world.now += gap
        world.insist("a", tokens)
    world.check_minutes()


@given(st.lists(st.floats(0, 300), min_size=2, max_size=60))
def test_the_limit_is_really_given_and_not_only_kept(gaps: list[float]) -> None:
    world = World()
    for gap in gaps:
        world.now += gap
        granted = world.ask("a")
        recent = [at for at, _ in world.sent if at > world.now - WINDOW_S - 0.001]
        if isinstance(granted, Later):
            assert len(recent) == LIMITS.requests_per_minute
        if isinstance(granted, NotToday):
            assert len(world.sent) == LIMITS.requests_per_day


def fill_day(clock: ManualClock, state: State) -> None:
    while isinstance(look(clock, state), Now):
        clock.pass_(20)


def look(clock: ManualClock, state: State) -> object:
    ledger = Ledger(Allowance(LIMITS), PACING, state, clock())
    granted = ledger.grant(Ask("doll", 1))
    ledger.arrived(state.time, "doll", 0.0)
    return granted


@pytest.mark.parametrize("step", [86400.0, -86400.0, 3 * 86400.0, 4e8])
def test_a_date_that_only_a_step_of_the_clock_brought_has_no_new_allowance(
    clock: ManualClock, step: float
) -> None:
    state = State()
    fill_day(clock, state)
    clock.wall += step
    assert isinstance(look(clock, state), NotToday)
    clock.wall -= step
    assert isinstance(look(clock, state), NotToday)


def test_a_clock_that_goes_back_over_midnight_brings_the_old_count_back(
    clock: ManualClock,
) -> None:
    state = State()
    fill_day(clock, state)
    to_midnight = calendar.end_of(calendar.day_of(clock.wall)) - clock.wall
    clock.pass_(to_midnight + 1)
    assert look(clock, state) == Now()
    clock.wall -= 120
    assert isinstance(look(clock, state), NotToday)
    clock.pass_(180)
    assert look(clock, state) == Now()


def test_a_machine_that_was_off_overnight_finds_a_new_day(clock: ManualClock) -> None:
    state = State()
    fill_day(clock, state)
    clock.reboot(uptime=20, wall=clock.wall + 16 * 3600)
    assert look(clock, state) == Now()


def test_after_a_reboot_the_last_minute_is_not_taken_for_over(clock: ManualClock) -> None:
    state = State()
    for _ in range(4):
        assert look(clock, state) == Now()
    clock.reboot(uptime=15, wall=clock.wall + 3600)  # what does a clock say at such a time?
    assert isinstance(look(clock, state), Later)
    clock.pass_(WINDOW_S - 14)
    assert look(clock, state) == Now()


def test_a_reboot_is_also_seen_by_a_steady_clock_that_went_back(clock: ManualClock) -> None:
    state = State()
    for _ in range(4):
        assert look(clock, state) == Now()
    clock.wall, clock.steady = clock.wall + 200, 100.0
    assert look(clock, state) == Now()


def test_a_reboot_with_a_clock_far_behind_holds_nobody_up_for_longer_than_a_minute(
    clock: ManualClock,
) -> None:
    state = State()
    for _ in range(4):
        assert look(clock, state) == Now()
    clock.reboot(uptime=15, wall=clock.wall - 7200)
    assert isinstance(look(clock, state), Later)
    clock.pass_(WINDOW_S)
    assert look(clock, state) == Now()


@given(st.lists(st.sampled_from("abcdefghijkl"), max_size=40))
def test_many_machines_leave_a_bounded_trace(machines: list[str]) -> None:
    state = State()
    times = []
    for number, machine in enumerate(machines):
        Ledger(Allowance(), PACING, state, Reading(machine, 1000 + number, MONDAY + number))
        times.append(state.time)
    assert len(state.marks) <= 8
    assert all(before <= after for before, after in pairwise(times))
