"""The cache of spoken clauses keeps what was used last, within its bytes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from relay.audio import Pcm
from relay.tts.cache import ClauseCache


def pcm(size: int) -> Pcm:
    return np.zeros(size // 2, np.int16)


def test_what_was_used_longest_ago_goes_first() -> None:
    cache = ClauseCache(limit=40)
    for key in "abcd":
        cache.put(key, pcm(10))
    assert cache.get("a") is not None
    cache.put("e", pcm(10))
    assert [key for key in "abcde" if cache.get(key) is not None] == ["a", "c", "d", "e"]


def test_a_clause_too_long_to_be_worth_it_is_not_kept() -> None:
    cache = ClauseCache(limit=40)
    cache.put("long", pcm(12))
    assert cache.get("long") is None
    assert cache.size == 0


def test_the_same_clause_again_takes_the_place_of_the_old_one() -> None:
    cache = ClauseCache(limit=40)
    cache.put("a", pcm(10))
    cache.put("a", pcm(4))
    assert cache.size == 4


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30)), max_size=40))
def test_it_never_holds_more_than_its_limit(puts: list[tuple[int, int]]) -> None:
    cache = ClauseCache(limit=60)
    for key, size in puts:
        cache.put(key, pcm(size))
        assert cache.size <= 60
    kept = [cache.get(key) for key in range(6)]
    assert cache.size == sum(one.nbytes for one in kept if one is not None)
