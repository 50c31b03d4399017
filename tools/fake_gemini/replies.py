"""What Gemini sends: chunks of an answer and error bodies, in the shapes that were seen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from tools.fake_gemini.http import Pause, Reply, Step

API_VERSION = "v1beta"
KEY = "AIzaSyFakeFakeFakeFakeFakeFakeFakeFake0"

TYPE = "type.googleapis.com/google.rpc."
DOMAIN = "googleapis.com"

Form = Literal["sse", "array", "unary"]
"""How an answer is sent: events (`alt=sse`), one JSON array that grows, or in one piece."""

Item = Mapping[str, Any] | bytes | Step | Pause
"""A chunk of an answer (bytes go out as they are), or what is done instead of sending one."""

_USAGE = {"promptTokenCount": 12, "candidatesTokenCount": 5, "totalTokenCount": 17}


# Answers


def answer(*pieces: str, then: Step | None = None, finish: str = "STOP") -> Reply:
    """Text in pieces. `then` hangs or drops the connection after them instead of finishing."""
    chunks = [chunk(piece) for piece in pieces]
    if then is None and chunks:
        chunks[-1]["candidates"][0]["finishReason"] = finish
    return stream(*chunks, then=then)


def stream(*items: Item, then: Step | None = None) -> Reply:
    """Server-sent events."""
    return render((*items, then) if then else items, "sse")


def render(items: Sequence[Item], form: Form) -> Reply:
    """An answer in the form that was asked for."""
    if form == "sse":
        events = tuple(sse(item) if isinstance(item, Mapping) else item for item in items)
        return Reply(content_type="text/event-stream", body=events)
    if form == "unary":
        return Reply(body=_in_one_piece(items))
    body: list[bytes | Step | Pause] = []
    opening = b"["
    for item in items:
        if isinstance(item, Mapping):
            body.append(opening + _encode(item))
            opening = b",\r\n"
        else:
            body.append(item)
    if not any(isinstance(item, Step) for item in items):
        body.append(b"]" if opening != b"[" else b"[]")
    return Reply(body=tuple(body))


def chunk(text: str) -> dict[str, Any]:
    """A piece of an answer."""
    content = {"role": "model", "parts": [{"text": text}]}
    return {"candidates": [{"content": content, "index": 0}], "usageMetadata": _USAGE}


def sse(item: Mapping[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + _encode(item) + b"\r\n\r\n"


def no_headers() -> Reply:
    """The request is taken, and then nothing."""
    return Reply(status=None, body=(Step.HANG,))


def prompt_blocked(reason: str = "SAFETY") -> Reply:
    """The question was refused: there is no candidate."""
    return stream(blocked_prompt(reason))


def answer_blocked(*pieces: str, reason: str = "SAFETY") -> Reply:
    """The answer was refused after `pieces`."""
    return stream(*map(chunk, pieces), ending(reason))


def no_text(finish: str = "STOP") -> Reply:
    """A candidate without content."""
    content = {"content": {"role": "model"}, "finishReason": finish, "index": 0}
    return stream({"candidates": [content], "usageMetadata": _USAGE})


def error_in_stream(*pieces: str, code: int = 503) -> Reply:
    """The headers say 200, and then it fails."""
    return stream(*map(chunk, pieces), error_body(code, "UNAVAILABLE", _OVERLOADED))


def blocked_prompt(reason: str) -> dict[str, Any]:
    """The only chunk for a question that is refused."""
    return {"promptFeedback": {"blockReason": reason}, "usageMetadata": _USAGE}


def ending(reason: str) -> dict[str, Any]:
    """A last chunk that says why, and nothing else."""
    return {"candidates": [{"finishReason": reason, "index": 0}], "usageMetadata": _USAGE}


# Refusals of a request (those for quota are in refusals.py)

_OVERLOADED = "The model is overloaded. Please try again later."


def overloaded() -> Reply:
    """503, which counts against the allowance all the same."""
    return error(503, "UNAVAILABLE", _OVERLOADED)


def no_key() -> Reply:
    """No key came along."""
    text = (
        "Method doesn't allow unregistered callers (callers without established identity). "
        "Please use API Key or other form of API consumer identity to call this API."
    )
    return error(403, "PERMISSION_DENIED", text)


def wrong_key() -> Reply:
    """A key that is none."""
    text = "API key not valid. Please pass a valid API key."
    info = {"@type": f"{TYPE}ErrorInfo", "reason": "API_KEY_INVALID", "domain": DOMAIN}
    told = {"@type": f"{TYPE}LocalizedMessage", "locale": "en-US", "message": text}
    return error(400, "INVALID_ARGUMENT", text, [info, told])


def suspended_key() -> Reply:
    """The real service repeats the key here."""
    text = f"Permission denied: Consumer 'api_key:{KEY}' has been suspended."
    return error(403, "PERMISSION_DENIED", text)


def not_found(model: str) -> Reply:
    """A model that was never there, or not in this version of the API."""
    text = (
        f"models/{model} is not found for API version {API_VERSION}, or is not supported for "
        "generateContent. Call ListModels to see the list of available models and their supported "
        "methods."
    )
    return error(404, "NOT_FOUND", text)


def retired(model: str) -> Reply:
    """A model that this project came too late for."""
    text = (
        f"This model models/{model} is no longer available to new users. Please update your code "
        "to use a newer model for the latest features and improvements."
    )
    return error(404, "NOT_FOUND", text)


def invalid(message: str) -> Reply:
    """400: the request is wrong, and would be again."""
    return error(400, "INVALID_ARGUMENT", message)


def html(status: int = 502) -> Reply:
    """What a front end says when it has lost the service behind it."""
    page = b"<html><title>Error 502 (Server Error)!!1</title></html>"
    return Reply(status, "text/html", (page,))


def error(status: int, name: str, message: str, details: list[Any] | None = None) -> Reply:
    """An error in Google's usual form."""
    return error_reply(status, error_body(status, name, message, details))


