from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.llm.base import Emotion, LanguageModel, Message, Request
from relay.llm.local import LocalLanguageModel
from relay.llm.local.content import Content, Intent, content
from relay.llm.local.matching import Matcher
from relay.persona import load
from tests.relay.llm.contract import LanguageModelContract, collect, parts, request

BRAIN = LocalLanguageModel()
CHACHA = load("chacha")


class TestLocal(LanguageModelContract):
    @pytest.fixture
    async def model(self) -> AsyncIterator[LanguageModel]:
        model = LocalLanguageModel()
        yield model
        await model.close()


def ask(text: str, language: str = "ko", *history: str) -> Request:
    return replace(request(text, language, *history), persona=CHACHA)


def answer(text: str, language: str = "ko", *history: str) -> str:
    return BRAIN.answer(ask(text, language, *history))


async def test_an_index_is_made_once_when_its_language_is_first_asked_for_and_in_a_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[tuple[str, bool]] = []

    def make(known: Content) -> Matcher[Intent]:
        made.append((known.language, threading.current_thread() is threading.main_thread()))
        return Matcher(known)

    monkeypatch.setattr("relay.llm.local.model.Matcher", make)
    brain = LocalLanguageModel()
    assert made == []
    await asyncio.gather(*(collect(brain, ask("안녕?")) for _ in range(8)))
    assert made == [("ko", False)]


async def test_what_is_streamed_is_the_answer() -> None:
    asked = ask("이야기 해 줘")
    assert "".join(await collect(BRAIN, asked)) == BRAIN.answer(asked)


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("고마워", "embarrassed"),
        ("지금 몇 시야?", "neutral"),
        ("칠 더하기 오는?", "confident"),
        ("프랑스 수도가 어디야?", "confused"),
        ("나 죽고 싶어", "sad"),
    ],
)
async def test_an_answer_begins_with_its_emotion(text: str, emotion: str) -> None:
    answer = await parts(BRAIN, ask(text))
    assert answer[0] == Emotion(emotion)
    assert all(isinstance(part, str) for part in answer[1:])


@pytest.mark.parametrize(
    ("text", "language", "part"),
    [
        ("네 이름이 뭐야?", "ko", "차차"),
        ("What's your name?", "en", "ChaCha"),
        ("내 이름이 뭐야?", "ko", "진주"),
        ("Who am I?", "en", "Jinju"),
        ("지금 몇 시야?", "ko", "오후 세 시 이십 분"),
        ("What time is it?", "en", "hree twenty in the afternoon"),
        ("오늘 며칠이야?", "ko", "십일월 이십삼일 월요일"),
        ("What day is it today?", "en", "Monday"),
        ("칠 더하기 오는?", "ko", "십이"),
        ("What is twelve divided by four?", "en", "hree"),
        ("나 죽고 싶어", "ko", "109"),
        ("I want to die", "en", "crisis line"),
        ("제미나이 어떻게 연결해?", "ko", "구글 AI 스튜디오"),
        ("오 나누기 영은?", "ko", "영으로"),
    ],
)
def test_answers_in_character(text: str, language: str, part: str) -> None:
    assert part in answer(text, language)


@pytest.mark.parametrize(
    ("text", "told", "korean"),
    [
        ("안녕", "en", True),  # the recogniser named the wrong language
        ("hello", "ko", False),
        ("C++ 좋아해?", "en", True),
        ("7+5=", "ko", True),
        ("7+5=", "en", False),
        ("…", "ja", True),  # then the persona's first language
    ],
)
def test_the_script_decides_the_language(text: str, told: str, korean: bool) -> None:
    said = answer(text, told)
    assert any("가" <= char <= "힣" for char in said) is korean


@pytest.mark.parametrize(
    ("text", "language"), [("프랑스 수도가 어디야?", "ko"), ("who was napoleon", "en"), ("", "ko")]
)
def test_says_so_when_it_did_not_understand(text: str, language: str) -> None:
    assert answer(text, language) in content(language).fallback.replies


def test_danger_comes_before_everything_else() -> None:
    assert "109" in answer("칠 더하기 오는 모르겠고 그냥 죽고 싶어")


def test_one_more_is_another_of_what_was_done() -> None:
    stories = content("ko").intents["story"].replies
    first = answer("이야기 해 줘")
    second = answer("하나 더", "ko", "이야기 해 줘", first)
    third = answer("또 해 줘", "ko", "이야기 해 줘", first, "하나 더", second[:40])
    assert len({first, second, third} & set(stories)) == 3


def test_one_more_of_nothing_is_a_question() -> None:
    assert answer("하나 더") in content("ko").intents["again"].replies


def test_says_again_what_it_said() -> None:
    assert answer("다시 말해 줘", "ko", "안녕", "왔어? 흥.") == "왔어? 흥."
    assert answer("다시 말해 줘") in content("ko").intents["repeat"].replies


def test_a_doll_without_an_owner_does_not_name_one() -> None:
    nobody = replace(CHACHA, owner="", names={})
    said = set()
    for number in range(40):
        for text in ("안녕", "너는 누구야", "내 이름이 뭐야"):
            history = (Message("user", str(number)),) * number
            asked = replace(ask(text), persona=nobody, history=history)
            said.add(BRAIN.answer(asked))
    assert not any("진주" in line and "좋아" not in line for line in said)
    assert not any("{" in line or line.startswith(",") for line in said)


def test_particles_follow_the_name() -> None:
    mong = replace(CHACHA, name="몽", names={})
    said = {
        BRAIN.answer(
            replace(ask("네 이름이 뭐야"), persona=mong, history=(Message("user", "응"),) * n)
        )
        for n in range(20)
    }
    assert any("몽이야" in line for line in said)
    assert any("몽이라고" in line for line in said)


def test_a_doll_does_not_say_the_same_twice_in_a_row() -> None:
    history: tuple[str, ...] = ()
    for text in (
        "안녕",
        "안녕",
        "안녕",
        "양자역학 설명해 줘",
        "양자역학 설명해 줘",
        "칠 더하기 오",
        "칠 더하기 오",
    ):
        said = answer(text, "ko", *history)
        assert said != (history[-1] if history else "")
        history = (*history, text, said)


@given(st.text(max_size=200), st.sampled_from(["ko", "en", "ja", ""]))
def test_whatever_is_heard_there_is_an_answer(text: str, language: str) -> None:
    said = answer(text, language)
    assert said.strip()
    assert "{" not in said
