from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from relay.errors import ErrorKind, ProviderError
from relay.gemini_server import GeminiServer
from relay.llm.base import LanguageModel
from relay.llm.gemini import GeminiModel
from relay.streaming import Deadlines
from tests.fakes import gemini as fakes
from tests.fakes.gemini import FakeGemini, serving_gemini
from tests.relay.llm.contract import (
    PATIENT,
    FarSide,
    RemoteModelContract,
    collect,
    failure,
    leaks,
    request,
)
from tools.fake_gemini.http import Reply

MODEL = "gemini-3.5-flash-lite"


@pytest.fixture
async def server() -> AsyncIterator[FakeGemini]:
    async with serving_gemini() as server:
        yield server


@asynccontextmanager
async def gemini(
    server: FakeGemini, model: str = MODEL, key: str = fakes.KEY, **options: object
) -> AsyncIterator[GeminiModel]:
    options.setdefault("deadlines", PATIENT)
    brain = GeminiModel(GeminiServer(key, server.url), model, **options)  # type: ignore[arg-type]
    try:
        yield brain
    finally:
        await brain.close()


def roles(server: FakeGemini) -> list[tuple[str, str]]:
    names = {"user": "user", "model": "assistant"}
    return [(names[c["role"]], c["parts"][-1]["text"]) for c in server.last["contents"]]


def system(server: FakeGemini) -> str:
    return server.last["systemInstruction"]["parts"][0]["text"]


class TestGemini(RemoteModelContract):
    @pytest.fixture
    def far_side(self, server: FakeGemini) -> FarSide:
        @asynccontextmanager
        async def make(deadlines: Deadlines) -> AsyncIterator[LanguageModel]:
            async with gemini(server, deadlines=deadlines) as model:
                yield model

        return FarSide(
            journal=server.journal,
            play=server.play,
            answer=fakes.answer,
            no_headers=fakes.no_headers,
            overloaded=fakes.overloaded,
            garbage=lambda: fakes.stream(b"<html>oops</html>\r\n\r\n"),
            nothing=fakes.stream,
            make=make,
            roles=lambda: roles(server),
            system=lambda: system(server),
        )


