from __future__ import annotations

from dataclasses import replace

import pytest

from relay.llm.base import Emotion, MemoryNote, Request
from relay.llm.local import LocalLanguageModel
from relay.llm.local.notes import note
from relay.persona import load
from tests.relay.llm.contract import parts, request

BRAIN = LocalLanguageModel()


def ask(text: str, language: str = "ko") -> Request:
    persona = load("chacha" if language == "ko" else "chacha-en")
    return replace(request(text, language), persona=persona)


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ("내 생일은 3월 2일이야", "진주의 생일은 3월 2일이다."),
        ("있잖아 내 생일은 삼월 이일이야.", "진주의 생일은 삼월 이일이다."),
        ("내 이름은 민수야", "진주의 이름은 민수이다."),
        ("제 이름은 수진이에요", "진주의 이름은 수진이다."),
        ("나 올해 열두 살이야", "진주는 열두 살이다."),
        ("나는 열두살이야", "진주는 열두 살이다."),
        ("나는 딸기를 제일 좋아해", "진주는 딸기를 좋아한다."),
        ("나 떡볶이 진짜 좋아해", "진주는 떡볶이를 좋아한다."),
        ("난 당근이 싫어", "진주는 당근을 싫어한다."),
        ("내가 제일 좋아하는 색은 파란색이야", "진주가 가장 좋아하는 색은 파란색이다."),
        ("금요일에 수학 시험 있어", "진주는 2026년 11월 27일에 수학 시험이 있다."),
        ("나 내일 발표가 있어", "진주는 2026년 11월 24일에 발표가 있다."),
        ("나는 부산에 살아", "진주는 부산에 산다."),
        ("우리는 고양이 두 마리 키워", "진주는 고양이를 키운다."),
        ("우리 강아지 이름은 콩이야", "진주의 강아지 이름은 콩이다."),
        ("내 생일이 언제야?", ""),
        ("내 이름은 뭐야", ""),
        ("나 뭐 좋아하는지 알아", ""),
        ("넌 딸기를 좋아해", ""),
        ("금요일에 시험 있어?", ""),
        ("오늘 날씨 좋다", ""),
        ("안녕", ""),
    ],
)
def test_what_is_stated_in_korean_is_noted(said: str, fact: str) -> None:
    assert note(ask(said), "ko") == fact


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ("My birthday is March second.", "Jinju's birthday is March second."),
        ("my birthday's on the 2nd of March", "Jinju's birthday is the 2nd of March."),
        ("My name is Minsu", "Jinju's name is Minsu."),
        ("I'm twelve years old", "Jinju is twelve years old."),
        ("I really love strawberries!", "Jinju likes strawberries."),
        ("I don't like carrots.", "Jinju dislikes carrots."),
        ("My favorite color is blue", "Jinju's favourite color is blue."),
        ("I have a math exam on Friday", "Jinju has the math exam on 2026-11-27."),
        ("I've got an interview tomorrow", "Jinju has the interview on 2026-11-24."),
        ("we live in Busan", "Jinju lives in Busan."),
        ("I have a cat", "Jinju has a cat."),
        ("my dog is called Kong", "Jinju's dog is called Kong."),
        ("When is my birthday", ""),
        ("Do you know that I like tea", ""),
        ("I love you", ""),
        ("I like it", ""),
        ("hello there", ""),
    ],
)
def test_what_is_stated_in_english_is_noted(said: str, fact: str) -> None:
    assert note(ask(said, "en"), "en") == fact


async def test_a_fact_is_answered_and_comes_behind_the_words() -> None:
    read = await parts(BRAIN, ask("내 생일은 3월 2일이야"))
    assert read[0] == Emotion("happy")
    assert read[-1] == MemoryNote("진주의 생일은 3월 2일이다.")
    spoken = "".join(part for part in read if isinstance(part, str))
    assert "작은 머리" not in spoken  # it was understood


async def test_danger_is_nothing_to_note() -> None:
    read = await parts(BRAIN, ask("나는 학교를 싫어해 죽고 싶어"))
    assert not any(isinstance(part, MemoryNote) for part in read)


def test_a_long_tale_is_not_searched() -> None:
    assert note(ask("음 그러니까 " * 20 + "내 생일은 3월 2일이야"), "ko") == ""
