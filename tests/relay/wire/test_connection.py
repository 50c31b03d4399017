"""Connection over real sockets: uvicorn on one side, the `websockets` client on the other.

Every way to misuse the wire has a test here. Each ends in a named code, a log line with the reason,
nothing left over, and another doll, connected all the while, that notices nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from relay.wire.codecs.adpcm import AdpcmDecoder, AdpcmEncoder
from relay.wire.codecs.opus import OpusDecoder
from relay.wire.errors import CloseCode
from relay.wire.framing import framing


@pytest.fixture
async def server(serving: Any) -> AsyncIterator[Any]:
    async with serving() as started:
        yield started


@pytest.fixture
async def bystander(server: Any, tools: Any) -> AsyncIterator[None]:
    """Another doll: connected before the test, and served as before after it."""
    async with watching(server, tools):
        yield


@contextlib.asynccontextmanager
async def watching(server: Any, tools: Any) -> AsyncIterator[None]:
    async with server.doll(additional_headers={"Device-Id": "bystander"}) as other:
        yield
        await other.send(tools.packet())
        assert len(await other.recv()) == 260
        await other.send('{"type":"listen","state":"start"}')
        assert (await tools.answer(other))["text"] == "start"


async def closed(client: Any) -> tuple[int, str]:
    """Read until the connection ends; its close code and reason."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            await client.recv()
    return client.close_code, client.close_reason


def logged(logs: list[Any], event: str) -> list[dict[str, Any]]:
    return [line for line in logs if line["event"] == event and line["device"] != "bystander"]


# What a doll gets that does everything right.


async def test_the_first_message_of_the_relay_is_its_hello(server: Any, tools: Any) -> None:
    async with server.doll(tools.hello("pcm"), additional_headers={"Device-Id": "d1"}) as client:
        assert await tools.answer(client) == {
            "type": "hello",
            "transport": "websocket",
            "session_id": "session-d1",
            "audio_params": {
                "format": "pcm",
                "sample_rate": 16000,
                "channels": 1,
                "frame_duration": 32,
            },
        }


async def test_audio_goes_through_both_codecs_and_back(server: Any) -> None:
    tone = (9000 * np.sin(np.arange(512) / 5)).astype(np.int16)
    sent = AdpcmEncoder().encode(tone)
    async with server.doll() as client:
        await client.send(sent)
        heard = AdpcmDecoder().decode(await client.recv())
    expected = AdpcmDecoder().decode(sent)
    assert np.array_equal(heard, AdpcmDecoder().decode(AdpcmEncoder().encode(expected)))


async def test_a_stock_board_is_answered_in_opus_at_24_khz(server: Any, tools: Any) -> None:
    pytest.importorskip("opuslib_next")
    async with server.doll(tools.hello("opus", 60)) as client:
        params = (await tools.answer(client))["audio_params"]
        assert params == {
            "format": "opus",
            "sample_rate": 24000,
            "channels": 1,
            "frame_duration": 60,
        }
        await client.send('{"type":"listen","state":"detect","text":"hi"}')
        assert (await tools.answer(client))["state"] == "start"
        assert len(OpusDecoder().decode(await client.recv())) == 960
        client.transport.abort()  # it would not end its talk for a polite close


async def test_what_older_and_newer_boards_say_besides_is_passed_over(
    server: Any, tools: Any
) -> None:
    async with server.doll() as client:
        for message in (
            {"type": "iot", "update": True, "descriptors": [{"name": "Speaker"}]},
            {"type": "listen", "state": "start", "mode": "auto", "future": [1]},
        ):
            await client.send(json.dumps(message))
        assert (await tools.answer(client))["code"] == "unknown_type"
        assert (await tools.answer(client))["type"] == "stt"


async def test_a_goodbye_is_the_end(server: Any) -> None:
    async with server.doll() as client:
        await client.send('{"type":"goodbye","session_id":"s"}')
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert client.close_code == CloseCode.NORMAL
    assert (await server.ended.get()).code == CloseCode.NORMAL


