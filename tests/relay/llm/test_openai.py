from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest

from relay.errors import ErrorKind, ModelGoneError, ProviderError
from relay.llm.base import Emotion, LanguageModel, MemoryNote
from relay.llm.meter import Usage
from relay.llm.openai import OpenAIModel
from relay.llm.settings import Sampling
from relay.streaming import Deadlines
from tests.fakes import openai as fakes
from tests.fakes.openai import FakeOpenAI, serving_openai
from tests.relay.llm.contract import (
    PATIENT,
    FarSide,
    Ledger,
    RemoteModelContract,
    collect,
    failure,
    leaks,
    parts,
    request,
)
from tools.fake_gemini.http import Reply


@pytest.fixture
async def server() -> AsyncIterator[FakeOpenAI]:
    async with serving_openai() as server:
        yield server


@asynccontextmanager
async def model_at(
    server: FakeOpenAI, model: str = fakes.MODEL, **options: object
) -> AsyncIterator[OpenAIModel]:
    options.setdefault("deadlines", PATIENT)
    brain = OpenAIModel(server.url, model, **options)  # type: ignore[arg-type]
    try:
        yield brain
    finally:
        await brain.close()


class TestOpenAI(RemoteModelContract):
    @pytest.fixture
    def far_side(self, server: FakeOpenAI) -> FarSide:
        @asynccontextmanager
        async def make(deadlines: Deadlines) -> AsyncIterator[LanguageModel]:
            async with model_at(server, deadlines=deadlines) as model:
                yield model

        return FarSide(
            journal=server.journal,
            play=server.play,
            answer=fakes.answer,
            no_headers=fakes.no_headers,
            overloaded=lambda: fakes.error(503, "Service is overloaded."),
            garbage=lambda: fakes.stream(b"data: <html>oops</html>\n\n"),
            nothing=fakes.stream,
            make=make,
            roles=lambda: [(m["role"], m["content"]) for m in server.last["messages"][1:]],
            system=lambda: server.last["messages"][0]["content"],
        )


@pytest.mark.parametrize(
    ("reply", "kind", "retry_after_s"),
    [
        (fakes.error(401, "Incorrect API key."), ErrorKind.AUTH, None),
        (fakes.error(403, "Country not supported."), ErrorKind.AUTH, None),
        (
            fakes.error(429, "Rate limit reached.", headers=(("retry-after", "7"),)),
            ErrorKind.RATE,
            7.0,
        ),
        (
            fakes.error(
                429, "Slow down.", headers=(("retry-after", "Mon, 23 Nov 2026 00:00:00 GMT"),)
            ),
            ErrorKind.RATE,
            None,
        ),
        (fakes.error(429, "You exceeded.", code="insufficient_quota"), ErrorKind.QUOTA, None),
        (fakes.error(402, "Insufficient credits."), ErrorKind.QUOTA, None),
        (fakes.error(400, "Bad.", code="context_length_exceeded"), ErrorKind.BAD_REQUEST, None),
        (fakes.error(400, "Filtered.", code="content_filter"), ErrorKind.BLOCKED, None),
        (fakes.error(404, "model not found"), ErrorKind.BAD_REQUEST, None),
        (fakes.error(422, "Bad."), ErrorKind.BAD_REQUEST, None),
        (fakes.error(408, "Timed out."), ErrorKind.NETWORK, None),
        (fakes.error(500, "Oops."), ErrorKind.SERVER, None),
        (Reply(502, "text/html", (b"<html>Bad gateway</html>",)), ErrorKind.SERVER, None),
        (fakes.stream({"error": {"message": "CUDA out of memory"}}), ErrorKind.SERVER, None),
        (fakes.answer("안녕! ", finish="content_filter"), ErrorKind.BLOCKED, None),
    ],
)
async def test_each_way_to_fail_has_its_kind(
    server: FakeOpenAI, reply: Reply, kind: ErrorKind, retry_after_s: float | None
) -> None:
    server.play(reply)
    async with model_at(server, key=fakes.KEY, fields=False) as model:
        error = await failure(model)
    assert error.kind is kind
    assert error.retry_after_s == retry_after_s
    assert len(server.journal.requests) == 1
    assert not leaks(error, fakes.KEY)
    assert error.__context__ is None


