"""Syllables are taken apart and put together again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relay.tts.korean.jamo import Syllable, coda_of, is_hangul, take_apart

HANGUL = st.text(st.characters(min_codepoint=ord("가"), max_codepoint=ord("힣")), max_size=20)


@given(HANGUL)
def test_what_is_taken_apart_goes_together_again(word: str) -> None:
    assert "".join(map(str, take_apart(word))) == word


def test_a_syllable_is_onset_nucleus_and_coda() -> None:
    assert take_apart("닭") == [Syllable("ㄷ", "ㅏ", "ㄺ")]
    assert take_apart("이") == [Syllable("ㅇ", "ㅣ", "")]


def test_the_coda_of_a_word_is_its_last_letter() -> None:
    assert [coda_of(word) for word in ("값", "나", "", "a")] == ["ㅄ", "", "", ""]


def test_only_whole_blocks_are_hangul() -> None:
    assert all(map(is_hangul, "가힣"))
    assert not any(map(is_hangul, "ㄱㅏa1漢 "))
