"""A fake of an OpenAI-compatible server's streamed chat completions, over real sockets."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tools.fake_gemini.http import Journal, Reply, Request, Step, serving

KEY = "sk-fake-fake-fake"
MODEL = "bllossom-8b"


class FakeOpenAI:
    """`async with serving_openai() as fake:` starts one; `fake.url` ends in `/v1`."""

    def __init__(self, key: str | None) -> None:
        self.url = ""
        self.journal = Journal()
        self._key = key
        self._replies: deque[Reply] = deque()

    def play(self, *replies: Reply) -> None:
        """Queue replies for the next valid requests; without one, a short greeting is said."""
        self._replies.extend(replies)

    @property
    def last(self) -> dict[str, Any]:
        """The body of the newest request."""
        return self.journal.requests[-1].json

    async def handle(self, request: Request) -> Reply:
        if request.target != "/v1/chat/completions":
            return error(404, "no such path")
        if self._key and request.headers.get("authorization") != f"Bearer {self._key}":
            return error(401, "Incorrect API key provided.", code="invalid_api_key")
        if request.json.get("model") != MODEL:
            return error(404, "model not found, try pulling it first")
        return self._replies.popleft() if self._replies else answer("안녕! ", "나는 인형이야.")


@asynccontextmanager
async def serving_openai(key: str | None = None) -> AsyncIterator[FakeOpenAI]:
    fake = FakeOpenAI(key)
    async with serving(fake.handle, fake.journal) as url:
        fake.url = f"{url}/v1"
        yield fake


def answer(*pieces: str, then: Step | None = None, finish: str = "stop") -> Reply:
    """Text in pieces. `then` hangs or drops the connection after them instead of finishing."""
    chunks = [chunk({"role": "assistant", "content": ""}), *(chunk({"content": p}) for p in pieces)]
    if then is None:
        chunks.append(chunk({}, finish))
    return stream(*chunks, then=then)


def stream(*items: Mapping[str, Any] | bytes, then: Step | None = None) -> Reply:
    body: list[bytes | Step] = [item if isinstance(item, bytes) else sse(item) for item in items]
    body.append(then or b"data: [DONE]\n\n")
    return Reply(content_type="text/event-stream", body=tuple(body))


def no_headers() -> Reply:
    """The request is taken, and then nothing."""
    return Reply(status=None, body=(Step.HANG,))


def chunk(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-fake",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": MODEL,
        "choices": [{"index": 0, "delta": dict(delta), "finish_reason": finish}],
    }


def sse(item: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(item, ensure_ascii=False).encode() + b"\n\n"


def error(
    status: int, message: str, *, code: str = "", headers: tuple[tuple[str, str], ...] = ()
) -> Reply:
    body = {"error": {"message": message, "type": "fake_error", "code": code or None}}
    return Reply(status, body=(json.dumps(body).encode(),), headers=headers)