def error_body(
    status: int, name: str, message: str, details: list[Any] | None = None
) -> dict[str, Any]:
    """The JSON of an error."""
    body: dict[str, Any] = {"error": {"code": status, "message": message, "status": name}}
    if details:
        body["error"]["details"] = details
    return body


def error_reply(status: int, body: Any) -> Reply:
    """An error with any body."""
    return Reply(status, body=(json.dumps(body, indent=2).encode(),))


def _encode(item: Mapping[str, Any]) -> bytes:
    return json.dumps(item, ensure_ascii=False).encode(errors="replace")


def _in_one_piece(items: Sequence[Item]) -> tuple[bytes | Step | Pause, ...]:
    """The chunks as one answer: their parts joined, the last one's reason and usage."""
    chunks = [item for item in items if isinstance(item, Mapping)]
    merged: dict[str, Any] = {}
    parts: list[dict[str, Any]] = []
    for item in chunks:
        merged.update(item)
        for candidate in item.get("candidates", ()):
            parts.extend(candidate.get("content", {}).get("parts", ()))
    if parts and merged.get("candidates"):
        content = {"role": "model", "parts": _joined(parts)}
        merged["candidates"] = [{**merged["candidates"][0], "content": content}]
    whole = _encode(merged)
    out: list[bytes | Step | Pause] = [item for item in items if not isinstance(item, Mapping)]
    stops = next((n for n, item in enumerate(out) if isinstance(item, Step)), None)
    if stops is None:
        return (*out, whole)
    return (*out[:stops], whole[: len(whole) // 2], out[stops])


def _joined(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    joined: list[dict[str, Any]] = []
    for part in parts:
        if joined and part.keys() == joined[-1].keys() == {"text"}:
            joined[-1] = {"text": joined[-1]["text"] + part["text"]}
        else:
            joined.append(part)
    return joined
