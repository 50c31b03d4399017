"""Phonemes are parted where a voice may take breath."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.tts.kokoro_engine import split


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