@pytest.mark.parametrize(("version", "header_bytes"), [(2, 16), (3, 4)])
async def test_the_framing_that_the_upgrade_asks_for_is_used(
    server: Any, tools: Any, version: int, header_bytes: int
) -> None:
    headers = {"Protocol-Version": str(version)}
    async with server.doll(additional_headers=headers) as client:
        await client.send(framing(version).pack(tools.packet()))
        first = await client.recv()
        await client.send(framing(version).pack(tools.packet()))
        second = framing(version).unpack(await client.recv())
    assert len(first) == header_bytes + 260
    assert second.timestamp_ms == (32 if version == 2 else 0)


async def test_without_the_header_the_hello_says_the_framing(server: Any, tools: Any) -> None:
    async with server.doll(tools.hello(version=3)) as client:
        await client.recv()
        await client.send(b"\0\0\x01\x04" + tools.packet())
        assert len(await client.recv()) == 264


async def test_a_reply_starts_the_encoder_anew(server: Any, tools: Any) -> None:
    async with server.doll() as client:
        await client.send(tools.packet())
        await client.recv()
        await client.send('{"type":"listen","state":"detect"}')
        assert (await tools.answer(client))["state"] == "start"
        assert (await client.recv())[:4] == bytes(4)
        client.transport.abort()


async def test_a_ping_is_answered_by_a_pong(server: Any, tools: Any) -> None:
    async with server.doll() as client:
        await client.send('{"type":"ping"}')
        assert await tools.answer(client) == {"type": "pong"}


async def test_every_message_names_the_session(server: Any, tools: Any) -> None:
    async with server.doll(additional_headers={"Device-Id": "d1"}) as client:
        await client.send('{"type":"abort"}')
        assert await tools.answer(client) == {
            "type": "tts",
            "state": "stop",
            "session_id": "session-d1",
        }


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("aa:bb:cc:dd:ee:ff", "aa:bb:cc:dd:ee:ff"),
        (None, "unnamed-session-"),
        ("x" * 65, "unnamed-session-"),
        ("two words", "unnamed-session-"),
        ("caf\xe9", "unnamed-session-"),
    ],
)
async def test_a_doll_without_a_proper_name_is_named_after_its_session(
    server: Any, logs: list[Any], given: str | None, used: str
) -> None:
    headers = {} if given is None else {"Device-Id": given}
    async with server.doll(additional_headers=headers):
        pass
    await server.ended.get()
    assert {line["device"] for line in logs} == {used}


async def test_the_token_is_never_logged(server: Any, logs: list[Any]) -> None:
    async with server.doll(additional_headers={"Authorization": "Bearer s3cret"}) as client:
        await client.send("nonsense")
        await client.recv()
    await server.ended.get()
    assert logs
    assert "s3cret" not in repr(logs)


# What does not become a session at all.


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


# What a session survives.


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


# What ends a session.


async def test_a_message_far_too_large_ends_the_session(
    server: Any, bystander: None, logs: list[Any]
) -> None:
    async with server.doll() as client:
        await client.send("x" * 40_000)
        assert (await closed(client))[0] == CloseCode.TOO_BIG
    assert (await server.ended.get()).code == CloseCode.TOO_BIG
    assert logged(logs, "disconnected")[0]["code"] == CloseCode.TOO_BIG


async def test_text_that_is_not_utf_8_ends_the_session(server: Any, bystander: None) -> None:
    async with server.doll() as client:
        await client.send(b"\xff\xfe", text=True)
        assert (await closed(client))[0] == CloseCode.INVALID_TEXT
    assert (await server.ended.get()).code == CloseCode.INVALID_TEXT


async def test_a_flood_of_text_ends_the_session(
    server: Any, bystander: None, logs: list[Any]
) -> None:
    async with server.doll() as client:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(1000):
                await client.send('{"type":"listen","state":"stop"}')
        code, reason = await closed(client)
        assert code == CloseCode.FLOOD
        assert reason.startswith("flood")
    assert (await server.ended.get()).code == CloseCode.FLOOD
    assert logged(logs, "disconnected")[0]["code"] == CloseCode.FLOOD


