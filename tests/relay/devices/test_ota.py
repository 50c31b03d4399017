"""What a board posts is read, and the answer has the form that its firmware reads."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.devices.ota import (
    Activation,
    ActivationProof,
    Image,
    OtaAnswer,
    OtaError,
    WebSocketPlace,
    challenge,
    read_proof,
    read_report,
    server_time,
    websocket_url,
)
from relay.devices.pairing import Pending
from tests.relay.devices.test_tools import JSON

WHEN = datetime(2026, 8, 8, 12, 0, tzinfo=UTC)


def test_the_answer_byte_for_byte() -> None:
    answer = OtaAnswer(
        server_time(WHEN.astimezone(ZoneInfo("Asia/Seoul"))),
        WebSocketPlace("wss://doll.example/xiaozhi/v1/", token=""),
        Image("2.4.2"),
        Activation("123456", "doll pair 123456", "c0ffee"),
    )
    assert msgspec.json.encode(answer) == (
        b'{"server_time":{"timestamp":1786190400000,"timezone_offset":540},'
        b'"websocket":{"url":"wss://doll.example/xiaozhi/v1/","version":1,"token":""},'
        b'"firmware":{"version":"2.4.2","url":""},'
        b'"activation":{"code":"123456","message":"doll pair 123456","challenge":"c0ffee",'
        b'"timeout_ms":30000}}'
    )


def test_a_board_that_is_ours_is_told_neither_a_token_nor_a_code() -> None:
    answer = OtaAnswer(server_time(WHEN), WebSocketPlace("ws://10.0.0.7:8000/xiaozhi/v1/"))
    assert json.loads(msgspec.json.encode(answer)) == {
        "server_time": {"timestamp": 1786190400000, "timezone_offset": 0},
        "websocket": {"url": "ws://10.0.0.7:8000/xiaozhi/v1/", "version": 1},
    }


@pytest.mark.parametrize("version", ["2.4.2", "1.0", "7", "2.10.0.1"])
def test_a_version_that_boards_can_read_is_kept(version: str) -> None:
    assert read_report(json.dumps({"application": {"version": version}}).encode()).firmware == (
        version
    )


@pytest.mark.parametrize(
    "version", ["", "v1.0", "1.0-beta", "1..0", "1.", "999999", "१.0", 2, None]
)
def test_any_other_is_not(version: object) -> None:
    assert read_report(json.dumps({"application": {"version": version}}).encode()).firmware == ""


def test_a_challenge_belongs_to_one_pairing_and_does_not_tell_its_ticket() -> None:
    one, two = (Pending(ticket * 32, "mac", "123456", 0, False) for ticket in "ab")
    assert challenge(one) == challenge(one) != challenge(two)
    assert one.ticket not in challenge(one)


def test_a_proof_is_about_its_challenge() -> None:
    assert ActivationProof().answers("c")
    assert ActivationProof(challenge="c", hmac="0F" * 32).answers("c")
    assert not ActivationProof(challenge="d", hmac="0f" * 32).answers("c")
    assert not ActivationProof(challenge="c").answers("c")
    assert not ActivationProof(algorithm="none", challenge="c", hmac="0f" * 32).answers("c")


@pytest.mark.parametrize(
    ("public", "scheme", "host", "url"),
    [
        ("", "http", "10.0.0.7:8000", "ws://10.0.0.7:8000/v1/"),
        ("", "https", "doll.example", "wss://doll.example/v1/"),
        ("", "http", "[fe80::1]:8000", "ws://[fe80::1]:8000/v1/"),
        ("https://doll.example", "http", "10.0.0.7", "wss://doll.example/v1/"),
        ("wss://doll.example:8443/", "http", "x", "wss://doll.example:8443/v1/"),
        ("http://nas/dolls", "https", "x", "ws://nas/dolls/v1/"),
    ],
)
def test_where_the_board_is_sent(public: str, scheme: str, host: str, url: str) -> None:
    assert websocket_url(public, scheme, host, "/v1/") == url


@given(st.text(max_size=40))
def test_a_host_is_a_host(host: str) -> None:
    try:
        url = websocket_url("", "http", host, "/v1/")
    except OtaError:
        return
    assert url == f"ws://{host}/v1/"
    assert not set(host) & set("/?#@ \r\n\\")


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    for read in (read_report, read_proof):
        with contextlib.suppress(OtaError):
            read(body)
