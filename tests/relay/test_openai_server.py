from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from relay.errors import ErrorKind, ProviderError
from relay.openai_server import FAILURES, MAX_MESSAGE_CHARS, OpenAIServer, events
from tests.fakes.openai import KEY, FakeOpenAI, error, serving_openai, stream
from tools.fake_gemini.http import Reply, Step

QUESTION = {"model": "bllossom-8b", "messages": [{"role": "user", "content": "비밀이야"}]}


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    async with serving_openai() as fake:
        yield fake


@asynccontextmanager
async def server_at(url: str, key: str = "") -> AsyncIterator[OpenAIServer]:
    server = OpenAIServer(url, "bllossom-8b", key)
    try:
        yield server
    finally:
        await server.close()


async def said(server: OpenAIServer) -> list[str]:
    async with server.ask("/chat/completions", json=QUESTION) as answer:
        return [data async for data in events(answer)]


async def failure(server: OpenAIServer) -> ProviderError:
    with pytest.raises(FAILURES) as caught:
        await said(server)
    assert isinstance(caught.value, Exception)
    return server.translate(caught.value)


async def test_events_are_read_to_the_last_one(fake: FakeOpenAI) -> None:
    fake.play(stream(b": still loading\n\ndata: 1\r\n\r\n", b"da", b"ta: 2\n\n"))
    async with server_at(fake.url) as server:
        assert await said(server) == ["1", "2"]


async def test_the_connection_is_used_again(fake: FakeOpenAI) -> None:
    async with server_at(fake.url + "/") as server:
        for _ in range(3):
            await said(server)
    assert fake.journal.connections == 1


@pytest.mark.parametrize("end", [Step.HANG, Step.DROP])
async def test_after_the_last_event_nothing_is_waited_for(fake: FakeOpenAI, end: Step) -> None:
    fake.play(stream(b"data: 1\n\ndata: [DONE]\n\n", then=end))
    async with server_at(fake.url) as server, asyncio.timeout(20):
        assert await said(server) == ["1"]


async def test_neither_key_nor_words_follow_a_redirect(fake: FakeOpenAI) -> None:
    async with serving_openai() as elsewhere, server_at(fake.url, KEY) as server:
        there = f"{elsewhere.url}/chat/completions"
        fake.play(Reply(307, headers=(("location", there),)))
        told = await failure(server)
        assert elsewhere.journal.requests == []
    assert told.kind is ErrorKind.BAD_REQUEST
    assert "base_url" in told.message
    assert there in told.message


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (error(400, "Too  long."), "said 400: Too long."),
        (Reply(400, body=(b'{"error": "no such field"}',)), "said 400: no such field"),
        (Reply(400, body=(b'{"message": "no"}',)), "said 400: no"),
        (
            Reply(422, body=('{"detail": [{"msg": "missing", "input": "비밀이야"}]}'.encode(),)),
            "said 422: missing",
        ),
        (Reply(400, body=('{"you_sent": "비밀이야"}'.encode(),)), "said 400: "),
        (Reply(502, "text/html", (b"<html>Bad gateway",)), "said 502: <html>Bad gateway"),
        (Reply(503, body=(b"over", Step.DROP)), "said 503: over"),
        (Reply(500, body=(b"\xff\xfe",)), "said 500: \ufffd\ufffd"),
    ],
)
async def test_of_a_refusal_its_words_are_told_and_not_what_was_sent(
    fake: FakeOpenAI, reply: Reply, words: str
) -> None:
    fake.play(reply)
    async with server_at(fake.url) as server:
        assert (await failure(server)).message == f"{server.name} {words}"


async def test_a_refusal_without_end_is_cut(fake: FakeOpenAI) -> None:
    fake.play(Reply(400, body=(*(b"a" * 65_536,) * 8, Step.HANG)))
    async with server_at(fake.url) as server, asyncio.timeout(20):
        assert len((await failure(server)).message) == MAX_MESSAGE_CHARS


@pytest.mark.parametrize(
    "reply",
    [
        Reply(content_type="application/json", body=(b'{"choices": []}',)),
        stream(b"data: " + b"a" * (1 << 20), b"a" * 65_536),
    ],
)
async def test_what_are_no_events_is_the_servers_failure(fake: FakeOpenAI, reply: Reply) -> None:
    fake.play(reply)
    async with server_at(fake.url) as server:
        assert (await failure(server)).kind is ErrorKind.SERVER


async def test_an_unreachable_server_is_a_failure_of_the_network() -> None:
    async with server_at("http://127.0.0.1:1/v1") as server:
        assert (await failure(server)).kind is ErrorKind.NETWORK


async def test_without_a_key_none_is_sent(
    fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID"):
        monkeypatch.setenv(name, "of-another-service")
    async with server_at(fake.url) as server:
        await said(server)
    [seen] = fake.journal.requests
    assert not [value for value in seen.headers.values() if "another" in value]
    assert "authorization" not in seen.headers


async def test_the_name_tells_where_the_model_is() -> None:
    async with server_at("https://gpu-box:8000/v1") as server:
        assert server.name == "bllossom-8b at gpu-box"
