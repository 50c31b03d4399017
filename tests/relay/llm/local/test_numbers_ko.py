from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.llm.local import numbers_ko


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (0, "영"),
        (7, "칠"),
        (10, "십"),
        (11, "십일"),
        (20, "이십"),
        (100, "백"),
        (110, "백십"),
        (1000, "천"),
        (10_000, "만"),
        (10_001, "만 일"),
        (15_000, "만 오천"),
        (110_000, "십일만"),
        (123_456, "십이만 삼천사백오십육"),
        (100_000_000, "일억"),
        (100_010_000, "일억 만"),
        (3_000_000_000_000, "삼조"),
        (-12, "마이너스 십이"),
    ],
)
def test_spells_as_it_is_calculated_with(number: int, word: str) -> None:
    assert numbers_ko.spell(number) == word


@pytest.mark.parametrize(
    ("number", "word", "before_noun"),
    [
        (1, "하나", "한"),
        (3, "셋", "세"),
        (10, "열", "열"),
        (12, "열둘", "열두"),
        (20, "스물", "스무"),
        (21, "스물하나", "스물한"),
        (25, "스물다섯", "스물다섯"),
        (99, "아흔아홉", "아흔아홉"),
    ],
)
def test_spells_as_things_are_counted(number: int, word: str, before_noun: str) -> None:
    assert numbers_ko.spell_native(number) == word
    assert numbers_ko.spell_before_noun(number) == before_noun


@given(st.integers(0, numbers_ko.LIMIT - 1))
def test_what_was_spelled_is_read_back(number: int) -> None:
    word = numbers_ko.spell(number).replace(" ", "")
    assert numbers_ko.read(word) == (number, len(word))


@given(st.integers(1, 99))
def test_native_words_are_read_back(number: int) -> None:
    for word in (numbers_ko.spell_native(number), numbers_ko.spell_before_noun(number)):
        assert numbers_ko.read(word) == (number, len(word))


@given(st.integers(1, 9), st.integers(1, 99))
def test_hundreds_with_a_native_tail_are_read(hundreds: int, rest: int) -> None:
    word = numbers_ko.spell(hundreds * 100) + numbers_ko.spell_native(rest)
    assert numbers_ko.read(word) == (hundreds * 100 + rest, len(word))


@pytest.mark.parametrize(
    ("text", "number", "length"),
    [
        ("칠이랑", 7, 1),  # 이랑 is a particle
        ("오는", 5, 1),
        ("3만5천원", 35_000, 4),
        ("1234", 1234, 4),
        ("백3", 103, 2),
        ("일만", 10_000, 2),
        ("만", 10_000, 1),
        ("공", 0, 1),
    ],
)
def test_reads_the_longest_number_at_the_beginning(text: str, number: int, length: int) -> None:
    assert numbers_ko.read(text) == (number, length)


@pytest.mark.parametrize("text", ["", "더하기", "안녕", "나", "년"])
def test_reads_no_number_where_there_is_none(text: str) -> None:
    assert numbers_ko.read(text) is None


@given(st.text(alphabet="영일이삼십백천만억조하나둘셋열스물한두0123456789 가", max_size=60))
def test_any_text_reads_as_a_number_in_range_or_none(text: str) -> None:
    read = numbers_ko.read(text)
    assert read is None or (0 <= read[0] < numbers_ko.LIMIT and 0 < read[1] <= len(text))


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        numbers_ko.spell(numbers_ko.LIMIT)
    with pytest.raises(ValueError, match="native"):
        numbers_ko.spell_native(100)
