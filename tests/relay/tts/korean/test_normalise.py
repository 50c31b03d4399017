"""Numbers, letters and signs are written as the words that are said."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.tts.korean.normalise import normalise
from relay.tts.korean.pronounce import pronounce

PAIRS = [
    pair
    for section in tomllib.loads(
        Path(__file__).with_name("normal.toml").read_text("utf-8")
    ).values()
    for pair in section.items()
]


@pytest.mark.parametrize(("written", "said"), PAIRS)
def test_it_is_said_as_koreans_say_it(written: str, said: str) -> None:
    assert normalise(written) == said


@given(st.text(max_size=60))
def test_nothing_is_left_but_words_and_pauses(text: str) -> None:
    assert re.fullmatch(r"[가-힣A-Za-z'’,.!? ]*", normalise(text))


@given(st.text(alphabet="0123456789.,:/~-+=%개시분월일 번대kmC#가", max_size=24))
def test_no_arrangement_of_digits_and_signs_is_left_unread(text: str) -> None:
    said = normalise(text)
    assert not re.search(r"\d", said)
    pronounce(said)


@given(st.integers(1, 99), st.sampled_from(["개", "명", "살", "마리"]))
def test_what_is_counted_has_a_native_number(number: int, counter: str) -> None:
    said = re.sub("일곱|일흔", "", normalise(f"{number}{counter}"))
    assert not re.search("[일이삼사오육칠팔구십]", said)


@pytest.mark.parametrize(
    ("written", "pronounced"),
    [
        ("16", "심뉵"),
        ("26", "이심뉵"),
        ("106", "뱅뉵"),
        ("87", "팔씹칠"),
        ("178", "백칠씹팔"),
        ("18살", "열려덜 쌀"),
        ("10개", "열 깨"),
        ("10시", "열 씨"),
        ("6월", "유월"),
        ("11월", "시비뤌"),
        ("3.14", "삼 저 밀사"),
    ],
)
def test_numbers_are_pronounced_as_they_are_spoken(written: str, pronounced: str) -> None:
    assert pronounce(normalise(written)) == pronounced
