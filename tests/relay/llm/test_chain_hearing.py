"""A chain whose models hear the utterance themselves."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace

import numpy as np
import pytest

from relay.audio import RATE_HZ
from relay.errors import ErrorKind, ProviderError
from relay.llm.admission import Link
from relay.llm.base import Heard
from relay.llm.chain import LOCAL, Chain
from relay.llm.events import Answering, Event
from relay.quota.base import NotToday
from tests.fakes.llm import FakeLanguageModel
from tests.fakes.metered import FakeMeteredModel
from tests.fakes.quota import ScriptedQuota
from tests.fakes.stt import FakeSpeechToText
from tests.relay.llm.contract import request

pytestmark = pytest.mark.virtual_time

UTTERANCE = np.full(RATE_HZ, 8_000, np.int16)
HEARD = Heard("speech", "고양이 좋아해?", "ko")
REQUEST = replace(request(""), text="")


class Brain:
    """Two models that hear, one that only reads, an embedded recogniser and the small brain."""

    def __init__(self, *, ears: bool = True) -> None:
        self.quota = ScriptedQuota()
        self.models = [
            FakeMeteredModel("lite", heard=HEARD),
            FakeMeteredModel("older", heard=HEARD),
            FakeMeteredModel("reader"),
        ]
        self.tail = FakeLanguageModel(["작은 머리야."])
        self.ears = FakeSpeechToText("고양이 좋아하니")
        links = [Link(model, self.quota, "gemini") for model in self.models]
        self.chain = Chain(links, tail=self.tail, ears=self.ears if ears else None)

    async def ask(self) -> list[Event]:
        answer = self.chain.answer(REQUEST, doll="doll-1", utterance=UTTERANCE)
        async with aclosing(answer):
            events = [event async for event in answer]
        assert self.quota.open_places == 0
        return events


async def test_one_request_hears_and_answers() -> None:
    brain = Brain()
    events = await brain.ask()
    assert events[0] == HEARD
    assert isinstance(events[1], Answering)
    assert "".join(event for event in events if isinstance(event, str)) == "구름 위에서 대답해."
    assert len(brain.quota.granted) == 1
    assert brain.ears.calls == []


async def test_noise_is_no_question_and_no_failure() -> None:
    brain = Brain()
    brain.models[0].heard = Heard("noise", "", "ko")
    assert await brain.ask() == [Heard("noise", "", "ko")]
    assert brain.quota.answers == ["lite"]
    assert brain.tail.requests == []


async def test_another_model_hears_when_the_first_fails_before_it_has() -> None:
    brain = Brain()
    brain.models[0].error = ProviderError(ErrorKind.SERVER, "503")
    events = await brain.ask()
    assert events[0] == HEARD
    assert len(brain.models[1].utterances) == 1


async def test_what_was_heard_is_not_heard_again() -> None:
    brain = Brain()
    brain.models[0].error, brain.models[0].error_after = ProviderError(ErrorKind.SERVER, "cut"), 1
    events = await brain.ask()
    assert [event for event in events if isinstance(event, Heard)] == [HEARD]
    assert brain.models[1].utterances == []
    assert brain.models[1].requests[0].text == HEARD.text
    assert brain.models[1].requests[0].language == HEARD.language


async def test_without_a_model_that_may_hear_the_embedded_ears_do() -> None:
    brain = Brain()
    brain.quota.admissions = {name: NotToday(None) for name in ("lite", "older", "reader")}
    events = await brain.ask()
    assert events[0] == Heard("speech", "고양이 좋아하니", "ko")
    assert isinstance(events[1], Answering)
    assert events[1].model == LOCAL
    assert events[2:] == ["작은 머리야."]
    assert brain.tail.requests[0].text == "고양이 좋아하니"
    assert brain.quota.asked.count("lite") == 1


async def test_a_model_that_only_reads_answers_what_the_embedded_ears_heard() -> None:
    brain = Brain()
    brain.quota.admissions = {name: NotToday(None) for name in ("lite", "older")}
    await brain.ask()
    assert brain.models[2].requests[0].text == "고양이 좋아하니"
    assert brain.tail.requests == []


async def test_silence_to_the_embedded_ears_ends_the_turn() -> None:
    brain = Brain()
    brain.quota.admissions = {name: NotToday(None) for name in ("lite", "older")}
    brain.ears.text = ""
    assert await brain.ask() == [Heard("none", "", "ko")]


async def test_without_any_ears_it_says_that_nobody_could_be_asked() -> None:
    brain = Brain(ears=False)
    brain.quota.admissions = {
        name: NotToday(REQUEST.now.timestamp() + 90) for name in ("lite", "older")
    }
    with pytest.raises(ProviderError) as caught:
        await brain.ask()
    assert caught.value.kind is ErrorKind.QUOTA
    assert caught.value.retry_after_s == pytest.approx(90)
