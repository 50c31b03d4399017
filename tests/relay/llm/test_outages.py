from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relay.llm.outages import Outages

AGAIN_S = 600.0


def test_a_doll_says_it_once_per_outage() -> None:
    outages = Outages(AGAIN_S)
    assert outages.begins("doll-1", 0.0)
    assert not outages.begins("doll-1", 5_000.0)
    assert outages.begins("doll-2", 5_000.0)


def test_a_new_outage_is_news_after_a_while_only() -> None:
    outages = Outages(AGAIN_S)
    outages.begins("doll-1", 0.0)
    outages.ends("doll-1")
    assert not outages.begins("doll-1", AGAIN_S - 1)
    outages.ends("doll-1")
    assert outages.begins("doll-1", AGAIN_S)


def test_of_many_dolls_the_oldest_are_forgotten() -> None:
    outages = Outages(AGAIN_S)
    for number in range(2_000):
        assert outages.begins(f"doll-{number}", 0.0)
    assert not outages.begins("doll-1999", 0.0)
    assert outages.begins("doll-0", 0.0)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 900)), max_size=40))
def test_news_never_comes_sooner_than_agreed(events: list[tuple[bool, float]]) -> None:
    outages, now, told = Outages(AGAIN_S), 0.0, -AGAIN_S
    for is_outage, passed in events:
        now += passed
        if not is_outage:
            outages.ends("doll")
        elif outages.begins("doll", now):
            assert now - told >= AGAIN_S
            told = now
