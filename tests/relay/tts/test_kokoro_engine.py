"""Phonemes are parted where a voice may take breath, and sound is made in growing pieces."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.tts.kokoro_engine import PIECES, edges, split


@pytest.mark.parametrize(
    ("phonemes", "most", "parts"),
    [
        ("", 10, []),
        (" . ", 10, []),
        ("aa bb", 10, ["aa bb"]),
        ("aa. bb, cc dd", 9, ["aa.", "bb, cc dd"]),
        ("aa, bb cc dd", 9, ["aa,", "bb cc dd"]),
        ("aa bb cc dd", 9, ["aa bb cc", "dd"]),
        ("a" * 12, 5, ["aaaaa", "aaaaa", "aa"]),
    ],
)
def test_the_best_break_is_taken(phonemes: str, most: int, parts: list[str]) -> None:
    assert split(phonemes, most) == parts


@given(st.text(alphabet="ab .,", max_size=80), st.integers(3, 20))
def test_nothing_is_lost_and_nothing_is_too_long(phonemes: str, most: int) -> None:
    parts = split(phonemes, most)
    assert all(len(part) <= most for part in parts)
    sounds = [sign for sign in phonemes if sign in "ab"]
    assert [sign for part in parts for sign in part if sign in "ab"] == sounds


def test_the_first_piece_is_the_shortest_and_a_small_rest_is_joined() -> None:
    assert edges(10, 20) == (10, 20)
    assert edges(0, 30) == (0, 24, 30)
    assert edges(0, 24 + 32 + 10) == (0, 24, 66)
    assert edges(5, 5 + 24 + 32 + 40) == (5, 29, 61, 101)


@given(st.integers(0, 60), st.integers(1, 2000))
def test_the_pieces_are_the_whole(start: int, length: int) -> None:
    places = edges(start, start + length)
    assert (places[0], places[-1]) == (start, start + length)
    sizes = [after - before for before, after in itertools.pairwise(places)]
    assert all(0 < size <= PIECES[-1] * 1.5 for size in sizes)
    assert sizes[0] <= PIECES[0]
