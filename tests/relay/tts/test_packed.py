"""A packed dictionary says what the one it was made of says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.tts.packed import PackedDictionary

WORDS = st.text(max_size=6)
VALUES = st.one_of(
    st.none(), st.text(max_size=4), st.dictionaries(st.text(max_size=2), st.text(max_size=2))
)


@given(st.dictionaries(WORDS, VALUES), st.lists(WORDS))
def test_it_is_the_same_dictionary(entries: dict[str, Any], others: list[str]) -> None:
    packed = PackedDictionary(entries)
    assert dict(packed) == entries
    assert len(packed) == len(entries)
    for word in others:
        assert packed.get(word) == entries.get(word)
        assert (word in packed) == (word in entries)


@pytest.mark.parametrize("word", ["", "ab\x1f", "a\x1fx", "\ud800"])
def test_odd_words_are_not_found(word: str) -> None:
    packed = PackedDictionary({"a": "x", "ab": "y", "abc": "z"})
    assert word not in packed
