from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.llm.local.arithmetic import Expression, parse
from relay.llm.local.content import content
from relay.llm.local.sums import answers, say


def all_answers(text: str, language: str) -> str:
    expression = parse(text, language)
    assert expression is not None
    return " | ".join(answers(expression, content(language).sums, language))


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("칠 더하기 오", "ko", "십이"),
        ("삼 빼기 칠", "ko", "마이너스 사"),
        ("칠 나누기 이", "ko", "삼 점 오"),
        ("일 나누기 팔", "ko", "영 점 일 이 오"),
        ("십 나누기 삼", "ko", "몫은 삼, 나머지는 일"),
        ("일 더하기 이 나누기 삼", "ko", "삼분의 오"),
        ("seven times six", "en", "Forty-two"),
        ("ten divided by four", "en", "two point five"),
        ("ten divided by three", "en", "three, with one left over"),
        ("one plus two divided by three plus one divided by three", "en", "two"),
    ],
)
def test_says_the_result(text: str, language: str, said: str) -> None:
    assert said in all_answers(text, language)


@pytest.mark.parametrize(
    ("text", "language"), [("오 나누기 영", "ko"), ("five divided by zero", "en")]
)
def test_division_by_zero_is_answered_in_character(text: str, language: str) -> None:
    assert all_answers(text, language) == " | ".join(content(language).sums.zero_division)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_what_is_too_large_to_say_is_said_to_be(language: str) -> None:
    large = Expression((Fraction(10**12), Fraction(10**12)), "*")
    sums = content(language).sums
    assert answers(large, sums, language) == sums.too_large


@given(st.fractions(-(10**18), 10**18, max_denominator=10**6), st.sampled_from(["ko", "en"]))
def test_any_number_is_said_or_is_too_large(value: Fraction, language: str) -> None:
    try:
        text = say(value, content(language).sums, language)
    except ValueError:
        assert max(abs(value.numerator), value.denominator) >= 10**16 or abs(value) >= 10**16
    else:
        assert text
        assert not any(char.isdecimal() for char in text)
