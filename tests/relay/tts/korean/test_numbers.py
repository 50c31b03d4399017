"""Numbers are read as Koreans read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.tts.korean.numbers import decimal, in_a_row, native, sino


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "영"),
        (1, "일"),
        (10, "십"),
        (11, "십일"),
        (110, "백십"),
        (1004, "천사"),
        (2026, "이천이십육"),
        (10_000, "만"),
        (11_111, "만 천백십일"),
        (20_000, "이만"),
        (110_000, "십일만"),
        (12_345_678, "천이백삼십사만 오천육백칠십팔"),
        (100_000_000, "일억"),
        (100_010_000, "일억 일만"),
        (10**12, "일조"),
        (10**20, "일" + "공" * 20),
    ],
)
def test_sino_korean(number: int, words: str) -> None:
    assert sino(number) == words


@pytest.mark.parametrize(
    ("number", "counting", "alone"),
    [
        (1, "한", "하나"),
        (2, "두", "둘"),
        (3, "세", "셋"),
        (4, "네", "넷"),
        (5, "다섯", "다섯"),
        (10, "열", "열"),
        (11, "열한", "열하나"),
        (20, "스무", "스물"),
        (21, "스물한", "스물하나"),
        (99, "아흔아홉", "아흔아홉"),
        (100, "백", "백"),
        (105, "백다섯", "백다섯"),
        (0, "영", "영"),
    ],
)
def test_native(number: int, counting: str, alone: str) -> None:
    assert native(number, counting=True) == counting
    assert native(number, counting=False) == alone


def test_digits_in_a_row_say_gong_and_fractions_say_yeong() -> None:
    assert in_a_row("010") == "공일공"
    assert decimal("3", "14") == "삼 점 일사"
    assert decimal("0", "05") == "영 점 영오"


VALUES = dict(zip("일이삼사오육칠팔구", range(1, 10), strict=True))
PLACES = {"십": 10, "백": 100, "천": 1000}
MYRIADS = {"만": 10**4, "억": 10**8, "조": 10**12, "경": 10**16}


def value(words: str) -> int:
    """Read the words back, in another way than they were made."""
    total = group = digit = 0
    for character in words.replace(" ", ""):
        if character in VALUES:
            digit = VALUES[character]
        elif character in PLACES:
            group, digit = group + (digit or 1) * PLACES[character], 0
        elif character in MYRIADS:
            total, group, digit = total + ((group + digit) or 1) * MYRIADS[character], 0, 0
    return total + group + digit


@given(st.integers(0, 10**20 - 1))
def test_every_number_can_be_read_back(number: int) -> None:
    assert value(sino(number)) == number
