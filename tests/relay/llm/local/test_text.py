from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.llm.local.text import grams, has_hangul, has_latin_word, normalise, without_fillers


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  안녕,   차차야!! ", "안녕 차차야"),
        (unicodedata.normalize("NFD", "안녕"), "안녕"),
        ("What’s YOUR name?", "what is your name"),
        ("I can't, I don't, I'm", "i cannot i do not i am"),
        ("C++ 좋아해?", "c++ 좋아해"),
        ("ＡＢＣ", "abc"),
        ("(웃음) 하하…", "웃음 하하"),
        ("", ""),
    ],
)
def test_normalises(text: str, normal: str) -> None:
    assert normalise(text) == normal


@given(st.text())
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_korean_is_cut_without_regard_to_spaces() -> None:
    assert list(grams("몇 시야")) == list(grams("몇시야"))


def test_a_wrong_consonant_leaves_most_pieces_as_they_are() -> None:
    right, wrong = set(grams("지금 몇 시야")), set(grams("지금 멷 시야"))
    assert len(right & wrong) > len(right) / 2


def test_fillers_are_dropped_unless_nothing_else_was_said() -> None:
    assert without_fillers("차차야 안녕 진짜 반가워", {"차차야", "진짜"}) == "안녕 반가워"
    assert without_fillers("진짜", {"진짜"}) == "진짜"
    assert without_fillers("", {"진짜"}) == ""


def test_tells_scripts_apart() -> None:
    assert has_hangul("C++ 좋아해")
    assert not has_hangul("hello")
    assert has_latin_word("hello 7")
    assert not has_latin_word("C 7 +")
