"""Answers by fields, what models lack, and the permission for each request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest

from relay.devices.tools import Parameter, Tool
from relay.errors import ErrorKind, ProviderError
from relay.gemini_server import GeminiServer
from relay.llm.base import Action, Emotion, MemoryNote
from relay.llm.emotions import NAMES
from relay.llm.gemini import GeminiModel
from relay.llm.gemini_capabilities import Capabilities
from relay.llm.meter import Usage
from tests.fakes import gemini as fakes
from tests.fakes.gemini import FakeGemini, serving_gemini
from tests.relay.llm.contract import PATIENT, Ledger, collect, failure, parts, request
from tools.fake_gemini.http import Reply, Step

LITE = "gemini-3.5-flash-lite"

VOLUME = Tool(
    "self.audio_speaker.set_volume", "", (Parameter("volume", "integer", minimum=0, maximum=100),)
)


@pytest.fixture
async def server() -> AsyncIterator[FakeGemini]:
    async with serving_gemini() as server:
        yield server


@asynccontextmanager
async def gemini(
    server: FakeGemini, model: str = LITE, **options: object
) -> AsyncIterator[GeminiModel]:
    options.setdefault("deadlines", PATIENT)
    brain = GeminiModel(GeminiServer(fakes.KEY, server.url), model, **options)  # type: ignore[arg-type]
    try:
        yield brain
    finally:
        await brain.close()


def fields(text: str, size: int = 5) -> Reply:
    return fakes.answer(*(text[at : at + size] for at in range(0, len(text), size)))


async def test_an_answer_is_a_feeling_words_and_perhaps_a_note(server: FakeGemini) -> None:
    note = "진주는 사과를 좋아한다."
    said = {"emotion": "embarrassed", "reply": "왔어? 흥.", "memory_note": note}
    server.play(fields(json.dumps(said)))
    async with gemini(server) as model:
        answer = await parts(model, request())
    assert answer[0] == Emotion("embarrassed")
    assert answer[-1] == MemoryNote(note)
    assert "".join(part for part in answer if isinstance(part, str)) == "왔어? 흥."


async def test_words_are_passed_on_before_the_answer_is_whole(server: FakeGemini) -> None:
    server.play(fakes.answer('{"emotion":"sad","reply":"옛날 ', then=Step.HANG))
    async with gemini(server) as model, aclosing(model.reply(request())) as answer:
        assert [await anext(answer), await anext(answer)] == [Emotion("sad"), "옛날 "]


async def test_asks_for_fields_in_their_order_and_describes_them(server: FakeGemini) -> None:
    async with gemini(server, temperature=0.8, max_output_tokens=300) as model:
        await collect(model, request())
    generation = server.last["generationConfig"]
    assert generation["responseMimeType"] == "application/json"
    schema = generation["responseSchema"]
    assert list(schema["properties"]) == ["emotion", "reply", "memory_note"]
    assert schema["properties"]["emotion"]["enum"] == list(NAMES)
    assert (generation["temperature"], generation["maxOutputTokens"]) == (0.8, 300)
    assert "memory_note" in server.last["systemInstruction"]["parts"][0]["text"]


async def test_what_the_doll_can_do_is_wished_for_in_the_same_request(server: FakeGemini) -> None:
    wish = {"tool": VOLUME.name, "volume": 40}
    said = {"emotion": "happy", "reply": "알았어.", "memory_note": "", "actions": [wish]}
    server.play(fields(json.dumps(said)))
    async with gemini(server) as model:
        answer = await parts(model, replace(request(), tools=(VOLUME,)))
    assert answer[-1] == Action(VOLUME.name, {"volume": 40})
    assert len(server.asked) == 1
    wanted = server.last["generationConfig"]["responseSchema"]["properties"]["actions"]
    assert wanted["type"] == "ARRAY"
    assert wanted["items"]["required"] == ["tool"]
    assert wanted["items"]["properties"]["tool"]["enum"] == [VOLUME.name]
    assert wanted["items"]["properties"]["volume"] == {
        "type": "INTEGER",
        "minimum": 0.0,
        "maximum": 100.0,
    }
    assert VOLUME.name in server.last["systemInstruction"]["parts"][0]["text"]


@pytest.mark.parametrize(
    ("safety", "threshold"),
    [
        ("low", "BLOCK_LOW_AND_ABOVE"),
        ("medium", "BLOCK_MEDIUM_AND_ABOVE"),
        ("high", "BLOCK_ONLY_HIGH"),
        ("off", "OFF"),
    ],
)
async def test_the_safety_setting_is_sent_for_each_category(
    server: FakeGemini, safety: str, threshold: str
) -> None:
    async with gemini(server, safety=safety) as model:
        await collect(model, request())
    sent = server.last["safetySettings"]
    assert len({setting["category"] for setting in sent}) == 4
    assert {setting["threshold"] for setting in sent} == {threshold}


async def test_json_without_words_is_a_failure(server: FakeGemini) -> None:
    server.play(fields('{"emotion":"happy","reply":"","memory_note":""}'))
    async with gemini(server) as model:
        error = await failure(model)
    assert error.kind is ErrorKind.SERVER
    assert "no words" in error.message


async def test_an_answer_cut_off_at_its_limit_is_spoken(server: FakeGemini) -> None:
    server.play(fakes.answer('{"emotion":"happy","reply":"아주 길', finish="MAX_TOKENS"))
    async with gemini(server) as model:
        assert await collect(model, request()) == ["아주 길"]


async def test_each_lack_of_a_model_is_learned_in_the_same_turn_by_a_permitted_request(
    server: FakeGemini,
) -> None:
    meter = Ledger(server.journal)
    async with gemini(server, "gemma-3-27b-it", known=Capabilities()) as model:
        assert [part async for part in model.reply(request("안녕?"), meter)]
        sent = len(server.journal.requests)
        assert sent == 3  # no system instruction, no JSON
        assert meter.sent_before == [0, 1, 2]
        assert "systemInstruction" not in server.last
        assert "responseSchema" not in server.last["generationConfig"]
        persona, said = server.last["contents"][0]["parts"]
        assert "말하는 인형" in persona["text"]
        assert said["text"] == "안녕?"
        assert not model.hears

        await collect(model, request("또 안녕?"))
        assert len(server.journal.requests) == sent + 1  # it is remembered
    assert len(meter.usages) == 1


async def test_a_model_known_to_lack_something_is_not_asked_twice(server: FakeGemini) -> None:
    async with gemini(server, "gemma-3-27b-it") as model:
        assert await collect(model, request())
    assert len(server.journal.requests) == 1


async def test_a_level_of_thinking_that_is_refused_is_lowered_to_what_there_is(
    server: FakeGemini,
) -> None:
    async with gemini(server, "gemini-3.8-flash", known=Capabilities(thinking="minimal")) as model:
        assert await collect(model, request())
    thinking = [seen.json["generationConfig"]["thinkingConfig"] for seen in server.journal.requests]
    assert thinking == [{"thinking_level": "MINIMAL"}, {"thinking_level": "LOW"}]


async def test_a_second_request_that_is_not_permitted_is_not_sent(server: FakeGemini) -> None:
    async with gemini(server, "gemma-3-27b-it", known=Capabilities()) as model:
        with pytest.raises(ProviderError, match="not today"):
            await anext(model.reply(request(), Ledger(server.journal, allowed=1)))
    assert len(server.journal.requests) == 1


async def test_a_refusal_that_nothing_can_be_learned_from_ends_the_answer(
    server: FakeGemini,
) -> None:
    message = "JSON mode is not enabled for models/x"
    server.play(*[fakes.error(400, "INVALID_ARGUMENT", message)] * 3)
    async with gemini(server) as model:
        error = await failure(model)
    assert error.kind is ErrorKind.BAD_REQUEST
    assert len(server.journal.requests) == 2


async def test_two_dolls_that_learn_the_same_at_once_both_get_their_answer(
    server: FakeGemini,
) -> None:
    async with gemini(server, "gemma-3-27b-it", known=Capabilities()) as model:
        answers = await asyncio.gather(*(collect(model, request()) for _ in range(4)))
    assert all(answers)
    assert len(server.journal.requests) <= 4 * 3


async def test_the_estimate_is_near_what_is_counted_and_not_below(server: FakeGemini) -> None:
    meter = Ledger(server.journal)
    async with gemini(server) as model:
        asked = request("오늘 저녁에 뭐 먹을까?", "ko", "안녕", "왔어?")
        assert [part async for part in model.reply(asked, meter)]
        assert meter.permitted == [model.tokens(asked)]
    [usage] = meter.usages
    assert isinstance(usage, Usage)
    assert usage.input <= meter.permitted[0] < 3 * usage.input
