"""What is too much is refused, over real sockets: with a reason, a close code and a count."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from relay.metrics.refusals import Limit, counted
from relay.places import Places
from relay.wire.errors import CloseCode
from tests.fakes.connection import LOUD
from tests.fakes.relay import Relay, running
from tests.fakes.sockets import doll_socket


@asynccontextmanager
async def doll(relay: Relay, name: str, **more: str) -> AsyncIterator[ClientConnection]:
    token = await relay.token(name)
    headers = {"Device-Id": name, "Authorization": f"Bearer {token}", **more}
    hello = {"type": "hello", "audio_params": {"format": "pcm", "frame_duration": 32}}
    async with doll_socket(relay.url, headers) as socket:
        await socket.send(json.dumps(hello))
        assert json.loads(await socket.recv())["type"] == "hello"
        yield socket


async def ask(socket: ClientConnection) -> list[dict[str, Any]]:
    """One turn, and the texts up to its end."""
    await socket.send(json.dumps({"type": "listen", "state": "start", "mode": "manual"}))
    for _ in range(20):
        await socket.send(LOUD.tobytes())
    await socket.send(json.dumps({"type": "listen", "state": "stop"}))
    texts = []
    while True:
        message = await socket.recv()
        if isinstance(message, str):
            texts.append(json.loads(message))
            if texts[-1].get("state") == "stop":
                return texts


async def closed(socket: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed):
        async with asyncio.timeout(5):
            while True:
                await socket.recv()
    return socket.close_code


async def test_one_address_has_so_many_dolls_behind_a_proxy_too() -> None:
    before = counted(Limit.SOCKETS_PER_ADDRESS)
    settings: dict[str, Any] = {
        "relay": {"behind_proxy": ["127.0.0.1"]},
        "limits": {"sockets_per_address": 1},
    }
    async with running(**settings) as relay:
        home = {"X-Forwarded-For": "198.51.100.1"}
        async with doll(relay, "one", **home):
            with capture_logs() as logs, pytest.raises(InvalidStatus):
                async with doll(relay, "two", **home):
                    pass
            async with doll(relay, "three", **{"X-Forwarded-For": "198.51.100.2"}):
                pass
        async with doll(relay, "two", **home):
            pass
    assert counted(Limit.SOCKETS_PER_ADDRESS) == before + 1
    assert [line for line in logs if "sockets_per_address" in line.get("why", "")]


def test_places_forget_addresses_that_have_left() -> None:
    places = Places(1)
    for number in range(1000):
        with places.taken(f"2001:db8:0:{number:x}::1"):
            assert places.exceeded(f"2001:db8:0:{number:x}::2") is Limit.SOCKETS_PER_ADDRESS
    assert not places._taken


async def test_more_turns_than_allowed_are_told_aloud_and_cost_no_model() -> None:
    before = counted(Limit.TURNS)
    async with running(limits={"turns_per_min": 1}) as relay:
        relay.tts.seconds_per_clause = 0.1
        async with doll(relay, "one") as socket:
            for _ in range(2):  # twice as many at once
                assert "stt" in [text["type"] for text in await ask(socket)]
            texts = await ask(socket)
        assert len(relay.llm.requests) == 2
        assert "stt" not in [text["type"] for text in texts]
        assert any(text.get("state") == "sentence_start" for text in texts), "it says so"
    assert counted(Limit.TURNS) == before + 1


async def test_a_session_ends_after_its_time_and_the_doll_comes_back() -> None:
    before = counted(Limit.SESSION_TIME)
    async with running(limits={"session_s": 60}) as relay:
        async with doll(relay, "one") as socket:
            session = relay.dolls._sessions["one"]
            relay.dolls._end_of_time(session, 1)  # as the timer does, a minute later
            assert await closed(socket) == CloseCode.SESSION_OVER
        async with doll(relay, "one") as socket:
            await ask(socket)
    assert counted(Limit.SESSION_TIME) == before + 1


async def test_a_flood_is_cut_off_and_counted() -> None:
    before = counted(Limit.RATE)
    limits = {"texts_per_s": 1, "texts_burst": 3}
    async with running(limits=limits) as relay, doll(relay, "one") as socket:
        for _ in range(10):
            await socket.send('{"type":"ping"}')
        assert await closed(socket) == CloseCode.FLOOD
    assert counted(Limit.RATE) == before + 1


async def test_an_utterance_without_end_is_answered_at_its_limit() -> None:
    before = counted(Limit.UTTERANCE)
    async with running(endpoint={"max_utterance_s": 1}) as relay, doll(relay, "one") as socket:
        relay.tts.seconds_per_clause = 0.1
        await socket.send(json.dumps({"type": "listen", "state": "start", "mode": "manual"}))
        for _ in range(40):
            await socket.send(LOUD.tobytes())
        while True:
            message = await socket.recv()
            if isinstance(message, str) and json.loads(message).get("state") == "stop":
                break
        assert len(relay.services.stt.calls) == 1  # type: ignore[attr-defined]
    assert counted(Limit.UTTERANCE) >= before + 1
