"""A fake of the Gemini Developer API's streamed generation, over real sockets.

It refuses what the real one refuses (a wrong key, a retired model, a system instruction for a model
that takes none, a conversation that does not alternate) and otherwise plays the replies that a test
has queued, in the shapes that were seen in the wild.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.http import Journal, Reply, Request, Step, serving

KEY = "AIzaSyFakeFakeFakeFakeFakeFakeFakeFake0"
API_VERSION = "v1beta"

MINUTE_ID = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
DAY_ID = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
TOKENS_ID = "GenerateContentInputTokensPerModelPerMinute-FreeTier"

_TYPE = "type.googleapis.com/google.rpc."


class FakeGemini:
    """`async with serving_gemini() as fake:` starts one; `fake.url` is its base URL."""

    def __init__(self, retired: frozenset[str], without_system_instruction: frozenset[str]) -> None:
        self.url = ""
        self.journal = Journal()
        self._retired = retired
        self._without_system_instruction = without_system_instruction
        self._replies: deque[Reply] = deque()

    def play(self, *replies: Reply) -> None:
        """Queue replies for the next valid requests; without one, a short greeting is said."""
        self._replies.extend(replies)

    @property
    def last(self) -> dict[str, Any]:
        """The body of the newest request."""
        return self.journal.requests[-1].json

    async def handle(self, request: Request) -> Reply:
        url = urlsplit(request.target)
        version, _, rest = url.path.lstrip("/").partition("/")
        model, _, verb = rest.removeprefix("models/").partition(":")
        if request.headers.get("x-goog-api-key") != KEY:
            return wrong_key()
        if version != API_VERSION or verb != "streamGenerateContent" or model in self._retired:
            return not_found(model)
        if parse_qs(url.query).get("alt") != ["sse"]:
            return error(400, "INVALID_ARGUMENT", "This fake streams server-sent events only.")
        body = request.json
        if "systemInstruction" in body and model in self._without_system_instruction:
            return error(
                400, "INVALID_ARGUMENT", f"Developer instruction is not enabled for models/{model}"
            )
        if wrong := _wrong_contents(body.get("contents")):
            return error(400, "INVALID_ARGUMENT", wrong)
        return self._replies.popleft() if self._replies else answer("안녕! ", "나는 인형이야.")


@asynccontextmanager
async def serving_gemini(
    retired: frozenset[str] = frozenset({"gemini-1.0-pro"}),
    without_system_instruction: frozenset[str] = frozenset({"gemma-3-27b-it"}),
) -> AsyncIterator[FakeGemini]:
    fake = FakeGemini(retired, without_system_instruction)
    async with serving(fake.handle, fake.journal) as url:
        fake.url = url
        yield fake


# Replies


def answer(*pieces: str, then: Step | None = None, finish: str = "STOP") -> Reply:
    """Text in pieces. `then` hangs or drops the connection after them instead of finishing."""
    chunks = [chunk(piece) for piece in pieces]
    if then is None and chunks:
        chunks[-1]["candidates"][0]["finishReason"] = finish
    return stream(*chunks, then=then)


def stream(*items: Mapping[str, Any] | bytes, then: Step | None = None) -> Reply:
    """Server-sent events; bytes go out as they are."""
    body: list[bytes | Step] = [item if isinstance(item, bytes) else sse(item) for item in items]
    if then:
        body.append(then)
    return Reply(content_type="text/event-stream", body=tuple(body))


def no_headers() -> Reply:
    """The request is taken, and then nothing."""
    return Reply(status=None, body=(Step.HANG,))


def prompt_blocked(reason: str = "SAFETY") -> Reply:
    return stream({"promptFeedback": {"blockReason": reason}, "usageMetadata": _USAGE})


def answer_blocked(*pieces: str, reason: str = "SAFETY") -> Reply:
    end = {"candidates": [{"finishReason": reason, "index": 0}], "usageMetadata": _USAGE}
    return stream(*map(chunk, pieces), end)


def no_text(finish: str = "STOP") -> Reply:
    content = {"content": {"role": "model"}, "finishReason": finish, "index": 0}
    return stream({"candidates": [content], "usageMetadata": _USAGE})


def error_in_stream(*pieces: str, code: int = 503) -> Reply:
    body = {"error": {"code": code, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
    return stream(*map(chunk, pieces), body)


def overloaded() -> Reply:
    return error(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")


def wrong_key() -> Reply:
    text = "API key not valid. Please pass a valid API key."
    info = {"@type": f"{_TYPE}ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
    return error(400, "INVALID_ARGUMENT", text, [info])


def suspended_key() -> Reply:
    """The real service repeats the key here."""
    text = f"Permission denied: Consumer 'api_key:{KEY}' has been suspended."
    return error(403, "PERMISSION_DENIED", text)


def not_found(model: str) -> Reply:
    text = f"models/{model} is not found for API version {API_VERSION}, or is not supported."
    return error(404, "NOT_FOUND", text)


def too_many_requests(quota_id: str, limit: int | None, retry: str, model: str = "fake") -> Reply:
    return error_reply(429, refusal(quota_id, limit, retry, model))


def html(status: int = 502) -> Reply:
    page = b"<html><title>Error 502 (Server Error)!!1</title></html>"
    return Reply(status, "text/html", (page,))


def error(status: int, name: str, message: str, details: list[Any] | None = None) -> Reply:
    body: dict[str, Any] = {"error": {"code": status, "message": message, "status": name}}
    if details:
        body["error"]["details"] = details
    return error_reply(status, body)


def error_reply(status: int, body: Any) -> Reply:
    return Reply(status, body=(json.dumps(body, indent=2).encode(),))


# Pieces of the wire format


def refusal(quota_id: str, limit: int | None, retry: str, model: str = "fake") -> dict[str, Any]:
    """The body of a 429; `retry` as it stands in its text (`47.6s`, `8h57m50.9s`). A limit of None
    leaves `quotaValue` out, as the service does for a model with no free allowance."""
    metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
    violation: dict[str, Any] = {
        "quotaMetric": metric,
        "quotaId": quota_id,
        "quotaDimensions": {"location": "global", "model": model},
    }
    if limit is not None:
        violation["quotaValue"] = str(limit)
    return {
        "error": {
            "code": 429,
            "status": "RESOURCE_EXHAUSTED",
            "message": "You exceeded your current quota, please check your plan and billing "
            f"details.\n* Quota exceeded for metric: {metric}, limit: {limit or 0}, model: {model}"
            f"\nPlease retry in {retry}.",
            "details": [
                {"@type": f"{_TYPE}Help", "links": []},
                {"@type": f"{_TYPE}QuotaFailure", "violations": [violation]},
                {"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{retry.partition('.')[0]}s"},
            ],
        }
    }


def chunk(text: str) -> dict[str, Any]:
    content = {"role": "model", "parts": [{"text": text}]}
    return {"candidates": [{"content": content, "index": 0}], "usageMetadata": _USAGE}


def sse(item: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(item, ensure_ascii=False).encode() + b"\r\n\r\n"


_USAGE = {"promptTokenCount": 12, "candidatesTokenCount": 5, "totalTokenCount": 17}


def _wrong_contents(contents: Any) -> str | None:
    if not isinstance(contents, list) or not contents:
        return "contents is not specified"
    roles = [content.get("role") for content in contents]
    expected = ["user" if number % 2 == 0 else "model" for number in range(len(roles))]
    if roles != expected or roles[-1] != "user":
        return "Please ensure that multiturn requests alternate between user and model."
    for content in contents:
        parts = content.get("parts")
        if not parts or not all(part.get("text") for part in parts):
            return "Unable to submit request because it must have a text parameter."
    return None
