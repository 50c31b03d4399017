from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.llm.local import numbers_en, numbers_ko
from relay.llm.local.arithmetic import MAX_OPERAND, Expression, parse

KOREAN = {"+": "더하기", "-": "빼기", "*": "곱하기", "/": "나누기"}
ENGLISH = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("칠 더하기 오는?", 12),
        ("7 더하기 5", 12),
        ("십이 곱하기 삼", 36),
        ("100 빼기 스물", 80),
        ("백스물셋 더하기 하나는 뭐야?", 124),
        ("칠 더하기오는 얼마야", 12),
        ("차차야 이 더하기 이는?", 4),
        ("7이랑 5 더하면?", 12),
        ("칠에 오를 더하면 얼마야?", 12),
        ("7에서 5를 빼면 몇이야", 2),
        ("12를 4로 나누면", 3),
        ("삼이랑 사를 곱하면?", 12),
        ("7+5=", 12),
        ("7+5는?", 12),
        ("10-3", 7),
        ("마이너스 삼 더하기 오", 2),
        ("3.5 더하기 2", Fraction(11, 2)),
        ("삼 점 일사 더하기 영", Fraction(314, 100)),
        ("1,000 빼기 1", 999),
        ("3만5천 나누기 7", 5000),
        ("일 더하기 이 더하기 삼은?", 6),
        ("이 더하기 이 곱하기 이", 6),
        ("구 나누기 이", Fraction(9, 2)),
        ("일 곱하기 삼", 3),  # without spaces it begins with 일곱
        ("일곱 곱하기 삼", 21),
        ("하나 나누기 둘", Fraction(1, 2)),
    ],
)
def test_understands_korean(text: str, value: Fraction) -> None:
    found = parse(text, "ko")
    assert found is not None
    assert found.value() == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("seven plus five equals", 12),
        ("What's 100 minus twenty?", 80),
        ("what is twelve divided by four", 3),
        ("add five to two", 7),
        ("subtract three from ten", 7),
        ("multiply 3 by 4", 12),
        ("divide ten by four", Fraction(5, 2)),
        ("one hundred and twenty-three plus one", 124),
        ("two point five times two", 5),
        ("a hundred take away one", 99),
        ("how much is 3 x 4?", 12),
        ("what is the sum of two and three", 5),
        ("minus three plus five", 2),
        ("one plus two times three", 7),
        ("7+5=", 12),
    ],
)
def test_understands_english(text: str, value: Fraction) -> None:
    found = parse(text, "en")
    assert found is not None
    assert found.value() == value


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("안녕", "ko"),
        ("일하고 놀자", "ko"),
        ("오늘은 11/23이야", "ko"),
        ("내 번호는 010-1234-5678이야", "ko"),
        ("010-1234-5678", "ko"),
        ("바깥은 마이너스 삼 도야", "ko"),
        ("하나 더", "ko"),
        ("이거 더하기 저거", "ko"),
        ("I called you three times", "en"),
        ("call 555-1234 now", "en"),
        ("one more please", "en"),
        ("it's nine to five", "en"),
        ("plus", "en"),
        ("1" * 400 + " plus 1", "en"),
        (f"{MAX_OPERAND * 10} plus 1", "en"),
    ],
)
def test_what_is_no_sum_is_left_alone(text: str, language: str) -> None:
    assert parse(text, language) is None


OPERANDS = st.lists(st.integers(0, 10**6), min_size=2, max_size=3)


@given(OPERANDS, st.data())
def test_a_spoken_sum_is_understood_as_it_was_meant(
    operands: list[int], data: st.DataObject
) -> None:
    signs = data.draw(st.text("+-*/", min_size=len(operands) - 1, max_size=len(operands) - 1))
    meant = Expression(tuple(map(Fraction, operands)), signs)
    for language, spell, words in (
        ("ko", numbers_ko.spell, KOREAN),
        ("en", numbers_en.spell, ENGLISH),
    ):
        spoken = spell(operands[0]) + "".join(
            f" {words[sign]} {spell(operand)}"
            for sign, operand in zip(signs, operands[1:], strict=True)
        )
        assert parse(spoken, language) == meant


@given(
    st.lists(st.fractions(-100, 100), min_size=1, max_size=6),
    st.text("+-*/", min_size=5, max_size=5),
)
def test_the_value_is_what_python_says(operands: list[Fraction], signs: str) -> None:
    signs = signs[: len(operands) - 1]
    names = {f"x{number}": operand for number, operand in enumerate(operands)}
    code = "x0" + "".join(f"{sign}x{number}" for number, sign in enumerate(signs, 1))
    expression = Expression(tuple(operands), signs)
    try:
        expected = eval(code, {}, names)
    except ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            expression.value()
    else:
        assert expression.value() == expected


@given(
    st.text(max_size=80)
    | st.text(alphabet="0123456789+-*/=.,점 일이삼십더하기빼를에ax", max_size=80),
    st.sampled_from(["ko", "en"]),
)
def test_no_text_breaks_it(text: str, language: str) -> None:
    found = parse(text, language)
    if found is not None:
        assert len(found.operands) == len(found.operators) + 1 > 1
        assert all(abs(operand) <= MAX_OPERAND for operand in found.operands)
