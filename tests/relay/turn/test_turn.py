"""Turns on a brain of several models: what the doll hears, shows and remembers. Virtual time."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from relay import locales
from relay.errors import ErrorKind, ProviderError
from relay.llm.admission import Link
from relay.llm.base import Emotion, MemoryNote, Message
from relay.llm.chain import Chain
from relay.llm.policy import Trouble, said
from relay.quota.base import Later, NotToday, SupersededError
from relay.services import Services
from relay.wire.messages import Llm
from tests.fakes.cloud import CLOUD, SMALL, Cloud
from tests.fakes.connection import FakeConnection
from tests.fakes.metered import FakeMeteredModel
from tests.fakes.quota import ScriptedQuota
from tests.fakes.session import talking

pytestmark = pytest.mark.virtual_time


def faces(doll: FakeConnection) -> list[str]:
    return [sent.what.emotion for sent in doll.sent if isinstance(sent.what, Llm)]


def is_line(key: str, text: str) -> bool:
    """Whether a subtitle is (a clause of) a fixed line, whatever time it tells."""
    for line in locales.variants("ko", key):
        before, _, behind = line.partition("{when}")
        if text in line or (behind and (text.startswith(before) or text.endswith(behind))):
            return True
    return False


async def ask(doll: FakeConnection, count: int = 1) -> None:
    await doll.ask()
    await doll.until_stop(count)


async def test_a_feeling_is_shown_once_and_before_the_words(cloud: Cloud) -> None:
    cloud.models[0].parts = [Emotion("happy"), "왔구나, ", Emotion("angry"), "흥."]
    doll = FakeConnection()
    async with talking(cloud.services, doll):
        await ask(doll)
    assert faces(doll) == ["happy"]
    kinds = [type(sent.what) for sent in doll.sent]
    assert kinds.index(Llm) < kinds.index(np.ndarray)
    face = next(sent.what for sent in doll.sent if isinstance(sent.what, Llm))
    assert face.text == "🙂"


async def test_a_quick_turn_has_no_face_and_no_filler(cloud: Cloud) -> None:
    doll = FakeConnection()
    async with talking(cloud.services, doll):
        await ask(doll)
    assert faces(doll) == []
    assert doll.texts == [CLOUD]
    assert len(doll.frames) == 16  # half a second and no more


async def test_while_it_thinks_for_long_the_doll_makes_a_sound_and_a_face(cloud: Cloud) -> None:
    cloud.models[0].first_delay_s = 4.0
    doll = FakeConnection()
    async with talking(cloud.services, doll):
        await doll.ask()
        asked = asyncio.get_running_loop().time()
        await doll.until_stop()
    assert doll.frames[0].at - asked == pytest.approx(1.8, abs=0.1)
    assert faces(doll) == ["thinking", "neutral"]
    assert doll.states == ["start", "sentence_start", "stop"]
    assert doll.texts == [CLOUD]


async def test_a_known_wait_is_bridged_at_once(cloud: Cloud) -> None:
    cloud.quota.admissions = {"lite": Later(9.0), "older": Later(12.0)}
    doll = FakeConnection()
    async with talking(cloud.services, doll):
        await doll.ask()
        asked = asyncio.get_running_loop().time()
        await doll.until_stop()
    assert doll.frames[0].at - asked < 0.2
    assert doll.texts == [CLOUD]
    silences = [b.at - a.at for a, b in zip(doll.frames, doll.frames[1:], strict=False)]
    assert max(silences) < cloud.services.settings.turn.filler_again_s + 1.0


async def test_what_is_noted_about_the_owner_is_known_in_the_next_turn(cloud: Cloud) -> None:
    cloud.models[0].parts = ["기억해 둘게.", MemoryNote("진주는 고양이를 키운다.")]
    doll = FakeConnection()
    async with talking(cloud.services, doll):
        await ask(doll)
        await ask(doll, 2)
    first, second = cloud.models[0].requests
    assert first.notes == ()
    assert ["진주는 고양이를 키운다." in note for note in second.notes] == [True]


async def test_the_small_brain_says_once_that_it_is_one(cloud: Cloud) -> None:
    cloud.exhausted()
    doll = FakeConnection()
    async with talking(cloud.services, doll):
        await ask(doll)
        said_first = list(doll.texts)
        await ask(doll, 2)
    assert all(is_line("outage.quota", text) for text in said_first[:-1])
    assert len(said_first) > 1
    assert said_first[-1] == SMALL
    assert doll.texts[len(said_first) :] == [SMALL]
    # It is no part of the conversation.
    assert cloud.tail.requests[1].history[-1] == Message("assistant", SMALL)


@pytest.mark.parametrize("trouble", [t for t in Trouble if t is not Trouble.BLOCKED])
async def test_whatever_fails_the_small_brain_answers_and_says_why(
    cloud: Cloud, trouble: Trouble
) -> None:
    from tests.relay.llm.test_chain import ERRORS

    cloud.fails(ERRORS[trouble])
    if trouble is Trouble.QUOTA:
        cloud.quota.after_refusal = NotToday(None)
    doll = FakeConnection()
    async with talking(cloud.services, doll):
        await ask(doll)
    assert is_line(said(trouble), doll.texts[0])
    assert doll.texts[-1] == SMALL
    assert doll.states[-1] == "stop"


async def test_what_is_blocked_is_turned_down_in_character(cloud: Cloud) -> None:
    cloud.fails(ProviderError(ErrorKind.BLOCKED, "SAFETY"))
    doll = FakeConnection()
    async with talking(cloud.services, doll):
        await ask(doll)
        cloud.fails(None)
        await ask(doll, 2)
    assert is_line("failure.blocked", doll.texts[0])
    assert cloud.tail.requests == []
    assert cloud.models[0].requests[1].history == ()


async def test_with_no_brain_left_the_doll_says_when_to_come_back(services: Services) -> None:
    quota = ScriptedQuota(lite=Later(600.0))
    services.brain = Chain([Link(FakeMeteredModel("lite"), quota)])
    doll = FakeConnection()
    async with talking(services, doll):
        await ask(doll)
    assert "십 분쯤 뒤에" in " ".join(doll.texts)
    assert is_line("back.rate", " ".join(doll.texts))


async def test_an_answer_without_a_word_is_a_failure_that_is_heard(cloud: Cloud) -> None:
    cloud.models[0].parts = ["🙂", " 🎉"]
    doll = FakeConnection()
    async with talking(cloud.services, doll):
        await ask(doll)
    assert is_line("failure.server", doll.texts[0])
    assert doll.frames


async def test_a_question_that_was_overtaken_ends_without_a_word(cloud: Cloud) -> None:
    cloud.quota.error = SupersededError()
    doll = FakeConnection()
    async with talking(cloud.services, doll):
        await ask(doll)
    assert doll.states == ["start", "stop"]
    assert doll.frames == []


async def test_an_interrupted_wait_gives_its_place_back_and_is_silent(cloud: Cloud) -> None:
    from relay.wire.messages import Abort

    cloud.quota.admissions = {"lite": Later(9.0), "older": Later(12.0)}
    doll = FakeConnection()
    async with talking(cloud.services, doll):
        await doll.ask()
        await asyncio.sleep(3.0)
        assert cloud.quota.open_places == 1
        doll.say(Abort())
        await doll.until_stop()
        aborted = asyncio.get_running_loop().time()
        assert cloud.quota.open_places == 0
        await asyncio.sleep(30)
    assert cloud.quota.granted == []
    assert all(frame.at <= aborted for frame in doll.frames)
