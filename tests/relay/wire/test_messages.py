from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.wire.errors import ErrorCode, WireError
from relay.wire.messages import (
    MAX_DEPTH,
    MAX_TEXT_BYTES,
    Abort,
    Alert,
    AudioParams,
    DeviceMessage,
    Error,
    Features,
    Hello,
    Listen,
    Llm,
    Mcp,
    Ping,
    Pong,
    RelayMessage,
    Report,
    ServerHello,
    Stt,
    System,
    Tts,
    clip,
    decode,
    encode,
)

STOCK_HELLO = """
{"type":"hello","version":1,"features":{"mcp":true,"aec":true,"glyph_push":false},
 "transport":"websocket",
 "audio_params":{"format":"opus","sample_rate":16000,"channels":1,"frame_duration":60}}
"""

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def outcome(text: str | bytes) -> DeviceMessage | WireError:
    try:
        return decode(text)
    except WireError as error:
        return error


def refusal(text: str | bytes) -> WireError:
    error = outcome(text)
    assert isinstance(error, WireError)
    assert error.close is None
    return error


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            STOCK_HELLO,
            Hello(1, Features(mcp=True, aec=True), "websocket", AudioParams("opus", 16000, 1, 60)),
        ),
        (
            '{"session_id":"s","type":"listen","state":"start","mode":"realtime"}',
            Listen("start", "realtime", session_id="s"),
        ),
        ('{"type":"listen","state":"stop"}', Listen("stop")),
        (
            '{"type":"listen","state":"detect","text":"안녕 차차"}',
            Listen("detect", text="안녕 차차"),
        ),
        ('{"session_id":"s","type":"abort"}', Abort(session_id="s")),
        ('{"type":"abort","reason":"wake_word_detected"}', Abort("wake_word_detected")),
        (
            '{"type":"mcp","payload":{"jsonrpc":"2.0","id":1,"result":{}}}',
            Mcp({"jsonrpc": "2.0", "id": 1, "result": {}}),
        ),
        ('{"type":"ping"}', Ping()),
        ('{"type":"report"}', Report()),
        (
            '{"type":"report","frames_played":90,"heap_per_frame":0.5,"rssi":-61}',
            Report(frames_played=90, heap_per_frame=0.5, rssi=-61),
        ),
    ],
)
def test_each_message_of_a_device_is_understood(text: str, message: object) -> None:
    assert decode(text) == message
    assert decode(text.encode()) == message


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            ServerHello("s1", AudioParams("opus", 24000, 1, 60)),
            {
                "type": "hello",
                "transport": "websocket",
                "session_id": "s1",
                "audio_params": {
                    "format": "opus",
                    "sample_rate": 24000,
                    "channels": 1,
                    "frame_duration": 60,
                },
            },
        ),
        (Stt("안녕"), {"type": "stt", "text": "안녕"}),
        (Llm("happy", "🙂"), {"type": "llm", "emotion": "happy", "text": "🙂"}),
        (Llm("sad", light=0x1E3CFF), {"type": "llm", "emotion": "sad", "light": 1981695}),
        (Tts("start"), {"type": "tts", "state": "start"}),
        (
            Tts("sentence_start", "Hi."),
            {"type": "tts", "state": "sentence_start", "text": "Hi."},
        ),
        (Mcp({"id": 1}), {"type": "mcp", "payload": {"id": 1}}),
        (System("reboot"), {"type": "system", "command": "reboot"}),
        (
            Alert("A", "B"),
            {"type": "alert", "status": "A", "message": "B", "emotion": "neutral"},
        ),
        (
            Error(ErrorCode.BAD_AUDIO, "x"),
            {"type": "error", "code": "bad_audio", "message": "x"},
        ),
        (Pong(), {"type": "pong"}),
    ],
)
def test_each_message_to_a_device_has_the_shape_that_stock_firmware_reads(
    message: RelayMessage, expected: dict[str, object]
) -> None:
    assert json.loads(encode(message)) == expected


def test_the_session_is_named_in_messages_that_have_a_place_for_it() -> None:
    assert json.loads(encode(Tts("stop"), "s1"))["session_id"] == "s1"
    assert json.loads(encode(Tts("stop", session_id="s2"), "s1"))["session_id"] == "s2"
    assert "session_id" not in json.loads(encode(Pong(), "s1"))


