"""Turns on a brain that hears the utterance itself. Virtual time."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest

from relay import locales
from relay.llm.base import Heard
from relay.persona.quiet import QuietHours
from tests.fakes.cloud import CLOUD, SMALL, Cloud
from tests.fakes.connection import FakeConnection
from tests.fakes.session import talking

pytestmark = pytest.mark.virtual_time


async def ask(doll: FakeConnection, count: int = 1) -> None:
    await doll.ask()
    await doll.until_stop(count)


@pytest.fixture
def hearing(cloud: Cloud) -> Cloud:
    for model in cloud.models:
        model.heard = Heard("speech", "고양이 좋아해?", "ko")
    cloud.services.stt = None
    return cloud


async def test_a_brain_that_hears_needs_no_recogniser(hearing: Cloud) -> None:
    doll = FakeConnection()
    async with talking(hearing.services, doll):
        await ask(doll)
        await ask(doll, 2)
    assert doll.heard == ["고양이 좋아해?"] * 2
    assert doll.texts == [CLOUD] * 2
    assert len(hearing.models[0].utterances[0]) > 0
    assert hearing.quota.answers == ["lite", "lite"]


async def test_it_answers_in_the_language_that_it_heard(hearing: Cloud) -> None:
    hearing.models[0].heard = Heard("speech", "do you like cats?", "en")
    hearing.models[0].parts = ["Maybe."]
    doll = FakeConnection()
    async with talking(hearing.services, doll):
        await ask(doll)
    assert {call.language for call in hearing.services.tts.calls} == {"en"}


async def test_noise_gets_the_line_for_it_and_is_not_remembered(hearing: Cloud) -> None:
    hearing.models[0].heard = Heard("noise", "", "ko")
    doll = FakeConnection()
    async with talking(hearing.services, doll):
        await ask(doll)
    assert any(doll.texts[0] in line for line in locales.variants("ko", "failure.not_heard"))
    assert doll.heard == []


async def test_without_quota_the_embedded_ears_and_brain_take_over(hearing: Cloud) -> None:
    hearing.exhausted()
    doll = FakeConnection()
    async with talking(hearing.services, doll):
        await ask(doll)
    assert doll.heard == ["안녕"]
    assert doll.texts[-1] == SMALL


async def test_speech_without_words_is_no_call_in_the_quiet_hours(hearing: Cloud) -> None:
    """A brain may hear that somebody speaks, and not what: then nobody has called the doll."""
    hearing.models[0].heard = Heard("speech", "", "ko")
    at_night = QuietHours(time(0), time(23, 59, 59), called=True)
    hearing.services.persona = replace(hearing.services.persona, quiet=at_night)
    doll = FakeConnection()
    async with talking(hearing.services, doll):
        await ask(doll)
    assert doll.frames == []
