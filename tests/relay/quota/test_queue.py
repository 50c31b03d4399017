from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relay.quota.base import Priority
from relay.quota.log import WINDOW_S
from relay.quota.queue import SEEN_S, FairQueue, Ticket

TURN, BACKGROUND = Priority.TURN, Priority.BACKGROUND


def join(queue: FairQueue, doll: str, priority: Priority = TURN, now: float = 0.0) -> Ticket:
    ticket = queue.join(doll, priority, 100, now)[0]
    ticket.ready = True
    return ticket


def order(queue: FairQueue, now: float = 0.0) -> list[str]:
    served = []
    while (head := queue.head) is not None:
        served.append(head.doll)
        queue.served(head, now)
        now += 1
    return served


def test_who_came_first_goes_first() -> None:
    queue = FairQueue()
    for doll in "abc":
        join(queue, doll)
    assert order(queue) == ["a", "b", "c"]


def test_who_was_served_longest_ago_goes_before_who_was_served_just_now() -> None:
    queue = FairQueue()
    for now, doll in enumerate("ab"):
        queue.served(join(queue, doll), now)
    join(queue, "b")
    join(queue, "a")
    join(queue, "new")
    assert order(queue, 10) == ["new", "a", "b"]


def test_turns_go_before_background_work() -> None:
    queue = FairQueue()
    join(queue, "a", BACKGROUND)
    join(queue, "b")
    assert order(queue) == ["b", "a"]


def test_the_newest_utterance_of_a_doll_takes_the_place_of_the_older() -> None:
    queue = FairQueue()
    older = join(queue, "a")
    newer, superseded = queue.join("a", TURN, 100, 0.0)
    assert superseded is older
    assert older.superseded
    assert not newer.superseded
    queue.leave(older)
    assert len(queue) == 1
    assert queue.head is None
    newer.ready = True
    assert queue.head is newer


def test_who_only_holds_a_place_keeps_nobody_from_going_but_is_counted_with() -> None:
    queue = FairQueue()
    idle, _ = queue.join("a", TURN, 100, 0.0)
    second = join(queue, "b")
    assert queue.head is second
    assert len(queue.before(second, 0.0)) == 1
    idle.ready = True
    assert queue.head is idle


def test_background_work_of_a_doll_does_not_take_the_place_of_its_turn() -> None:
    queue = FairQueue()
    turn = join(queue, "a")
    join(queue, "a", BACKGROUND)
    assert not turn.superseded
    assert len(queue) == 2


def test_what_goes_before_a_place_is_known() -> None:
    queue = FairQueue()
    join(queue, "a", BACKGROUND)
    join(queue, "b")
    last = join(queue, "c")
    assert [ask.background for ask in queue.before(last, 0.0)] == [False]
    assert queue.before(queue.head or last, 0.0) == []


def test_slots_are_kept_only_for_dolls_that_may_speak_up() -> None:
    queue = FairQueue(slots_for_silent=2)
    first = join(queue, "a")
    assert queue.ask(first, 0.0).spare == 0
    queue.served(first, 0.0)
    for doll in "bcd":
        queue.leave(join(queue, doll))
    second = join(queue, "a", now=1.0)
    assert queue.ask(second, 1.0).spare == 2
    queue.served(join(queue, "b"), 1.0)
    queue.served(join(queue, "c"), 1.0)
    assert queue.ask(second, 1.0).spare == 1
    join(queue, "d", now=1.0)  # it waits: it is no longer silent
    assert queue.ask(second, 1.0).spare == 0
    assert queue.ask(second, WINDOW_S + 2).spare == 2
    assert queue.ask(second, SEEN_S + 2).spare == 0


@given(
    st.lists(
        st.tuples(st.sampled_from("abcde"), st.sampled_from([TURN, TURN, BACKGROUND])),
        max_size=60,
    )
)
def test_nobody_who_waits_is_passed_twice_by_the_same_doll(
    joins: list[tuple[str, Priority]],
) -> None:
    """One is served after every two that join, so the queue is under pressure."""
    queue = FairQueue()
    passed: dict[Ticket, list[str]] = {}
    for now, (doll, priority) in enumerate(joins):
        ticket, older = queue.join(doll, priority, 1, now)
        ticket.ready = True
        if older is not None:
            passed.pop(older, None)
        if priority is TURN:
            passed.setdefault(ticket, [])
        if now % 2 and (head := queue.head) is not None:
            queue.served(head, now)
            passed.pop(head, None)
            for waiting in passed.values():
                waiting.append(head.doll)
                assert len(set(waiting)) == len(waiting)
        assert len(queue) <= 10
