"""Who takes over whose session, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from relay.wire.errors import CloseCode
from tests.fakes.connection import LOUD
from tests.fakes.relay import Relay, running
from tests.fakes.sockets import doll_socket


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with running() as relay:
        yield relay


class Doll:
    """A doll that counts, and keeps the audio that it got."""

    def __init__(self, relay: Relay, name: str = "doll-1") -> None:
        self.relay = relay
        self.name = name
        self.session_id = ""
        self.received = 0
        self.frames: list[bytes] = []
        self.states: list[str] = []
        self.resumed: bool | None = None

    @asynccontextmanager
    async def link(self, *, counts: bool = True, **resume: Any) -> AsyncIterator[ClientConnection]:
        """Connect; with `resume` ask for a session."""
        hello: dict[str, Any] = {
            "type": "hello",
            "features": {"resume": counts, "report": True},
            "audio_params": {"format": "pcm", "sample_rate": 16000, "frame_duration": 32},
        }
        if resume:
            hello["resume"] = resume
        token = await self.relay.token(self.name)
        headers = {"Device-Id": self.name, "Authorization": f"Bearer {token}"}
        async with doll_socket(self.relay.url, headers) as socket:
            await socket.send(json.dumps(hello))
            answer = json.loads(await socket.recv())
            assert answer["type"] == "hello"
            self.resumed = answer.get("resumed")
            self.session_id = answer["session_id"]
            yield socket

    def again(self, **changed: Any) -> Any:
        """Connect, and ask to go on."""
        asked = {"session_id": self.session_id, "received": self.received, **changed}
        return self.link(**asked)

    async def ask(self, socket: ClientConnection) -> None:
        await socket.send(json.dumps({"type": "listen", "state": "start", "mode": "manual"}))
        for _ in range(20):
            await socket.send(LOUD.tobytes())
        await socket.send(json.dumps({"type": "listen", "state": "stop"}))

    async def take(self, socket: ClientConnection, frames: int = 10**6) -> None:
        """Receive so many frames, or all up to `tts stop`."""
        enough = len(self.frames) + frames
        while len(self.frames) < enough:
            message = await socket.recv()
            self.received += 1
            if isinstance(message, bytes):
                self.frames.append(message)
                continue
            fields = json.loads(message)
            if fields["type"] == "tts":
                self.states.append(fields["state"])
                if fields["state"] == "stop":
                    return

    def assert_heard_all(self, relay: Relay) -> None:
        pcm = np.concatenate(relay.tts._chunks() * len(relay.tts.calls))
        assert b"".join(self.frames)[: pcm.nbytes] == pcm.tobytes()
        assert self.states.count("start") == self.states.count("stop") == 1


async def dolls(relay: Relay) -> int:
    address = relay.url.replace("ws:", "http:").replace("/xiaozhi/v1/", "/healthz")
    async with httpx2.AsyncClient() as client:
        return int((await client.get(address)).json()["dolls"])


async def test_a_doll_that_was_cut_off_takes_its_session_over(relay: Relay) -> None:
    doll = Doll(relay)
    async with doll.link() as socket:
        assert doll.resumed is None
        session = doll.session_id
        await doll.ask(socket)
        await doll.take(socket, frames=30)
        socket.transport.abort()
    async with doll.again() as socket:
        assert doll.resumed is True
        assert doll.session_id == session
        await doll.take(socket)
        doll.assert_heard_all(relay)
        # and the next question is one of the same session
        await doll.ask(socket)
        await doll.take(socket, frames=5)
        assert await dolls(relay) == 1
    assert len(relay.llm.requests[1].history) == 2


async def test_the_new_connection_wins_while_the_old_one_looks_alive(relay: Relay) -> None:
    doll = Doll(relay)
    async with doll.link() as old:
        await doll.ask(old)
        await doll.take(old, frames=10)
        async with doll.again() as new:
            assert doll.resumed is True
            with pytest.raises(ConnectionClosed):
                while True:
                    await old.recv()
            assert old.close_code == CloseCode.REPLACED
            await doll.take(new)
    doll.assert_heard_all(relay)


async def test_a_session_that_nobody_knows_is_begun_anew(relay: Relay) -> None:
    doll = Doll(relay)
    async with doll.again(session_id="0123456789abcdef") as socket:
        assert doll.resumed is False
        assert doll.session_id != "0123456789abcdef"
        await doll.ask(socket)
        await doll.take(socket)
    doll.assert_heard_all(relay)


@pytest.mark.parametrize("wrong", [{"session_id": "x"}, {"received": 10**6}])
async def test_who_cannot_tell_where_he_was_begins_anew_and_ends_the_old_session(
    relay: Relay, wrong: dict[str, Any]
) -> None:
    doll = Doll(relay)
    async with doll.link() as socket:
        await doll.ask(socket)
        await doll.take(socket, frames=5)
        socket.transport.abort()
    async with doll.again(**wrong):
        assert doll.resumed is False
        assert await dolls(relay) == 1
        while relay.tts.finished + relay.tts.stopped < len(relay.tts.calls):
            await asyncio.sleep(0.01)


async def test_another_doll_does_not_get_a_session_though_it_knows_its_name(relay: Relay) -> None:
    doll, thief = Doll(relay), Doll(relay, "doll-2")
    async with doll.link() as socket:
        await doll.ask(socket)
        await doll.take(socket, frames=5)
        thief.session_id, thief.received = doll.session_id, doll.received
        async with thief.again():
            assert thief.resumed is False
        await doll.take(socket)
    doll.assert_heard_all(relay)


async def test_a_doll_that_was_still_asking_begins_anew(relay: Relay) -> None:
    doll = Doll(relay)
    async with doll.link() as socket:
        await socket.send(json.dumps({"type": "listen", "state": "start", "mode": "manual"}))
        await socket.send(LOUD.tobytes())
        await socket.send(json.dumps({"type": "ping"}))
        await socket.recv()
        async with doll.again():
            assert doll.resumed is False


async def test_a_device_that_does_not_count_is_forgotten_at_once(relay: Relay) -> None:
    doll = Doll(relay)
    async with doll.link(counts=False) as socket:
        await doll.ask(socket)
        await doll.take(socket, frames=5)
        socket.transport.abort()
    while await dolls(relay):
        await asyncio.sleep(0.01)
    async with doll.again():
        assert doll.resumed is False


async def test_an_interruption_ends_what_is_being_sent_again(relay: Relay) -> None:
    doll = Doll(relay)
    async with doll.link() as socket:
        await doll.ask(socket)
        await doll.take(socket)
        socket.transport.abort()
    heard = len(doll.frames)
    async with doll.again(received=4) as socket:  # as if hardly anything had come
        await socket.recv()
        await socket.send(json.dumps({"type": "abort"}))
        await doll.take(socket)
    assert len(doll.frames) - heard < heard - 10


async def test_a_doll_whose_link_is_lost_keeps_its_place_in_a_full_relay() -> None:
    async with running(relay={"max_dolls": 1}) as relay:
        doll = Doll(relay)
        async with doll.link() as socket:
            await doll.ask(socket)
            await doll.take(socket, frames=5)
            socket.transport.abort()
        with pytest.raises((InvalidStatus, ConnectionClosed)):
            async with Doll(relay, "doll-2").link():
                pass
        async with doll.again() as socket:
            assert doll.resumed is True
            await doll.take(socket)
    doll.assert_heard_all(relay)


async def test_a_doll_that_comes_while_the_relay_parts_from_others_is_sent_to_the_next_one(
    relay: Relay,
) -> None:
    doll = Doll(relay)
    late = {"Device-Id": "late", "Authorization": f"Bearer {await relay.token('late')}"}
    async with doll.link() as socket:
        await doll.ask(socket)
        await doll.take(socket, frames=10)
        closing = asyncio.create_task(relay.dolls.close())
        await asyncio.sleep(0)
        async with doll_socket(relay.url, late) as refused:
            # A link that was opened and closed, not a refused one: it comes back at once.
            with pytest.raises(ConnectionClosed):
                await refused.recv()
            assert refused.close_code == CloseCode.GOING_AWAY
        assert not closing.done()
        await doll.take(socket)
        doll.assert_heard_all(relay)
        with pytest.raises(ConnectionClosed):
            while True:
                await socket.recv()
        assert socket.close_code == CloseCode.GOING_AWAY
        await closing
