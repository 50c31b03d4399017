from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.llm.base import Emotion, Part
from relay.llm.emotions import NAMES
from relay.llm.plain import PlainAnswer


def read(*pieces: str) -> list[Part]:
    reader = PlainAnswer()
    return [part for piece in pieces for part in reader.push(piece)] + reader.finish()


@pytest.mark.parametrize(
    ("pieces", "parts"),
    [
        (["안녕! ", "왔어?"], ["안녕! ", "왔어?"]),
        (["\n ", "안녕"], ["안녕"]),
        (["😆 안녕"], [Emotion("laughing"), "안녕"]),
        (["😆", " ", "안녕"], [Emotion("laughing"), "안녕"]),
        (["❤\ufe0f", " 안녕"], [Emotion("loving"), "안녕"]),
        (["🚀 안녕"], ["🚀 안녕"]),
        (["안녕 😆"], ["안녕 😆"]),
        (["😆"], [Emotion("laughing")]),
        (["<think>음\n음</think>\n\n안녕"], ["안녕"]),
        (["<thi", "nk>음</th", "ink>", "😔 안", "녕"], [Emotion("sad"), "안", "녕"]),
        (["<think>음"], []),
        (["<", "b"], ["<b"]),
        (["<"], ["<"]),
        (["", "  "], []),
    ],
)
def test_what_stands_before_the_words_is_not_spoken(pieces: list[str], parts: list[Part]) -> None:
    assert read(*pieces) == parts


@pytest.mark.parametrize("name", NAMES)
def test_each_face_of_the_protocol_is_its_emotion(name: str) -> None:
    assert read(f"{NAMES[name]} 응") == [Emotion(name), "응"]


@given(st.lists(st.text(max_size=20), max_size=10))
def test_of_words_nothing_is_lost(pieces: list[str]) -> None:
    text = "말: " + "".join(pieces)
    assert "".join(map(str, read("말: ", *pieces))) == text
