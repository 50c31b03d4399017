"""The log and its outlook, against a list that is sorted anew for each question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.quota.log import LATEST_S, WINDOW_S, Log, Sent
from relay.quota.outlook import Outlook

DOLLS = "abc"

#: (seconds that go by, what is done, which request or how many tokens it is done with)
courses = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.0, 0.5]) | st.floats(0, 40),
        st.sampled_from(["grant", "grant", "arrived", "commit", "undo"]),
        st.integers(0, 20),
    ),
    max_size=60,
)
supposed = st.lists(st.tuples(st.floats(0, 20), st.integers(0, 9)), max_size=4)


class Naive:
    """A log without any order."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.committed: list[Sent] = []

    def expire(self, now: float) -> None:
        self.sent = [one for one in self.sent if until(one, now) > now]
        self.committed = [one for one in self.committed if until(one, now) > now]

    def arrived(self, at: float, doll: str, arrived: float) -> None:
        for index, one in enumerate(self.sent):
            if one.arrived is None and (one.at, one.doll) == (at, doll):
                self.sent[index] = Sent(at, one.tokens, doll, arrived)
                return


def until(sent: Sent, now: float) -> float:
    arrived = min(now, sent.at + LATEST_S) if sent.arrived is None else sent.arrived
    return arrived + WINDOW_S


class Course:
    """A log and a naive one that live through the same, and a copy that is told of it."""

    def __init__(self) -> None:
        self.log, self.copy, self.naive = Log(), Log(), Naive()
        self.now = 0.0

    def step(self, passes: float, what: str, which: int) -> None:
        self.now += passes
        self.log.expire(self.now)
        self.naive.expire(self.now)
        match what:
            case "grant":
                sent = Sent(self.now, which % 3, DOLLS[which % 3])  # alike: the same
                self.log.add(sent)
                self.naive.sent.append(sent)
            case "arrived" if self.naive.sent:
                one = self.naive.sent[which % len(self.naive.sent)]
                arrived = one.at + min(which / 2, LATEST_S)
                self.log.arrived(one.at, one.doll, arrived)
                self.naive.arrived(one.at, one.doll, arrived)
            case "commit":
                self.copy.follow(self.log.changes)
                self.log.commit()
                self.naive.committed = list(self.naive.sent)
            case "undo":
                self.log.undo()
                self.naive.sent = list(self.naive.committed)
                self.log.expire(self.now)


@given(courses)
def test_a_log_holds_what_an_unordered_list_would(course: list[tuple[float, str, int]]) -> None:
    both = Course()
    for step in course:
        both.step(*step)
        sent = both.naive.sent
        assert sorted(map(repr, both.log)) == sorted(map(repr, sent))
        assert len(both.log) == len(sent)
        assert both.log.tokens == sum(one.tokens for one in sent)
        assert {doll for doll in DOLLS if both.log.has(doll)} == {one.doll for one in sent}


@given(courses)
def test_a_copy_that_is_told_the_changes_is_the_same_log(
    course: list[tuple[float, str, int]],
) -> None:
    both = Course()
    for step in course:
        both.step(*step)
    both.step(0.0, "undo", 0)
    both.copy.expire(both.now)
    assert sorted(map(repr, both.copy)) == sorted(map(repr, both.naive.committed))
    assert both.copy.tokens == both.log.tokens


@given(courses, supposed, st.integers(0, 100))
def test_slots_and_tokens_come_back_when_a_sorted_list_says_so(
    course: list[tuple[float, str, int]], to_come: list[tuple[float, int]], tokens: int
) -> None:
    both = Course()
    for step in course:
        both.step(*step)
    outlook, now = Outlook(both.log, both.now), both.now
    held = sorted((until(one, now), one.tokens) for one in both.naive.sent)
    at = now
    for wait, size in to_come:
        at += wait
        outlook.suppose(at, size, "z")
        held.append((at + WINDOW_S, size))
    assert len(outlook) == len(held)
    assert outlook.has("z") == bool(to_come)
    assert [outlook.back(count + 1) for count in range(len(held))] == [back for back, _ in held]
    rest, expected = sum(size for _, size in held), 0.0
    # Of those that come back in the same moment it does not matter who is first.
    for back, size in held:
        if rest <= tokens:
            break
        rest, expected = rest - size, back
    assert outlook.has_at_most(tokens) == expected


def test_what_is_over_does_not_stay_in_memory() -> None:
    log = Log()
    for number in range(5000):
        log.expire(float(number))
        log.add(Sent(float(number), 1, str(number)))
        log.arrived(float(number), str(number), float(number))
        log.commit()
    assert len(log) == len(list(log)) == 61
    assert len(log.there._sent) < 300


@pytest.mark.parametrize("known", [True, False])
def test_undoing_an_arrival_of_a_request_that_is_over_leaves_nothing(known: bool) -> None:
    log = Log([Sent(0.0, 5, "a")])
    if known:
        log.arrived(0.0, "a", 1.0)
    log.expire(LATEST_S + WINDOW_S)
    log.undo()
    log.expire(LATEST_S + WINDOW_S)
    assert (len(log), log.tokens, log.has("a")) == (0, 0, False)
