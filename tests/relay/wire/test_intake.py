from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.wire.codecs.adpcm import AdpcmDecoder, AdpcmEncoder
from relay.wire.errors import CloseCode, ErrorCode, WireError
from relay.wire.framing import framing
from relay.wire.intake import Intake, read_hello
from relay.wire.limits import WireLimits
from relay.wire.messages import Hello, Listen, Ping

PACKET = AdpcmEncoder().encode(np.zeros(512, np.int16))
LISTEN = '{"type":"listen","state":"start"}'


def intake(version: int = 1, **limits: float) -> Intake:
    return Intake(framing(version), AdpcmDecoder(), WireLimits(**limits), now=0.0)  # type: ignore[arg-type]


def refusal(taker: Intake, raw: str | bytes, now: float = 0.0) -> WireError:
    with pytest.raises(WireError) as caught:
        taker.take(raw, now)
    return caught.value


def test_a_hello_is_read() -> None:
    assert read_hello('{"type":"hello"}') == Hello()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (PACKET, ErrorCode.HELLO_EXPECTED),
        (LISTEN, ErrorCode.HELLO_EXPECTED),
        ("GET / HTTP/1.1", ErrorCode.NOT_JSON),
        ("[]", ErrorCode.NOT_AN_OBJECT),
        ('{"type":"hello","version":"one"}', ErrorCode.BAD_MESSAGE),
    ],
)
def test_a_first_message_that_is_no_hello_ends_the_session(
    raw: str | bytes, code: ErrorCode
) -> None:
    with pytest.raises(WireError) as caught:
        read_hello(raw)
    assert caught.value.code is code
    assert caught.value.close is CloseCode.HELLO_EXPECTED


def test_text_becomes_a_message_and_binary_becomes_samples() -> None:
    taker = intake()
    assert taker.take(LISTEN, 0.0) == Listen("start")
    samples = taker.take(PACKET, 0.0)
    assert isinstance(samples, np.ndarray)
    assert samples.shape == (512,)


def test_json_in_a_binary_message_becomes_a_message() -> None:
    assert intake(3).take(b"\x01\x00\x00\x0f" + b'{"type":"ping"}', 0.0) == Ping()


def test_a_second_hello_is_refused_and_the_session_goes_on() -> None:
    taker = intake()
    error = refusal(taker, '{"type":"hello"}')
    assert (error.code, error.close) == (ErrorCode.HELLO_TWICE, None)
    assert taker.take(LISTEN, 0.0) == Listen("start")


def test_audio_longer_than_the_limit_is_refused() -> None:
    error = refusal(intake(), bytes(4097))
    assert (error.code, error.close) == (ErrorCode.TOO_LONG, None)


def test_bad_messages_end_the_session_when_there_are_too_many_in_a_minute() -> None:
    taker = intake(bad_messages=3)
    for second in range(3):
        assert refusal(taker, b"short", now=second).close is None
    last = refusal(taker, b"short", now=3)
    assert (last.code, last.close) == (ErrorCode.BAD_MESSAGES, CloseCode.BAD_MESSAGES)


def test_a_bad_message_now_and_then_never_ends_the_session() -> None:
    taker = intake(bad_messages=3)
    for minute in range(100):
        assert refusal(taker, b"short", now=60.0 * minute).close is None


def test_unknown_types_never_end_the_session() -> None:
    taker = intake(bad_messages=3, texts_per_s=1000)
    for second in range(100):
        error = refusal(taker, '{"type":"iot"}', now=second)
        assert (error.code, error.close) == (ErrorCode.UNKNOWN_TYPE, None)


@pytest.mark.parametrize(
    ("raw", "limits"),
    [
        (LISTEN, {"texts_per_s": 1, "texts_burst": 10}),
        (PACKET, {"messages_per_s": 1, "messages_burst": 10}),
        (b"", {"messages_per_s": 1, "messages_burst": 10}),
    ],
)
def test_more_messages_than_the_limits_allow_end_the_session(
    raw: str | bytes, limits: dict[str, float]
) -> None:
    taker = intake(bad_messages=100, **limits)
    for _ in range(10):
        try:
            taker.take(raw, 0.0)
        except WireError as error:
            assert error.close is None  # noqa: PT017 (an empty message is refused, not a flood)
    flood = refusal(taker, raw)
    assert (flood.code, flood.close) == (ErrorCode.FLOOD, CloseCode.FLOOD)


def test_more_bytes_than_the_limits_allow_end_the_session() -> None:
    taker = intake(bytes_per_s=1, bytes_burst=16_384)
    pad = json.dumps({"type": "ping", "pad": "x" * 8000})
    taker.take(pad, 0.0)
    taker.take(pad, 0.0)
    assert refusal(taker, pad).close is CloseCode.FLOOD


@given(st.sampled_from([1, 2, 3]), st.lists(st.text() | st.binary(max_size=300), max_size=30))
def test_nothing_that_is_sent_raises_anything_else(version: int, sent: list[str | bytes]) -> None:
    taker = intake(version)
    for raw in sent:
        try:
            taker.take(raw, 0.0)
        except WireError as error:
            if error.close is not None:
                break
