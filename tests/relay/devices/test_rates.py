from __future__ import annotations

from relay.devices.rates import MAX_SOURCES, SourceRates


def test_one_address_that_asks_too_often_does_not_slow_the_others() -> None:
    rates = SourceRates((1, 3), (10, 100))
    assert [rates.take("greedy", 0.0) for _ in range(50)] == [True] * 3 + [False] * 47
    assert all(rates.take(f"other-{n}", 0.0) for n in range(97))
    assert not rates.take("one-too-many", 0.0)


def test_it_may_ask_again_after_a_while() -> None:
    rates = SourceRates((1, 1), (10, 10))
    assert rates.take("a", 0.0)
    assert not rates.take("a", 0.5)
    assert rates.take("a", 1.6)


def test_only_so_many_addresses_are_remembered() -> None:
    rates = SourceRates((1, 1), (1e9, 1e9))
    assert rates.take("first", 0.0)
    for number in range(MAX_SOURCES):
        rates.take(str(number), 0.0)
    assert rates.take("first", 0.0)  # forgotten
    assert not rates.take(str(MAX_SOURCES - 1), 0.0)
