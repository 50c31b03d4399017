"""What does not become a session at all, and what a session survives.

Every way to misuse the wire has a test, here or in `test_ending.py`. Each ends in a named code, a
log line with the reason, nothing left over, and another doll, connected all the while, that notices
nothing.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from relay.wire.errors import CloseCode
from tests.relay.wire.connection.conftest import closed, logged, watching


async def test_a_plain_http_request_is_not_found(server: Any, bystander: None) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /doll HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (await reader.readline()).split()[1] == b"404"
    writer.close()


async def test_something_that_is_not_http_is_told_so(server: Any, bystander: None) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 4 + b"\r\n\r\n")
    assert (await reader.readline()).split()[1] == b"400"
    writer.close()


async def test_another_path_is_forbidden(server: Any, bystander: None) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with connect(server.url + "/other"):
            pass
    assert caught.value.response.status_code == 403


async def test_without_a_hello_the_connection_ends(
    serving: Any, tools: Any, logs: list[Any]
) -> None:
    async with (
        serving(hello_timeout_s=0.05) as server,
        watching(server, tools),
        connect(server.url) as client,
    ):
        assert await closed(client) == (CloseCode.NO_HELLO, "no hello came in time")
        assert (await server.ended.get()).code == CloseCode.NO_HELLO
        assert logged(logs, "disconnected")[0]["code"] == CloseCode.NO_HELLO


@pytest.mark.parametrize(
    ("first", "error", "code"),
    [
        (b"\x00" * 260, "hello_expected", CloseCode.HELLO_EXPECTED),
        ('{"type":"listen","state":"start"}', "hello_expected", CloseCode.HELLO_EXPECTED),
        ("GET / HTTP/1.1", "not_json", CloseCode.HELLO_EXPECTED),
        ("[1,2]", "not_an_object", CloseCode.HELLO_EXPECTED),
        (
            '{"type":"hello","audio_params":{"format":"mp3"}}',
            "unsupported_format",
            CloseCode.UNSUPPORTED_FORMAT,
        ),
        (
            '{"type":"hello","audio_params":{"format":"pcm","sample_rate":44100}}',
            "unsupported_format",
            CloseCode.UNSUPPORTED_FORMAT,
        ),
        (
            '{"type":"hello","version":9,"audio_params":{"format":"pcm"}}',
            "unsupported_version",
            CloseCode.UNSUPPORTED_FORMAT,
        ),
    ],
)
async def test_a_wrong_hello_is_answered_and_closed(
    server: Any,
    tools: Any,
    bystander: None,
    logs: list[Any],
    first: str | bytes,
    error: str,
    code: CloseCode,
) -> None:
    async with server.doll(first) as client:
        message = await tools.answer(client)
        assert (message["type"], message["code"]) == ("error", error)
        assert (await closed(client))[0] == code
    assert (await server.ended.get()).code == code
    assert logged(logs, "disconnected")[0]["reason"].startswith(error)


@pytest.mark.parametrize("version", ["0", "4", "one", "1" * 500])
async def test_a_wrong_protocol_version_is_answered_and_closed(
    server: Any, tools: Any, bystander: None, version: str
) -> None:
    headers = {"Protocol-Version": version}
    async with server.doll(tools.hello(), additional_headers=headers) as client:
        assert (await tools.answer(client))["code"] == "unsupported_version"
        assert (await closed(client))[0] == CloseCode.UNSUPPORTED_FORMAT


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ('{"type":"hello"}', "hello_twice"),
        ("[]", "not_an_object"),
        ("{", "not_json"),
        ('{"type":"iot","states":[]}', "unknown_type"),
        ('{"type":"listen","state":"nap"}', "bad_message"),
        (json.dumps({"type": "ping", "pad": "x" * 17_000}), "too_long"),
        (b"", "bad_frame"),
        (b"\x00" * 259, "bad_audio"),
        (b"\x00\x00\x60\x00" + bytes(256), "bad_audio"),
        (bytes(5000), "too_long"),
    ],
)
async def test_a_bad_message_is_answered_and_the_session_goes_on(
    server: Any, tools: Any, bystander: None, logs: list[Any], bad: str | bytes, error: str
) -> None:
    async with server.doll() as client:
        await client.send(bad)
        message = await tools.answer(client)
        assert (message["type"], message["code"]) == ("error", error)
        await client.send('{"type":"listen","state":"start"}')
        assert (await tools.answer(client))["type"] == "stt"
    (line,) = logged(logs, "message refused")
    assert (line["error"], line["reason"]) == (error, message["message"])


async def test_a_truncated_frame_of_version_2_is_answered(
    server: Any, tools: Any, bystander: None
) -> None:
    async with server.doll(additional_headers={"Protocol-Version": "2"}) as client:
        await client.send(b"\0\x02\0\0" + bytes(8) + b"\0\0\x01\x04" + tools.packet()[:100])
        message = await tools.answer(client)
        assert message["code"] == "bad_frame"
        assert "260" in message["message"]