async def test_sends_its_key_and_only_its_key(
    server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-service")
    async with model_at(server) as model:
        await collect(model, request())
    async with model_at(server, key=fakes.KEY) as model:
        await collect(model, request())
    sent = [seen.headers.get("authorization") for seen in server.journal.requests]
    assert sent == [None, f"Bearer {fakes.KEY}"]


async def test_a_key_that_the_server_repeats_is_not_passed_on(server: FakeOpenAI) -> None:
    server.play(fakes.error(401, f"Incorrect API key provided: {fakes.KEY}."))
    async with model_at(server, key=fakes.KEY) as model:
        error = await failure(model)
    assert not leaks(error, fakes.KEY)
    assert "[key]" in error.message


async def test_a_server_that_wants_a_key_says_so() -> None:
    async with serving_openai(key=fakes.KEY) as server, model_at(server) as model:
        assert (await failure(model)).kind is ErrorKind.AUTH


async def test_a_model_that_is_not_there_is_named(server: FakeOpenAI) -> None:
    async with model_at(server, "llama-9") as model:
        error = await failure(model)
    assert isinstance(error, ModelGoneError)
    assert "llama-9" in error.message


async def test_only_what_is_set_of_the_sampling_is_sent(server: FakeOpenAI) -> None:
    async with model_at(server, sampling=Sampling(max_tokens=0), fields=False) as model:
        await collect(model, request())
    assert server.last.keys() == {"model", "messages", "stream"}
    sampling = Sampling(
        temperature=0.6,
        top_p=0.9,
        frequency_penalty=0.3,
        repetition_penalty=1.1,
        max_tokens=200,
        stop=("<|eot_id|>",),
        extra_body={"top_k": 40, "chat_template_kwargs": {"enable_thinking": False}},
    )
    async with model_at(server, sampling=sampling, fields=False) as model:
        await collect(model, request())
    sent = {name: value for name, value in server.last.items() if name != "messages"}
    assert sent == {
        "model": fakes.MODEL,
        "stream": True,
        "temperature": 0.6,
        "top_p": 0.9,
        "frequency_penalty": 0.3,
        "repetition_penalty": 1.1,
        "max_tokens": 200,
        "stop": ["<|eot_id|>"],
        "top_k": 40,
        "chat_template_kwargs": {"enable_thinking": False},
    }


async def test_each_request_is_permitted_first_and_its_usage_told(server: FakeOpenAI) -> None:
    end = fakes.chunk({}, "stop") | {
        "usage": {"prompt_tokens": 300, "completion_tokens": 9, "total_tokens": 309}
    }
    server.play(fakes.stream(fakes.chunk({"content": "안녕!"}), end))
    meter = Ledger(server.journal)
    async with model_at(server) as model:
        assert [part async for part in model.reply(request(), meter)] == ["안녕!"]
        assert meter.permitted == [model.tokens(request())]
    assert meter.sent_before == [0]
    assert meter.usages == [Usage(input=300, output=9)]


async def test_what_is_not_permitted_is_not_sent(server: FakeOpenAI) -> None:
    async with model_at(server) as model:
        with pytest.raises(ProviderError, match="not today"):
            await anext(model.reply(request(), Ledger(server.journal, allowed=0)))
    assert server.journal.requests == []


async def test_it_hears_nothing(server: FakeOpenAI) -> None:
    async with model_at(server) as model:
        assert not model.hears
        with pytest.raises(ProviderError, match="hears nothing"):
            await anext(model.hear(np.zeros(16_000, np.int16), request()))


async def test_thoughts_within_the_text_are_not_spoken_and_a_face_is_an_emotion(
    server: FakeOpenAI,
) -> None:
    server.play(fakes.answer("<thi", "nk>음…</thi", "nk>\n", "😒 ", "흥."))
    async with model_at(server) as model:
        assert await parts(model, request()) == [Emotion("confused"), "흥."]


async def test_an_answer_of_thoughts_alone_is_a_failure(server: FakeOpenAI) -> None:
    server.play(fakes.answer("<think>음, 뭐라고"))
    async with model_at(server) as model:
        assert (await failure(model)).kind is ErrorKind.SERVER


async def test_reasoning_beside_the_text_is_not_spoken(server: FakeOpenAI) -> None:
    thinking = fakes.chunk({"content": None, "reasoning_content": "음…"})
    server.play(fakes.stream(thinking, fakes.chunk({"content": "안녕!"})))
    async with model_at(server) as model:
        assert await collect(model, request()) == ["안녕!"]


NOTED = '{"emotion": "happy", "reply": "기억할게.", "memory_note": "진주의 생일은 3월 2일이다."}'


async def test_fields_are_asked_for_and_only_the_reply_is_spoken(server: FakeOpenAI) -> None:
    server.play(fakes.answer(NOTED[:30], NOTED[30:44], NOTED[44:]))
    async with model_at(server) as model:
        read = await parts(model, request("내 생일은 3월 2일이야"))
    assert [part for part in read if not isinstance(part, str)] == [
        Emotion("happy"),
        MemoryNote("진주의 생일은 3월 2일이다."),
    ]
    assert "".join(part for part in read if isinstance(part, str)) == "기억할게."
    shape = server.last["response_format"]["json_schema"]["schema"]
    assert list(shape["properties"]) == ["emotion", "reply", "memory_note"]
    assert "memory_note" in server.last["messages"][0]["content"]


@pytest.mark.parametrize(
    "refusal",
    [
        fakes.error(400, "This model does not support response format `json_schema`."),
        fakes.error(422, "extra fields not permitted"),
        fakes.error(500, "failed to parse grammar"),
    ],
)
async def test_a_server_without_schemas_is_asked_for_marks_from_then_on(
    server: FakeOpenAI, refusal: Reply
) -> None:
    marked = ("<emotion>happy</emo", "tion> 기억할게.", "\n<note>생일은 3월 ", "2일이다.</note>")
    server.play(refusal, fakes.answer(*marked))
    meter = Ledger(server.journal)
    async with model_at(server) as model:
        read = [part async for part in model.reply(request(), meter)]
        await collect(model, request())
    assert meter.sent_before == [0, 1]  # each request was permitted, none was sent unseen
    assert [part for part in read if not isinstance(part, str)] == [
        Emotion("happy"),
        MemoryNote("생일은 3월 2일이다."),
    ]
    assert "".join(part for part in read if isinstance(part, str)).strip() == "기억할게."
    asked = ["response_format" in seen.json for seen in server.journal.requests]
    assert asked == [True, False, False]


async def test_what_is_refused_in_both_forms_was_not_refused_for_its_form(
    server: FakeOpenAI,
) -> None:
    server.play(fakes.error(400, "Too long."), fakes.error(400, "Too long."))
    async with model_at(server) as model:
        assert (await failure(model)).kind is ErrorKind.BAD_REQUEST
        await collect(model, request())
    assert "response_format" in server.last


async def test_work_that_is_no_answer_is_asked_for_as_text(server: FakeOpenAI) -> None:
    async with model_at(server) as model:
        await collect(model, replace(request(), instructions="Sum this up."))
    assert "response_format" not in server.last
    assert server.last["messages"][0]["content"] == "Sum this up."
