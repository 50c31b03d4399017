from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.fake_gemini.request import Asked
from tools.fake_gemini.talk import Talk

Asking = Callable[..., Asked]


@pytest.fixture
def talk() -> Talk:
    return Talk(Random(3))


@pytest.mark.parametrize(
    ("question", "system", "korean"),
    [
        ("안녕?", None, True),
        ("hello", None, False),
        ("hello", "규칙.\n상대가 한국어로 말했어. 한국어로 대답해.", True),
        ("안녕", "Rules.\nThey spoke English. Answer in English.", False),
        ("안녕", "규칙.\n상대가 영어로 말했어. 영어로 대답해.", False),
        ("hello", "규칙.\n영어로 말하면 좋지만,\n한국어로 대답해.", True),
    ],
)
def test_answers_in_the_language_that_is_asked_for(
    talk: Talk, asking: Asking, question: str, system: str | None, korean: bool
) -> None:
    fields = {"systemInstruction": {"parts": [{"text": system}]}} if system else {}
    for _ in range(20):
        said = talk.answer(asking(question, **fields)).replace(question, "")
        assert any("가" <= letter <= "힣" for letter in said) is korean


def test_never_says_the_same_twice_in_a_row(talk: Talk, asking: Asking) -> None:
    said = [talk.answer(asking()) for _ in range(100)]
    assert all(one != other for one, other in pairwise(said))
    assert len(set(said)) > 5


def test_a_question_that_is_only_heard_is_answered_in_the_language_of_the_prompt(
    talk: Talk, asking: Asking
) -> None:
    for persona, korean in (
        ("너는 인형이야.\n들은 말로 대답해.", True),
        ("You are a doll.", False),
    ):
        asked = asking(systemInstruction={"parts": [{"text": persona}]})
        heard = replace(asked, turns=(replace(asked.turns[0], text=""),))
        assert any("가" <= letter <= "힣" for letter in talk.answer(heard)) is korean


@given(st.text(), st.integers())
def test_the_pieces_are_the_text(text: str, seed: int) -> None:
    pieces = list(Talk(Random(seed)).pieces(text))
    assert "".join(pieces) == text
    assert all(0 < len(piece) <= 12 for piece in pieces)


@pytest.mark.parametrize(
    ("question", "wished"),
    [("안녕", 0), ("오늘 뭐 했어?", 0), ("소리 좀 줄여 줘", 1), ("Turn the volume up!", 1)],
)
def test_does_something_only_when_it_is_told_to(
    talk: Talk, asking: Asking, question: str, wished: int
) -> None:
    action = {
        "type": "OBJECT",
        "properties": {
            "tool": {"type": "STRING", "enum": ["self.audio_speaker.set_volume"]},
            "volume": {"type": "INTEGER", "minimum": 0, "maximum": 100},
        },
        "required": ["tool"],
    }
    fields = {"reply": {"type": "STRING"}, "actions": {"type": "ARRAY", "items": action}}
    schema = {"type": "OBJECT", "properties": fields}
    config = {"responseMimeType": "application/json", "responseSchema": schema}
    for _ in range(20):
        said = json.loads(talk.answer(asking(question, generationConfig=config)))
        assert len(said["actions"]) == wished
