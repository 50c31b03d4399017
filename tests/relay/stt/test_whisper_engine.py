"""Repetitions that Whisper runs into are cut; what people repeat is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.stt.whisper_engine import without_loop

TOKENS = st.lists(st.integers(0, 5), max_size=40)


@pytest.mark.parametrize(
    ("heard", "kept"),
    [
        ([], []),
        ([1, 2, 3], [1, 2, 3]),
        ([1, 2, 1, 2], [1, 2, 1, 2]),  # "bye bye"
        ([1, 2, 1, 2, 1, 2], [1, 2]),
        ([9, 1, 2, 1, 2, 1, 2, 1], [9, 1, 2]),
        ([7, 7, 7, 7, 7], [7]),
        ([7, 7, 7, 8, 9], [7, 7, 7, 8, 9]),  # "no no no, not that"
        ([1, 2, 3, 4, 1, 2, 3, 4], [1, 2, 3, 4]),
        ([1, 2, 3, 4, 5, 6, 1, 2, 3], [1, 2, 3, 4, 5, 6]),
        ([1, 2, 3, 4, 5, 6, 1, 2], [1, 2, 3, 4, 5, 6, 1, 2]),
    ],
)
def test_a_loop_at_the_end_is_cut(heard: list[int], kept: list[int]) -> None:
    assert without_loop(heard) == kept


@given(TOKENS)
def test_what_is_kept_is_how_it_began(heard: list[int]) -> None:
    kept = without_loop(heard)
    assert kept == heard[: len(kept)]
    assert bool(kept) == bool(heard)


@given(TOKENS, st.lists(st.integers(6, 9), min_size=4, max_size=8, unique=True), st.integers(2, 6))
def test_a_block_said_over_and_over_is_said_once(
    before: list[int], block: list[int], rounds: int
) -> None:
    assert len(without_loop(before + block * rounds)) <= len(before) + len(block)
