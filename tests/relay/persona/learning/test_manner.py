from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from relay.llm.base import Message, Request
from relay.llm.dialogue import system_prompt
from relay.llm.nearby import with_near
from relay.persona import load
from relay.persona.base import Exchange
from relay.persona.learning.index import Index
from relay.persona.learning.manner import LearnedManner
from relay.persona.learning.style import Style

PAIRS = (
    Exchange("시험 망쳤어", "그럴 줄 알았으면 같이 볼걸."),
    Exchange("시험 또 망쳤어", "그럴 줄 알았으면 같이 볼걸."),
    Exchange("시험 다 망쳤다니까", "{owner}, 울지 말고 말해."),
    Exchange("비 온다", "우산 챙겨."),
)
MANNER = LearnedManner(
    "차차", Style(40, 9, "casual"), PAIRS[3:], PAIRS, Index.of([pair.heard for pair in PAIRS])
)
NOW = datetime(2026, 11, 23, 15, 20, tzinfo=UTC)


def asked(text: str, *history: Message) -> Request:
    persona = replace(load("chacha"), manner=MANNER)
    return Request(persona, history, text, "ko", NOW)


def test_the_nearest_comes_last_and_no_answer_twice() -> None:
    near = MANNER.nearest("나 시험 또 다 망쳤다니까")
    assert [exchange.said for exchange in near] == [PAIRS[0].said, PAIRS[2].said]


def test_what_every_prompt_shows_anyway_is_not_looked_up() -> None:
    assert MANNER.nearest("비 온다") == ()


def test_personas_are_the_same_only_with_the_same_manner() -> None:
    again = LearnedManner("차차", MANNER.style, (), PAIRS, Index.of([x.heard for x in PAIRS]))
    persona = replace(load("chacha"), manner=MANNER)
    assert persona == replace(load("chacha"), manner=MANNER)
    assert persona != replace(persona, manner=again)
    assert persona != load("chacha")


async def test_a_prompt_has_the_style_the_examples_and_what_is_near() -> None:
    text = system_prompt(await with_near(asked("나 시험 다 망쳤다니까")))
    assert "반말(해체)을 쓴다." in text
    assert "차차: 우산 챙겨." in text.partition("<chats>")[0]
    assert "차차: 진주, 울지 말고 말해." in text.partition("<chats>")[2]


async def test_a_model_that_hears_is_shown_what_is_near_to_what_was_said_before() -> None:
    request = await with_near(asked("", Message("user", "시험 망쳤어"), Message("assistant", "왜")))
    assert request.near
    assert (await with_near(asked(""))).near == ()


async def test_a_persona_that_learned_nothing_is_left_as_it_is() -> None:
    request = replace(asked("시험 망쳤어"), persona=load("chacha"))
    assert await with_near(request) is request
