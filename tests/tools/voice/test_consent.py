from __future__ import annotations

import pytest

from tools.voice.consent import agrees

SENTENCE = "나, 진주, 내 목소리를 본떠 이 인형이 말하는 데 동의합니다"


@pytest.mark.parametrize(
    "typed",
    [
        SENTENCE,
        "나 진주 내 목소리를 본떠 이 인형이 말하는데 동의합니다.",  # marks and spaces are not meant
        f"  {SENTENCE}!",
    ],
)
def test_the_sentence_is_consent(typed: str) -> None:
    assert agrees(typed, SENTENCE)


@pytest.mark.parametrize(
    "typed",
    ["", "네", "동의합니다", SENTENCE.replace("진주", "민수"), SENTENCE.replace("동의", "반대")],
)
def test_anything_else_is_not(typed: str) -> None:
    assert not agrees(typed, SENTENCE)


def test_nothing_agrees_with_nothing() -> None:
    assert not agrees("", "")
    assert not agrees("…", "!")
