"""Error rates count what a person would call an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.bench.speech_errors import Errors, distance


@pytest.mark.parametrize(
    ("language", "said", "heard", "rate"),
    [
        ("ko", "오늘 뭐 했어?", "오늘 뭐했어", 0.0),
        ("ko", "지금 세 시야.", "지금 3시야.", 0.0),
        ("ko", "잘 자", "잘 가", 1 / 2),
        ("ko", "잘 자", "", 1.0),
        ("en", "Let us play.", "let's play", 0.0),
        ("en", "I am here.", "I was here", 1 / 3),
        ("en", "No.", "no no no", 2.0),
    ],
)
def test_words_and_characters_are_counted(
    language: str, said: str, heard: str, rate: float
) -> None:
    errors = Errors(language)
    errors.add(said, heard)
    assert errors.rate == pytest.approx(rate)


@pytest.mark.parametrize(
    ("said", "heard", "wrong"),
    [
        ("뭐 했대?", "뭐 했데", 0),  # written in two ways, said alike
        ("네 덕분에", "내 덕분에", 0),
        ("그렇게 할 거야", "그러케 할꺼야", 0),
        ("빵 냄새", "방 냄새", 1),
    ],
)
def test_what_sounds_alike_is_no_error_of_hearing(said: str, heard: str, wrong: int) -> None:
    errors = Errors("ko", as_pronounced=True)
    errors.add(said, heard)
    assert errors.wrong == wrong


def test_sentences_add_up_by_their_length() -> None:
    errors = Errors("en")
    errors.add("one two three", "one two three")
    errors.add("four", "five")
    assert errors.rate == 1 / 4


@given(st.text("ab", max_size=6), st.text("ab", max_size=6))
def test_the_distance_is_a_metric(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
    assert abs(len(one) - len(other)) <= distance(one, other) <= max(len(one), len(other))
