"""The fake of Gemini that ships with the tools, with what tests want of it in one place."""

from __future__ import annotations

from tools.fake_gemini.refusals import DAY_ID, MINUTE_ID, TOKENS_ID, refusal, too_many_requests
from tools.fake_gemini.replies import (
    API_VERSION,
    KEY,
    answer,
    answer_blocked,
    chunk,
    error,
    error_in_stream,
    error_reply,
    html,
    no_headers,
    no_text,
    not_found,
    overloaded,
    prompt_blocked,
    sse,
    stream,
    suspended_key,
    wrong_key,
)
from tools.fake_gemini.server import FakeGemini, Rules, serving_gemini

__all__ = [
    "API_VERSION",
    "DAY_ID",
    "KEY",
    "MINUTE_ID",
    "TOKENS_ID",
    "FakeGemini",
    "Rules",
    "answer",
    "answer_blocked",
    "chunk",
    "error",
    "error_in_stream",
    "error_reply",
    "html",
    "no_headers",
    "no_text",
    "not_found",
    "overloaded",
    "prompt_blocked",
    "refusal",
    "serving_gemini",
    "sse",
    "stream",
    "suspended_key",
    "too_many_requests",
    "wrong_key",
]
