from __future__ import annotations

import json
from typing import Any

import pytest

from tools.fake_gemini.http import Reply
from tools.fake_gemini.refusals import DAY_ID, MINUTE_ID, in_words, refusal, variants


def body(reply: Reply) -> Any:
    return json.loads(b"".join(part for part in reply.body if isinstance(part, bytes)))


def test_a_refusal_tells_the_limit_twice_and_the_time_twice() -> None:
    error = refusal(MINUTE_ID, 15, "47.618338084s", "gemini-3.5-flash-lite")["error"]
    assert (error["code"], error["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert "limit: 15, model: gemini-3.5-flash-lite" in error["message"]
    assert error["message"].endswith("Please retry in 47.618338084s.")
    failure, retry = error["details"][1:]
    assert failure["violations"][0]["quotaId"] == MINUTE_ID
    assert failure["violations"][0]["quotaValue"] == "15"
    assert retry["retryDelay"] == "47s"


@pytest.mark.parametrize(
    ("text", "field"), [("0.84s", "0s"), ("102ms", "0s"), ("8h57m50.9s", "32270s")]
)
def test_the_field_is_in_whole_seconds(text: str, field: str) -> None:
    details = refusal(DAY_ID, 500, text)["error"]["details"]
    assert details[-1]["retryDelay"] == field


def test_no_allowance_at_all_leaves_the_value_out() -> None:
    error = refusal(DAY_ID, None, "10s")["error"]
    assert "limit: 0" in error["message"]
    assert "quotaValue" not in error["details"][1]["violations"][0]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.102, "102ms"),
        (0, "1ms"),
        (47.618338084, "47.618338084s"),
        (90, "1m30s"),
        (3_600.0000000001, "1h0m0s"),
        (32270.97, "8h57m50.97s"),
    ],
)
def test_a_time_is_written_as_the_service_writes_it(seconds: float, text: str) -> None:
    assert in_words(seconds) == text


def test_every_variant_is_a_429_and_no_two_are_the_same() -> None:
    all_of_them = variants("gemini-3-flash-preview")
    assert {reply.status for reply in all_of_them.values()} == {429}
    assert len({json.dumps(body(reply)) for reply in all_of_them.values()}) == len(all_of_them)
    assert isinstance(body(all_of_them["array"]), list)
    assert "details" not in body(all_of_them["bare"])["error"]
    violation = body(all_of_them["family"])["error"]["details"][1]["violations"][0]
    assert violation["quotaDimensions"]["model"] == "gemini-3-flash"


def test_no_variant_has_the_header_that_everybody_reads() -> None:
    assert not any(reply.headers for reply in variants("x").values())