@pytest.mark.parametrize(
    ("reply", "kind", "retry_after_s"),
    [
        (fakes.too_many_requests(fakes.MINUTE_ID, 15, "47.618338084s"), ErrorKind.RATE, 47.618),
        (fakes.too_many_requests(fakes.DAY_ID, 500, "8h57m50.9s"), ErrorKind.QUOTA, 32270.9),
        (fakes.too_many_requests(fakes.DAY_ID, 20, "38.937s"), ErrorKind.QUOTA, None),
        (fakes.too_many_requests(fakes.DAY_ID, None, "10.6s"), ErrorKind.QUOTA, None),
        (
            fakes.error(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted."),
            ErrorKind.RATE,
            None,
        ),
        (fakes.overloaded(), ErrorKind.SERVER, None),
        (fakes.error(500, "INTERNAL", "An internal error has occurred."), ErrorKind.SERVER, None),
        (fakes.error(504, "DEADLINE_EXCEEDED", "Deadline expired."), ErrorKind.SERVER, None),
        (fakes.html(502), ErrorKind.SERVER, None),
        (fakes.error_in_stream("안녕! "), ErrorKind.SERVER, None),
        (fakes.wrong_key(), ErrorKind.AUTH, None),
        (fakes.suspended_key(), ErrorKind.AUTH, None),
        (
            fakes.error(400, "FAILED_PRECONDITION", "User location is not supported for the API."),
            ErrorKind.AUTH,
            None,
        ),
        (fakes.not_found("gemini-2.0-flash"), ErrorKind.BAD_REQUEST, None),
        (fakes.error(400, "INVALID_ARGUMENT", "Bad."), ErrorKind.BAD_REQUEST, None),
        (fakes.prompt_blocked(), ErrorKind.BLOCKED, None),
        (fakes.prompt_blocked("PROHIBITED_CONTENT"), ErrorKind.BLOCKED, None),
        (fakes.answer_blocked("안녕! "), ErrorKind.BLOCKED, None),
        (fakes.answer_blocked(reason="RECITATION"), ErrorKind.BLOCKED, None),
        (fakes.no_text(), ErrorKind.SERVER, None),
        (fakes.no_text("MAX_TOKENS"), ErrorKind.SERVER, None),
        (fakes.stream({}), ErrorKind.SERVER, None),
        (fakes.stream(), ErrorKind.SERVER, None),
    ],
)
async def test_each_way_to_fail_has_its_kind(
    server: FakeGemini, reply: Reply, kind: ErrorKind, retry_after_s: float | None
) -> None:
    server.play(reply)
    async with gemini(server) as model:
        error = await failure(model)
    assert error.kind is kind
    assert error.retry_after_s == pytest.approx(retry_after_s, abs=0.1)
    assert len(server.journal.requests) == 1
    assert not leaks(error, fakes.KEY)
    assert error.__context__ is None
    assert "\n" not in error.message


async def test_a_wrong_key_is_told_and_not_shown(server: FakeGemini) -> None:
    async with gemini(server, key="AIzaWrongWrongWrong") as model:
        error = await failure(model)
    assert error.kind is ErrorKind.AUTH
    assert "check the key" in error.message
    assert not leaks(error, "AIzaWrongWrongWrong")


async def test_a_retired_model_is_named(server: FakeGemini) -> None:
    async with gemini(server, "gemini-1.0-pro") as model:
        error = await failure(model)
    assert error.kind is ErrorKind.BAD_REQUEST
    assert "gemini-1.0-pro" in error.message
    assert "another model" in error.message


async def test_nobody_at_the_address_is_a_network_failure(server: FakeGemini) -> None:
    server.url = "http://127.0.0.1:1"
    async with gemini(server) as model:
        assert (await failure(model)).kind is ErrorKind.NETWORK


@pytest.mark.parametrize("key", ["", "  ", "열쇠", "a\nb"])
def test_an_unusable_key_is_refused_at_once(key: str) -> None:
    with pytest.raises(ProviderError, match="GEMINI_API_KEY") as caught:
        GeminiServer(key)
    assert caught.value.kind is ErrorKind.AUTH


async def test_keeps_text_that_was_spoken_before_a_block(server: FakeGemini) -> None:
    server.play(fakes.answer_blocked("안녕! "))
    async with gemini(server) as model, aclosing(model.reply(request())) as pieces:
        assert await anext(pieces) == "안녕! "
        with pytest.raises(ProviderError, match="SAFETY"):
            await anext(pieces)


async def test_thoughts_are_not_spoken(server: FakeGemini) -> None:
    thought = fakes.chunk("음, 뭐라고 하지")
    thought["candidates"][0]["content"]["parts"][0]["thought"] = True
    server.play(fakes.stream(thought, fakes.chunk("안녕!")))
    async with gemini(server) as model:
        assert await collect(model, request()) == ["안녕!"]


@pytest.mark.parametrize("cut", [1, 40, 60, 61, 62])
async def test_text_that_is_split_inside_a_character_is_whole_again(
    server: FakeGemini, cut: int
) -> None:
    event = fakes.sse(fakes.chunk("안녕\u2028하세요"))
    at = event.index("안".encode()) + 1 if cut == 1 else cut
    server.play(fakes.stream(event[:at], event[at:]))
    async with gemini(server) as model:
        assert await collect(model, request()) == ["안녕\u2028하세요"]


async def test_a_finish_reason_of_the_future_is_no_failure(server: FakeGemini) -> None:
    server.play(fakes.answer("안녕", finish="SOME_FUTURE_REASON"))
    async with gemini(server) as model:
        with pytest.warns(UserWarning, match="SOME_FUTURE_REASON"):
            assert await collect(model, request()) == ["안녕"]


async def test_a_slow_listener_is_not_a_slow_provider(server: FakeGemini) -> None:
    server.play(fakes.answer("하나 ", "둘 ", "셋"))
    async with (
        gemini(server, deadlines=Deadlines(first_s=60, gap_s=0.05, total_s=60)) as model,
        aclosing(model.reply(request())) as pieces,
    ):
        assert await anext(pieces)
        await asyncio.sleep(0.2)  # the doll is speaking for longer than the gap
        assert [piece async for piece in pieces] == ["둘 ", "셋"]


async def test_the_key_does_not_follow_a_redirect(server: FakeGemini) -> None:
    async with serving_gemini() as elsewhere:
        server.play(Reply(307, headers=(("location", f"{elsewhere.url}/v1beta/models/x:y"),)))
        async with gemini(server) as model:
            await failure(model)
        assert elsewhere.journal.requests == []
