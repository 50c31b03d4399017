from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.llm.local import numbers_en


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (21, "twenty-one"),
        (100, "one hundred"),
        (101, "one hundred and one"),
        (1_000, "one thousand"),
        (1_001, "one thousand and one"),
        (1_100, "one thousand one hundred"),
        (123_456, "one hundred and twenty-three thousand four hundred and fifty-six"),
        (-5, "minus five"),
    ],
)
def test_spells_a_number(number: int, words: str) -> None:
    assert numbers_en.spell(number) == words


@pytest.mark.parametrize(
    ("number", "word"),
    [(1, "first"), (2, "second"), (3, "third"), (4, "fourth"), (5, "fifth"), (8, "eighth"),
     (9, "ninth"), (12, "twelfth"), (20, "twentieth"), (23, "twenty-third"), (30, "thirtieth")],
)  # fmt: skip
def test_spells_an_ordinal(number: int, word: str) -> None:
    assert numbers_en.spell_ordinal(number) == word


@given(st.integers(0, numbers_en.LIMIT - 1))
def test_what_was_spelled_is_read_back(number: int) -> None:
    words = numbers_en.spell(number).replace("-", " ").split()
    assert numbers_en.read(words) == (number, len(words))


@pytest.mark.parametrize(
    ("text", "number", "taken"),
    [
        ("a hundred plus", 100, 2),
        ("a thousand", 1000, 2),
        ("two hundred five", 205, 3),
        ("five and six", 5, 1),
        ("one hundred and", 100, 2),
        ("twenty one", 21, 2),
        ("five twenty", 5, 1),
        ("twenty twenty", 20, 1),
    ],
)
def test_reads_the_longest_number_at_the_beginning(text: str, number: int, taken: int) -> None:
    assert numbers_en.read(text.split()) == (number, taken)


@pytest.mark.parametrize("text", ["", "a cat", "and one", "hundred", "hello", "thousand"])
def test_reads_no_number_where_there_is_none(text: str) -> None:
    assert numbers_en.read(text.split()) is None


@given(
    st.lists(
        st.sampled_from(
            ["a", "and", "zero", "one", "nine", "ten", "twenty", "hundred", "thousand", "x"]
        ),
        max_size=12,
    )
)
def test_any_words_read_as_a_number_in_range_or_none(words: list[str]) -> None:
    read = numbers_en.read(words)
    assert read is None or (0 <= read[0] < numbers_en.LIMIT and 0 < read[1] <= len(words))
