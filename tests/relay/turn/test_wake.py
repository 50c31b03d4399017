"""A doll that has heard its wake word. Virtual time."""

from __future__ import annotations

import asyncio

import pytest

from relay import locales
from relay.services import Services
from relay.turn.wake import ANSWER_S, Wake, written
from relay.wire.messages import Listen
from tests.fakes.connection import QUIET, FakeConnection
from tests.fakes.llm import FakeLanguageModel
from tests.fakes.session import talking

pytestmark = pytest.mark.virtual_time


def woken(doll: FakeConnection) -> None:
    """What a stock board sends: the sound of its word has come before, unasked for."""
    doll.say(Listen(state="detect", text="你好小智"))
    doll.say(Listen(state="start", mode="auto"))


def brain(services: Services) -> FakeLanguageModel:
    tail = services.brain.tail
    assert isinstance(tail, FakeLanguageModel)
    return tail


def test_it_answers_once_and_only_where_nobody_goes_on() -> None:
    wake = Wake()
    assert not wake.answers(5)
    wake.detected()
    assert not wake.answers(ANSWER_S / 2)
    assert wake.answers(ANSWER_S)
    assert not wake.answers(ANSWER_S)
    wake.detected()
    wake.over()
    assert not wake.answers(5)


async def test_what_is_written_is_in_the_language_of_its_letters() -> None:
    assert (await written("몇 시야", ("en", "ko"))).language == "ko"
    assert (await written("hello", ("ko", "en"))).language == "en"


async def test_who_calls_and_waits_hears_that_it_is_there(services: Services) -> None:
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.speak(2.0)  # the wake word itself, before `detect`: nobody's question
        woken(doll)
        await doll.speak(ANSWER_S + 0.1, QUIET)
        await doll.until_stop()
    assert doll.texts
    assert doll.texts[0] in locales.variants("ko", "called.here")
    assert not brain(services).requests


async def test_who_goes_on_in_one_breath_is_answered_and_not_interrupted(
    services: Services,
) -> None:
    doll = FakeConnection()
    async with talking(services, doll):
        woken(doll)
        await doll.speak(0.3, QUIET)
        await doll.speak(1.5)
        await doll.speak(2.0, QUIET)
        await doll.until_stop()
        await asyncio.sleep(1)
    assert len(doll.heard) == len(brain(services).requests) == 1
    assert not set(doll.texts) & set(locales.variants("ko", "called.here"))


async def test_without_a_wake_word_silence_is_silence(services: Services) -> None:
    doll = FakeConnection()
    async with talking(services, doll):
        doll.say(Listen(state="start", mode="auto"))
        await doll.speak(5.0, QUIET)
        assert not doll.sent


async def test_a_program_may_write_instead_of_speaking(services: Services) -> None:
    doll = FakeConnection()
    async with talking(services, doll):
        doll.say(Listen(state="start", mode="realtime"))
        doll.say(Listen(state="detect", text="오늘 기분이 어때?"))
        await doll.until_stop()
        assert doll.heard == ["오늘 기분이 어때?"]
        await doll.speak(3.0, QUIET)
    assert [request.text for request in brain(services).requests] == ["오늘 기분이 어때?"]
    assert doll.states.count("stop") == 1
