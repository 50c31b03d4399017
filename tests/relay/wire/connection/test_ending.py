"""What ends a session, and that nothing is left of it then."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from relay.wire.errors import CloseCode
from tests.relay.wire.connection.conftest import closed, logged, watching


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
