"""Where an over-long clause is cut, and what is held together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.turn.breaks import best_break, inside


def cut(text: str, low: int, high: int, *, forced: bool = True) -> str | None:
    place = best_break(text, low, high, forced=forced)
    return None if place is None else text[:place]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two. three four five", "one two."),
        ("one two, three four five", "one two,"),
        ("one two three and four five", "one two three"),
        ("one two three four five six", "one two three four"),
        ("we went to the big market", "we went to the big"),
        ("it was all for the market there", "it was all"),
        ("산에 가고 밥을 먹은 뒤에 잤다", "산에 가고"),
        ("가나다라마바사아자차카타파하가나다라마바사", "가나다라마바사아자차카타파하가나다라"),
    ],
)
def test_the_cut_is_where_a_speaker_would_breathe(text: str, expected: str) -> None:
    assert cut(text, 5, 18) == expected


def test_brackets_and_quotes_are_cut_only_if_they_must_be() -> None:
    text = "abc (one, two three four five) six"
    assert cut(text, 4, 20) == "abc (one,"
    assert cut(text, 4, 20, forced=False) is None
    assert cut(text, 3, 20, forced=False) == "abc"


def test_an_address_moves_to_the_next_clause_or_stays_whole() -> None:
    url = "https://example.com/a/long/way"
    assert cut(f"a {url}", 10, 20) == "a "
    assert cut(url, 10, 20) is None
    assert cut(url + "/x" * 300, 10, 20) == url + "/x" * 300


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a (b) c", {3, 4}),
        ("a (b [c) d", {3, 4, 5, 6, 7}),
        ('a "b" c', {3, 4}),
        ('"b c" d', set()),
        ("“b c” d", set()),
        ("a 「b」 c", {3, 4}),
        ('5" and 6" long', set()),
        ("a *b* c", {3, 4}),
        ("a **b** c", set()),
        ("2*3*4", set()),
        ("a `b` c", {3, 4}),
        ("sad :( a", set()),
        ("(´・ω・`) a", {1, 2, 3, 4, 5, 6}),
        ("it's a dog's", set()),
    ],
)
def test_what_is_inside_of_brackets_and_quotes(text: str, where: set[int]) -> None:
    assert {place for place, held in enumerate(inside(text)) if held} == where


@given(st.text(min_size=3, max_size=80), st.data())
def test_a_forced_cut_makes_progress(text: str, data: st.DataObject) -> None:
    high = data.draw(st.integers(2, len(text) - 1))
    place = best_break(text, high // 2, high, forced=True)
    assert (place is None and ("://" in text or "www." in text.lower())) or 0 < (place or 0) <= high
