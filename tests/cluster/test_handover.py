"""A doll that comes back to another worker than the one that it left, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from relay.live.overview import Overview
from relay.web.wishes import Wish, Wishes
from relay.wire.errors import CloseCode
from tests.fakes.relay import Relay, running
from tests.relay.test_dolls import Doll, dolls
from tools.faults.redis import RedisServer

NAME = "doll-1"
ANSWER = "그건 나도 잘 모르겠어."


class Two:
    """Two workers of one relay, and a doll that knows both."""

    def __init__(self, a: Relay, b: Relay, doll: Doll) -> None:
        self.a, self.b, self.doll = a, b, doll

    async def until_alone(self, here: Relay) -> None:
        """Wait until the doll is there, and nowhere else."""
        async with asyncio.timeout(10):
            for relay in (self.a, self.b):
                while await dolls(relay) != (relay is here):
                    await asyncio.sleep(0.01)

    async def until_remembered(self) -> str:
        """Wait for the one turn in the database to be over; what was said in it."""
        draft = ANSWER + "…"
        async with asyncio.timeout(10):
            while True:
                turns = (await self.b.dolls.memory.store.load(NAME, 10)).turns
                if len(turns) == 1 and turns[0].said != draft:
                    return turns[0].said
                await asyncio.sleep(0.01)


@pytest.fixture
async def two(redis: RedisServer, tmp_path: Path) -> AsyncIterator[Two]:
    async with AsyncExitStack() as stack:
        shared: dict[str, Any] = {"data": str(tmp_path), "redis": redis.url}
        a, b = [await stack.enter_async_context(running(relay=shared)) for _ in range(2)]
        for relay in (a, b):
            await relay.dolls.cluster.bus.up()
        b._tokens[NAME] = await a.token(NAME)
        yield Two(a, b, Doll(a, NAME))


@pytest.mark.parametrize("heard", [0, 1, 15, 40])
async def test_an_answer_goes_on_at_another_worker_with_each_sample_once(
    two: Two, heard: int
) -> None:
    doll = two.doll
    async with doll.link() as socket:
        session = doll.session_id
        await doll.ask(socket)
        if heard:
            await doll.take(socket, frames=heard)
        socket.transport.abort()
    doll.relay = two.b
    async with doll.again() as socket:
        assert doll.resumed is True
        assert doll.session_id == session
        await doll.take(socket)
        doll.assert_heard_all(two.a)
        assert not two.b.tts.calls
        # The conversation goes on there, and knows what was said here.
        assert await two.until_remembered() == ANSWER
        await two.until_alone(two.b)
        await doll.ask(socket)
        await doll.take(socket, frames=5)
    assert [len(request.history) for request in two.b.llm.requests] == [2]
    assert not two.a.dolls.cluster._ferries
    assert not two.b.dolls.cluster._landings


async def test_it_moves_while_its_old_link_looks_alive_and_the_old_one_is_closed(two: Two) -> None:
    doll = two.doll
    async with doll.link() as old:
        await doll.ask(old)
        await doll.take(old, frames=10)
        doll.relay = two.b
        async with doll.again() as new:
            assert doll.resumed is True
            with pytest.raises(ConnectionClosed):
                while True:
                    await old.recv()
            assert old.close_code == CloseCode.REPLACED
            await doll.take(new)
    doll.assert_heard_all(two.a)


async def test_there_and_back_again_in_one_answer(two: Two) -> None:
    doll = two.doll
    async with doll.link() as socket:
        await doll.ask(socket)
        await doll.take(socket, frames=15)
        socket.transport.abort()
    for relay in (two.b, two.a, two.b):
        doll.relay = relay
        async with doll.again() as socket:
            assert doll.resumed is True
            await doll.take(socket, frames=12)
            socket.transport.abort()
    async with doll.again() as socket:
        await doll.take(socket)
    doll.assert_heard_all(two.a)
    assert await two.until_remembered() == ANSWER


async def test_an_interruption_there_ends_the_answer_that_is_made_here(two: Two) -> None:
    doll = two.doll
    async with doll.link() as socket:
        await doll.ask(socket)
        await doll.take(socket, frames=30)
        socket.transport.abort()
    doll.relay = two.b
    async with doll.again() as socket:
        await doll.take(socket, frames=5)
        await socket.send(json.dumps({"type": "abort"}))
        await doll.take(socket)
        said = await two.until_remembered()
        assert said.endswith("…")  # cut off in mid-sentence, and remembered as far as it was heard
        assert two.a.tts.finished + two.a.tts.stopped == len(two.a.tts.calls)
        await doll.ask(socket)
        await doll.take(socket)
    history = two.b.llm.requests[0].history
    assert [line.text for line in history] == ["안녕", said]


async def test_a_doll_that_wants_nothing_of_its_session_begins_anew_and_the_old_one_ends(
    two: Two,
) -> None:
    doll = two.doll
    async with doll.link() as old:
        await doll.ask(old)
        await doll.take(old, frames=45)
        doll.relay = two.b
        async with doll.link() as new:
            assert doll.resumed is None
            with pytest.raises(ConnectionClosed):
                while True:
                    await old.recv()
            assert old.close_code == CloseCode.REPLACED
            await two.until_alone(two.b)
            assert (await two.until_remembered()).endswith("…")
            await doll.ask(new)
            await doll.take(new)
    assert len(two.b.llm.requests[0].history) == 2


@pytest.mark.parametrize("wrong", [{"session_id": "0123456789abcdef"}, {"received": 10**6}])
async def test_who_cannot_tell_where_it_was_gets_nothing_of_another_worker_either(
    two: Two, wrong: dict[str, Any]
) -> None:
    doll = two.doll
    async with doll.link() as socket:
        await doll.ask(socket)
        await doll.take(socket, frames=5)
        socket.transport.abort()
    doll.relay = two.b
    async with doll.again(**wrong):
        assert doll.resumed is False
        await two.until_alone(two.b)


async def test_another_doll_gets_nothing_though_it_knows_the_session(two: Two) -> None:
    doll = two.doll
    async with doll.link() as socket:
        await doll.ask(socket)
        await doll.take(socket, frames=5)
        thief = Doll(two.b, "doll-2")
        thief.session_id, thief.received = doll.session_id, doll.received
        async with thief.again():
            assert thief.resumed is False
        await doll.take(socket)
    doll.assert_heard_all(two.a)


async def test_without_redis_each_doll_talks_and_the_older_socket_goes_when_it_is_back(
    two: Two, redis: RedisServer
) -> None:
    doll = two.doll
    async with doll.link() as old:
        await doll.ask(old)
        await doll.take(old, frames=5)
        redis.stop()
        try:
            await doll.take(old)  # the answer goes on
            doll.assert_heard_all(two.a)
            doll.relay, doll.frames, doll.states = two.b, [], []
            async with doll.link() as new:
                await doll.ask(new)
                await doll.take(new)
                doll.assert_heard_all(two.b)
                redis.start()
                with pytest.raises(ConnectionClosed):
                    while True:
                        await old.recv()
                assert old.close_code == CloseCode.REPLACED
                await two.until_alone(two.b)
        finally:
            if not two.b.dolls.cluster.bus.is_up:
                redis.stop()
                redis.start()


async def test_a_worker_that_ends_lets_an_answer_be_heard_to_its_end_at_the_other(two: Two) -> None:
    doll = two.doll
    async with doll.link() as socket, Doll(two.a, "doll-2").link() as resting:
        await doll.ask(socket)
        await doll.take(socket, frames=25)
        ending = asyncio.create_task(two.a.dolls.close())
        with pytest.raises(ConnectionClosed):
            await doll.take(socket)
        assert socket.close_code == CloseCode.GOING_AWAY
        doll.relay = two.b
        async with doll.again() as socket:
            assert doll.resumed is True
            await doll.take(socket)
        doll.assert_heard_all(two.a)
        await ending
        with pytest.raises(ConnectionClosed):
            await resting.recv()
        assert resting.close_code == CloseCode.GOING_AWAY


async def test_an_owner_reaches_a_doll_from_each_worker(two: Two) -> None:
    wishes = Wishes(two.b.dolls, Overview(two.b.dolls, two.b.services))
    assert await two.b.dolls.online([NAME, "doll-2"]) == set()
    assert await wishes.fulfil(Wish(NAME, "update")) == "not_here"
    async with two.doll.link():
        async with asyncio.timeout(10):
            while await two.b.dolls.online([NAME, "doll-2"]) != {NAME}:
                await asyncio.sleep(0.01)
        assert await two.a.dolls.online([NAME]) == {NAME}
        # This doll has neither: its own worker says so.
        assert await wishes.fulfil(Wish(NAME, "volume", 40)) == "no_volume"
        assert await wishes.fulfil(Wish(NAME, "update")) == "no_updates"


async def test_a_doll_that_is_sent_away_at_one_worker_is_out_at_the_other(two: Two) -> None:
    async with two.doll.link() as socket:
        await two.b.registry.revoke(NAME)
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == CloseCode.REVOKED
