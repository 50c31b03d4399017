from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.errors import ErrorKind, ProviderError
from relay.failover import CoolDown, Order

DOWN = ProviderError(ErrorKind.SERVER, "down")


def order() -> Order[None]:
    return Order([("a", None), ("b", None), ("c", None)], CoolDown(first_s=10, longest_s=60))


def names(order: Order[None], now: float) -> str:
    return "".join(member.name for member in order.at(now))


def test_the_preferred_one_is_asked_first() -> None:
    assert names(order(), 0) == "abc"


def test_one_that_failed_rests_and_comes_back() -> None:
    some = order()
    assert some.failed(some.members[0], DOWN, now=100) == 10
    assert names(some, 109.9) == "bca"
    assert names(some, 110) == "abc"


def test_each_failure_in_a_row_doubles_the_rest_up_to_the_longest() -> None:
    some = order()
    rests = [some.failed(some.members[0], DOWN, now=0) for _ in range(5)]
    assert rests == [10, 20, 40, 60, 60]
    some.worked(some.members[0])
    assert names(some, 0) == "abc"
    assert some.failed(some.members[0], DOWN, now=0) == 10


def test_when_all_rest_the_one_that_is_back_soonest_is_tried() -> None:
    some = order()
    for at, member in enumerate(some.members):
        some.failed(member, DOWN, now=at)
    some.failed(some.members[0], DOWN, now=3)
    assert names(some, 4) == "bca"


@pytest.mark.parametrize(
    ("error", "rest_s"),
    [
        (ProviderError(ErrorKind.BAD_REQUEST, "no such language"), 0),
        (ProviderError(ErrorKind.BLOCKED, "no"), 0),
        (ProviderError(ErrorKind.NETWORK, "gone"), 10),
        (ProviderError(ErrorKind.RATE, "slow down", retry_after_s=2), 10),
        (ProviderError(ErrorKind.RATE, "slow down", retry_after_s=47), 47),
        (ProviderError(ErrorKind.QUOTA, "used up", retry_after_s=9e6), 86_400),
        (ProviderError(ErrorKind.QUOTA, "used up"), 600),
        (ProviderError(ErrorKind.AUTH, "wrong key"), 600),
    ],
)
def test_the_rest_depends_on_why_it_failed(error: ProviderError, rest_s: float) -> None:
    some = order()
    assert some.failed(some.members[0], error, now=5) == rest_s


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.floats(0, 100)), max_size=30))
def test_nobody_is_ever_left_out(steps: list[tuple[int, bool, float]]) -> None:
    some, now = order(), 0.0
    for which, works, seconds in steps:
        now += seconds
        if works:
            some.worked(some.members[which])
        else:
            some.failed(some.members[which], DOWN, now)
        assert sorted(names(some, now)) == ["a", "b", "c"]
        well = [member.name for member in some.members if member.resting_until <= now]
        assert names(some, now).startswith("".join(well))
