from __future__ import annotations

import base64
import io
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from relay.audio import RATE_HZ, Pcm
from relay.errors import ErrorKind, ProviderError
from relay.gemini_server import GeminiServer
from relay.llm.base import Emotion, Heard, Part, Request
from relay.llm.gemini import GeminiModel
from relay.llm.gemini_capabilities import Capabilities
from tests.fakes import gemini as fakes
from tests.fakes.gemini import FakeGemini, serving_gemini
from tests.relay.llm.contract import PATIENT, Ledger, hung_up, leaks, request
from tools.fake_gemini.http import Step
from tools.simulator.wav import read_question

LITE = "gemini-3.5-flash-lite"
QUESTION = read_question(
    Path(__file__).parents[3].joinpath("tools", "demo", "questions", "ko-name.wav")
)


@pytest.fixture
async def server() -> AsyncIterator[FakeGemini]:
    async with serving_gemini() as server:
        yield server


@asynccontextmanager
async def gemini(
    server: FakeGemini, model: str = LITE, known: Capabilities | None = None
) -> AsyncIterator[GeminiModel]:
    there = GeminiServer(fakes.KEY, server.url)
    brain = GeminiModel(there, model, deadlines=PATIENT, known=known)
    try:
        yield brain
    finally:
        await brain.close()


def unsaid(*history: str) -> Request:
    return request("", "ko", *history)


async def hear(
    model: GeminiModel, utterance: Pcm = QUESTION, asked: Request | None = None
) -> list[Heard | Part]:
    async with aclosing(model.hear(utterance, asked or unsaid())) as answer:
        return [part async for part in answer]


async def test_one_request_hears_and_answers(server: FakeGemini) -> None:
    async with gemini(server) as model:
        heard, *answer = await hear(model)
    assert isinstance(heard, Heard)
    assert heard.kind == "speech"
    assert heard.text
    assert heard.language in ("ko", "en")
    assert isinstance(answer[0], Emotion)
    assert "".join(part for part in answer if isinstance(part, str)).strip()
    assert len(server.journal.requests) == 1


async def test_the_utterance_is_sent_whole_and_lossless(server: FakeGemini) -> None:
    async with gemini(server) as model:
        await hear(model, asked=unsaid("안녕", "왔어?"))
    contents = server.last["contents"]
    assert [turn["role"] for turn in contents] == ["user", "model", "user"]
    [part] = contents[-1]["parts"]
    sound = part["inlineData"]
    data = base64.urlsafe_b64decode(sound["data"])
    samples, rate = soundfile.read(io.BytesIO(data), dtype="int16")
    assert (sound["mime_type"], rate) == ("audio/flac", RATE_HZ)
    assert np.array_equal(samples, QUESTION)


async def test_asks_for_what_was_heard_first_and_for_no_language_in_advance(
    server: FakeGemini,
) -> None:
    async with gemini(server) as model:
        await hear(model)
    fields = list(server.last["generationConfig"]["responseSchema"]["properties"])
    assert fields == ["heard", "language", "transcript", "emotion", "reply", "memory_note"]
    system = server.last["systemInstruction"]["parts"][0]["text"]
    assert "transcript" in system
    assert system.endswith("상대가 한 말의 언어로 대답해.")


async def test_the_words_of_an_answer_do_not_wait_for_its_end(server: FakeGemini) -> None:
    begun = '{"heard":"speech","language":"ko","transcript":"안녕?","emotion":"happy","reply":"왔'
    server.play(fakes.answer(begun, then=Step.HANG))
    async with gemini(server) as model, aclosing(model.hear(QUESTION, unsaid())) as answer:
        parts = [await anext(answer) for _ in range(3)]
    assert parts == [Heard("speech", "안녕?", "ko"), Emotion("happy"), "왔"]
    await hung_up(server.journal)


@pytest.mark.parametrize("kind", ["noise", "none"])
async def test_what_was_no_speech_gets_no_answer_and_ends_the_request(
    server: FakeGemini, kind: str
) -> None:
    made_up = '","transcript":"자막 제공","emotion":"happy","reply":"뭐라고?"'
    server.play(fakes.answer(f'{{"heard":"{kind}{made_up}', then=Step.HANG))
    async with gemini(server) as model:
        assert [part.kind for part in await hear(model) if isinstance(part, Heard)] == [kind]
    await hung_up(server.journal)


@pytest.mark.parametrize(
    "utterance",
    [np.zeros(RATE_HZ, np.int16), QUESTION[:1_000], QUESTION[:0]],
    ids=["silence", "a moment", "nothing"],
)
async def test_silence_is_not_sent(server: FakeGemini, utterance: Pcm) -> None:
    async with gemini(server) as model:
        assert await hear(model, utterance) == [Heard("none", "", "ko")]
    assert server.journal.requests == []


async def test_json_that_breaks_is_spoken_as_far_as_it_goes(server: FakeGemini) -> None:
    text = '{"heard":"speech","transcript":"안녕?","emotion":"happy","reply":"그래, "안녕"!"'
    server.play(fakes.answer(*text))
    async with gemini(server) as model:
        answer = await hear(model)
    assert "".join(part for part in answer if isinstance(part, str)) == '그래, "안녕"!'


async def test_an_answer_without_words_is_a_failure(server: FakeGemini) -> None:
    server.play(fakes.answer(json.dumps({"heard": "speech", "transcript": "안녕?", "reply": ""})))
    async with gemini(server) as model:
        with pytest.raises(ProviderError, match="no words") as caught:
            await hear(model)
    assert caught.value.kind is ErrorKind.SERVER


async def test_a_model_known_to_be_deaf_is_not_asked(server: FakeGemini) -> None:
    async with gemini(server, "gemma-4-31b-it") as model:
        assert not model.hears
        with pytest.raises(ProviderError, match="hears nothing") as caught:
            await hear(model)
    assert caught.value.kind is ErrorKind.BAD_REQUEST
    assert server.journal.requests == []


async def test_a_model_that_turns_out_to_be_deaf_says_so_from_then_on(server: FakeGemini) -> None:
    message = "Audio input modality is not enabled for models/x"
    server.play(fakes.error(400, "INVALID_ARGUMENT", message))
    async with gemini(server) as model:
        with pytest.raises(ProviderError, match="hears nothing"):
            await hear(model)
        assert not model.hears
    assert len(server.journal.requests) == 1


async def test_the_request_is_permitted_and_its_seconds_are_in_the_estimate(
    server: FakeGemini,
) -> None:
    meter = Ledger(server.journal)
    async with gemini(server) as model:
        assert [part async for part in model.hear(QUESTION, unsaid(), meter)]
        estimated = model.tokens(unsaid(), QUESTION)
    assert meter.permitted == [estimated]
    assert estimated > 32 * len(QUESTION) / RATE_HZ
    assert meter.usages[0].input <= estimated


async def test_a_failure_has_its_kind_and_does_not_tell_the_key(server: FakeGemini) -> None:
    server.play(fakes.overloaded(), fakes.suspended_key())
    async with gemini(server) as model:
        for kind in (ErrorKind.SERVER, ErrorKind.AUTH):
            with pytest.raises(ProviderError) as caught:
                await hear(model)
            assert caught.value.kind is kind
            assert not leaks(caught.value, fakes.KEY)
            assert caught.value.__context__ is None
