"""Spelling alone is no error of recognition; another word is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.bench.english_words import number, ordinal, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I'm sorry, it’s not here.", "I am sorry it is not here"),
        ("We can't, we won't, you cannot.", "we can not we will not you can not"),
        ("Let us play.", "let's play"),
        ("Press 1, then 12.", "press one then twelve"),
        ("1,250 dolls", "one thousand two hundred fifty dolls"),
        ("It costs $5.", "it costs five dollars"),
        ("50% of it", "fifty percent of it"),
        ("at 3:30", "at three thirty"),
        ("at 3:00", "at three"),
        ("3.5", "three point five"),
        ("the 21st", "the twenty-first"),
        ("dial 007", "dial zero zero seven"),
        ("My favourite colour is grey.", "my favorite color is gray"),
        ("Mr. Kim dialled", "mister kim dialed"),
        ("Um, yes.", "yes"),
        ("re-enter", "re enter"),
    ],
)
def test_two_ways_of_writing_are_the_same_words(one: str, other: str) -> None:
    assert words(one) == words(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("blacklist", "black list"),  # compounds stay as they are, as in Whisper's normaliser
        ("callers", "colors"),
        ("enter", "and"),
        ("a message", "the message"),
        ("called", "filled"),
    ],
)
def test_other_words_stay_other_words(one: str, other: str) -> None:
    assert words(one) != words(other)


@pytest.mark.parametrize(
    ("digits", "said"),
    [
        ("0", "zero"),
        ("19", "nineteen"),
        ("40", "forty"),
        ("105", "one hundred five"),
        ("2026", "two thousand twenty six"),
        ("1000000", "one million"),
        ("010", "zero one zero"),
    ],
)
def test_numbers_are_said(digits: str, said: str) -> None:
    assert number(digits) == said


@pytest.mark.parametrize(
    ("digits", "said"),
    [
        ("1", "first"),
        ("2", "second"),
        ("12", "twelfth"),
        ("20", "twentieth"),
        ("104", "one hundred fourth"),
    ],
)
def test_ordinals_are_said(digits: str, said: str) -> None:
    assert ordinal(digits) == said


@given(st.text(max_size=60))
def test_words_of_any_text_are_small_letters(text: str) -> None:
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words(text))


@given(st.text(st.sampled_from("abt '’.,-$%:0123456789"), max_size=30))
def test_what_is_spelled_alike_stays_so(text: str) -> None:
    spelled = " ".join(words(text))
    assert words(spelled.upper()) == words(spelled)
