"""What a doll gets that does everything right, over real sockets.

uvicorn is on one side, the `websockets` client on the other.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from relay.wire.codecs.adpcm import AdpcmDecoder, AdpcmEncoder
from relay.wire.codecs.opus import OpusDecoder
from relay.wire.errors import CloseCode
from relay.wire.framing import framing


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


async def test_the_server_may_not_be_asked_to_compress(server: Any, tools: Any) -> None:
    async with server.doll(compression="deflate") as client:
        assert "Sec-WebSocket-Extensions" not in client.response.headers