async def test_a_flood_of_audio_ends_the_session(serving: Any, tools: Any) -> None:
    async with (
        serving(messages_per_s=1, messages_burst=50) as server,
        watching(server, tools),
        server.doll() as client,
    ):
        with contextlib.suppress(ConnectionClosed):
            for _ in range(1000):
                await client.send(tools.packet())
        assert (await closed(client))[0] == CloseCode.FLOOD


async def test_too_many_bad_messages_end_the_session(
    server: Any, bystander: None, logs: list[Any]
) -> None:
    async with server.doll() as client:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(30):
                await client.send(b"noise")
        code, reason = await closed(client)
        assert code == CloseCode.BAD_MESSAGES
        assert "adpcm packet" in reason
    assert len(logged(logs, "message refused")) == 20


async def test_a_client_that_never_reads_is_given_up_on(
    serving: Any, tools: Any, logs: list[Any]
) -> None:
    async with serving(send_timeout_s=0.1, close_timeout_s=0.1) as server, watching(server, tools):
        async with server.doll(close_timeout=0.1) as client:
            client.transport.pause_reading()
            await client.send('{"type":"listen","state":"detect"}')
            assert (await server.ended.get()).code == CloseCode.SLOW_READER
            client.transport.abort()
        (line,) = logged(logs, "disconnected")
        assert line["reason"] == "does not read what is sent to it"


async def test_a_client_that_vanishes_is_noticed(
    server: Any, bystander: None, logs: list[Any]
) -> None:
    async with server.doll() as client:
        client.transport.abort()
        over = await server.ended.get()
    assert over.reason == "gone"
    assert len(logged(logs, "disconnected")) == 1


async def test_a_client_that_vanishes_while_it_is_spoken_to_is_noticed(
    server: Any, bystander: None
) -> None:
    async with server.doll() as client:
        await client.send('{"type":"listen","state":"detect"}')
        await client.recv()
        client.transport.abort()
        assert (await server.ended.get()).reason == "gone"


async def test_a_client_that_leaves_politely_is_noticed(server: Any, logs: list[Any]) -> None:
    async with server.doll() as client:
        await client.close(1000, "good night")
    over = await server.ended.get()
    assert (over.code, over.reason) == (1000, "good night")
    assert logged(logs, "disconnected")[0]["reason"] == "good night"


async def test_a_silent_client_is_closed_as_idle(serving: Any, logs: list[Any]) -> None:
    async with serving(idle_timeout_s=0.05) as server, server.doll() as client:
        assert (await closed(client))[0] == CloseCode.IDLE
        assert (await server.ended.get()).code == CloseCode.IDLE
        assert logged(logs, "disconnected")[0]["code"] == CloseCode.IDLE


async def test_the_relay_can_end_a_session_and_says_why(server: Any, bystander: None) -> None:
    async with server.doll() as client:
        await client.send('{"type":"abort","reason":"close"}')
        assert await closed(client) == (CloseCode.GOING_AWAY, "bye")
    assert (await server.ended.get()).reason == "bye"


async def test_closing_wakes_a_receive_that_waits_and_every_later_call_fails(
    server: Any,
) -> None:
    async with server.doll() as client:
        (connection,) = server.alive
        await connection.close(CloseCode.REPLACED, "the same device connected again")
        assert (await server.ended.get()).code == CloseCode.REPLACED
        for call in (connection.receive(), connection.send_audio(np.zeros(512, np.int16))):
            with pytest.raises(Exception, match="4005"):
                await call
        await connection.close(CloseCode.NORMAL, "again")
        assert (await closed(client))[0] == CloseCode.REPLACED


async def test_a_fault_of_the_relay_costs_one_session(server: Any, bystander: None) -> None:
    async with server.doll() as client:
        await client.send('{"type":"mcp","payload":{}}')
        await closed(client)


async def test_nothing_is_left_of_a_connection_that_has_ended(server: Any) -> None:
    for _ in range(3):
        async with server.doll() as client:
            await client.send("nonsense")
            await client.recv()
            client.transport.abort()
        await server.ended.get()
    assert server.forgotten()


async def test_the_server_may_not_be_asked_to_compress(server: Any, tools: Any) -> None:
    async with server.doll(compression="deflate") as client:
        assert "Sec-WebSocket-Extensions" not in client.response.headers
