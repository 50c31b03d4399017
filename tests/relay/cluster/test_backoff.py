from __future__ import annotations

from relay.cluster.backoff import GOOD_S, Backoff


def test_the_first_one_that_dies_is_replaced_at_once_and_then_ever_more_slowly() -> None:
    backoff = Backoff()
    waits = [backoff.after(0.1) for _ in range(9)]
    assert waits == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_one_that_has_lasted_is_forgiven() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.after(0.1)
    assert backoff.after(GOOD_S) == 0.0
    assert backoff.after(0.1) == 0.5
