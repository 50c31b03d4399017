from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.errors import ErrorKind
from relay.llm.gemini_errors import (
    MAX_MESSAGE_CHARS,
    Limit,
    Refusal,
    parse_refusal,
    refuses_system_instruction,
    translate,
)
from tests.fakes.gemini import DAY_ID, MINUTE_ID, TOKENS_ID, refusal

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["error", "message", "details", "@type", "violations", "retryDelay", "quotaId"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


def with_details(*details: dict[str, Any], message: str = "") -> dict[str, Any]:
    return {"error": {"code": 429, "message": message, "details": list(details)}}


def violations(*ids_and_values: tuple[str, str | None]) -> dict[str, Any]:
    found = []
    for quota_id, value in ids_and_values:
        violation = {"quotaId": quota_id}
        if value is not None:
            violation["quotaValue"] = value
        found.append(violation)
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": found}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (refusal(MINUTE_ID, 15, "47.618338084s"), Refusal(Limit.MINUTE, 15, 47.618338084)),
        (refusal(MINUTE_ID, 15, "102.5ms"), Refusal(Limit.MINUTE, 15, 0.1025)),
        ([refusal(TOKENS_ID, 16000, "31.44s")], Refusal(Limit.MINUTE, 16000, 31.44, tokens=True)),
        # The hint of a daily limit lies when it is short.
        (refusal(DAY_ID, 20, "38.937s"), Refusal(Limit.DAY, 20, None)),
        (refusal(DAY_ID, 500, "8h57m50.9s"), Refusal(Limit.DAY, 500, 32270.9)),
        (refusal(DAY_ID, None, "10h17m5.7s"), Refusal(Limit.ZERO, 0, None)),
        (
            with_details(
                violations((TOKENS_ID, "250000"), (MINUTE_ID, "5"), (DAY_ID, "20")),
                message="Please retry in 44.1s.",
            ),
            Refusal(Limit.DAY, 20, None),
        ),
        (
            with_details(violations((DAY_ID, None), (MINUTE_ID, None))),
            Refusal(Limit.ZERO, None, None),
        ),
        (
            {"error": {"message": "Resource has been exhausted (e.g. check quota)."}},
            Refusal(Limit.UNKNOWN, None, None),
        ),
        (
            with_details({"@type": "x/google.rpc.RetryInfo", "retryDelay": "0.847655010s"}),
            Refusal(Limit.UNKNOWN, None, 0.84765501),
        ),
        (None, Refusal(Limit.UNKNOWN, None, None)),
        ([], Refusal(Limit.UNKNOWN, None, None)),
    ],
)
def test_reads_every_shape_of_a_429(body: object, expected: Refusal) -> None:
    read = parse_refusal(body)
    assert (read.limit, read.value) == (expected.limit, expected.value)
    assert read.retry_after_s == pytest.approx(expected.retry_after_s)


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [
        ("23s", 23.0),
        ("0.5s", 0.5),
        ("102.5ms", 0.1025),
        ("5m", 300.0),
        ("9h54m", 35640.0),
        ("10h17m5.72s", 37025.72),
        ("", None),
        ("soon", None),
        ("-5s", None),
        ("1e9s", None),
        ("٣s", None),
    ],
)
def test_reads_a_duration(delay: str, seconds: float | None) -> None:
    body = with_details({"@type": "google.rpc.RetryInfo", "retryDelay": delay})
    assert parse_refusal(body).retry_after_s == pytest.approx(seconds)


@given(ANY_JSON)
def test_no_body_breaks_the_parser(body: object) -> None:
    read = parse_refusal(body)
    assert read.retry_after_s is None or read.retry_after_s >= 0


@given(st.integers(100, 599), st.text(), st.text(min_size=4), ANY_JSON)
def test_an_error_is_one_short_line_without_the_key(
    code: int, message: str, key: str, body: object
) -> None:
    error = translate(code, "X", f"{message}{key}{message}", body, model="m", key=key)
    assert "\n" not in error.message
    assert len(error.message) < MAX_MESSAGE_CHARS + 100


def test_the_key_is_taken_out_even_if_it_is_not_ours() -> None:
    said = "Consumer 'api_key:AIzaSyAnotherKeyAnotherKeyAnotherKey000' has been suspended."
    error = translate(403, "PERMISSION_DENIED", said, None, model="m", key="AIzaOurs")
    assert error.kind is ErrorKind.AUTH
    assert "AIza" not in error.message


def test_knows_the_refusal_of_a_system_instruction() -> None:
    said = "Developer instruction is not enabled for models/gemma-3-27b-it"
    assert refuses_system_instruction(400, said)
    assert not refuses_system_instruction(500, said)
    assert not refuses_system_instruction(400, "API key not valid.")
    assert not refuses_system_instruction(400, None)