def test_fields_that_are_not_known_are_skipped() -> None:
    assert decode('{"type":"ping","later":{"a":[1,2]},"x":null}') == Ping()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", ErrorCode.NOT_JSON),
        ("hello", ErrorCode.NOT_JSON),
        ('{"type":"ping"} x', ErrorCode.NOT_JSON),
        ('{"type":"listen","state":5', ErrorCode.NOT_JSON),
        (b'{"type":"\xff"}', ErrorCode.NOT_JSON),
        ("\ud800", ErrorCode.NOT_JSON),
        ("[]", ErrorCode.NOT_AN_OBJECT),
        ('"ping"', ErrorCode.NOT_AN_OBJECT),
        ("null", ErrorCode.NOT_AN_OBJECT),
        ("{}", ErrorCode.BAD_MESSAGE),
        ('{"type":7}', ErrorCode.BAD_MESSAGE),
        ('{"type":"iot","states":[]}', ErrorCode.UNKNOWN_TYPE),
        ('{"type":"listen"}', ErrorCode.BAD_MESSAGE),
        ('{"type":"listen","state":"begin"}', ErrorCode.BAD_MESSAGE),
        ('{"type":"listen","state":"start","mode":7}', ErrorCode.BAD_MESSAGE),
        ('{"type":"hello","transport":"udp"}', ErrorCode.BAD_MESSAGE),
        ('{"type":"hello","audio_params":{"sample_rate":"fast"}}', ErrorCode.BAD_MESSAGE),
        ('{"type":"hello","audio_params":{"sample_rate":-1}}', ErrorCode.BAD_MESSAGE),
        ('{"type":"hello","version":' + "9" * 400 + "}", ErrorCode.BAD_MESSAGE),
        ('{"type":"mcp","payload":[]}', ErrorCode.BAD_MESSAGE),
        ('{"type":"report","frames_lost":-1}', ErrorCode.BAD_MESSAGE),
        ('{"type":"report","heap_per_frame":1e999}', ErrorCode.BAD_MESSAGE),
    ],
)
def test_what_is_no_message_is_refused_by_name(text: str | bytes, code: ErrorCode) -> None:
    assert refusal(text).code is code


def test_a_refusal_says_which_field_is_wrong() -> None:
    assert "$.state" in refusal('{"type":"listen","state":"begin"}').message
    assert "'iot'" in refusal('{"type":"iot"}').message


def test_a_refusal_repeats_at_most_80_characters_of_the_input() -> None:
    flood = "x" * 9000
    for text in (
        json.dumps({"type": flood}),
        json.dumps({"type": "listen", "state": flood}),
        json.dumps({"type": "listen", "state": "detect", "text": flood}),
        json.dumps({flood: flood}),
        flood,
    ):
        assert refusal(text).message.count("x") <= 80


def test_a_text_message_may_have_16_kib_of_utf_8_and_no_more() -> None:
    frame = len(json.dumps({"type": "ping", "pad": ""}))
    assert decode(json.dumps({"type": "ping", "pad": "x" * (MAX_TEXT_BYTES - frame)})) == Ping()
    assert refusal("x" * (MAX_TEXT_BYTES + 1)).code is ErrorCode.TOO_LONG
    assert refusal("한" * (MAX_TEXT_BYTES // 3 + 1)).code is ErrorCode.TOO_LONG


def test_a_wake_word_may_have_1000_characters() -> None:
    text = {"type": "listen", "state": "detect", "text": "한" * 1000}
    assert decode(json.dumps(text, ensure_ascii=False)) == Listen("detect", text="한" * 1000)
    text["text"] += "한"
    assert refusal(json.dumps(text, ensure_ascii=False)).code is ErrorCode.BAD_MESSAGE


@pytest.mark.parametrize("field", ["payload", "unknown"])
def test_json_nested_a_thousand_deep_is_refused_and_does_no_harm(field: str) -> None:
    depth = 1300
    text = '{"type":"mcp","payload":{},"' + field + '":' + '{"a":' * depth + "1" + "}" * depth + "}"
    assert refusal(text).code is ErrorCode.BAD_MESSAGE


def test_an_mcp_payload_may_be_nested_to_the_limit() -> None:
    def nested(depth: int) -> str:
        inner = '{"a":' * (depth - 1) + "{}" + "}" * (depth - 1)
        return '{"type":"mcp","payload":' + inner + "}"

    assert isinstance(decode(nested(MAX_DEPTH)), Mcp)
    assert refusal(nested(MAX_DEPTH + 1)).code is ErrorCode.BAD_MESSAGE


@given(st.text() | st.binary())
def test_any_text_is_a_message_or_a_refusal(text: str | bytes) -> None:
    result = outcome(text)
    if isinstance(result, WireError):
        assert result.close is None
        assert result.message


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.sampled_from(["hello", "listen", "abort", "mcp", "ping", "report", "start"])
            | json_values
            for name in ("type", "state", "mode", "text", "payload", "version", "audio_params")
        },
    )
)
def test_any_object_is_a_message_or_a_refusal(value: dict[str, object]) -> None:
    result = outcome(json.dumps(value))
    if isinstance(result, WireError):
        assert result.close is None
        assert len(result.message) < 160


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_an_mcp_payload_arrives_as_it_was_sent(payload: dict[str, object]) -> None:
    message = outcome(json.dumps({"type": "mcp", "payload": payload}))
    if isinstance(message, WireError):
        assert message.code is ErrorCode.TOO_LONG or "range" in message.message
    else:
        assert message == Mcp(payload)
        assert json.loads(encode(Mcp(payload))) == {"type": "mcp", "payload": payload}


def test_clipping_keeps_short_texts_and_marks_cut_ones() -> None:
    assert clip("abc", 3) == "abc"
    assert clip("abcd", 3) == "ab…"


def test_every_message_and_code_is_in_the_documentation() -> None:
    root = Path(__file__).parents[3]
    document = (root / "docs" / "protocol.md").read_text(encoding="utf-8")
    for kind in ("hello", "listen", "abort", "mcp", "ping", "report", "stt", "llm", "tts"):
        assert f'"type":"{kind}"' in document
    for code in ErrorCode:
        assert f"`{code}`" in document
