"""Workers on a real server hear each other, and do without it."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from structlog.testing import capture_logs

from relay.cluster import bus as bus_module
from relay.cluster.bus import Bus, BusError, GoneError
from relay.cluster.envelope import VERSION
from relay.cluster.server import ServerError, open_redis
from tests.relay.cluster.conftest import Join
from tools.faults.redis import RedisServer


class Word(msgspec.Struct, frozen=True):
    text: str


class Heard:
    def __init__(self) -> None:
        self.words: list[tuple[str, str]] = []
        self._news = asyncio.Event()

    def __call__(self, sender: str, word: Word) -> None:
        self.words.append((sender, word.text))
        self._news.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.words) < count:
                self._news.clear()
                await self._news.wait()


async def echo(_: str, word: Word) -> Word:
    return Word(word.text * 2)


async def test_all_others_hear_what_is_published_in_its_order(join: Join) -> None:
    a, b, c = [await join() for _ in range(3)]
    heard = {bus: Heard() for bus in (a, b, c)}
    for bus, hears in heard.items():
        bus.hear("word", Word, hears)
    for number in range(20):
        assert await a.publish("word", Word(str(number))) == 2
    for bus in (b, c):
        await heard[bus].until(20)
        assert heard[bus].words == [(a.name, str(number)) for number in range(20)]
    assert not heard[a].words


async def test_one_is_told_and_one_that_is_not_there_is_known_at_once(join: Join) -> None:
    a, b = await join(), await join()
    hears = Heard()
    b.hear("word", Word, hears)
    assert await a.tell(b.name, "word", Word("hi"))
    await hears.until(1)
    assert not await a.tell("nobody", "word", Word("hi"))
    with pytest.raises(GoneError):
        await a.ask("nobody", "word", Word("hi"), Word)


async def test_a_question_is_answered_by_one_or_by_all(join: Join) -> None:
    a, b, c = [await join() for _ in range(3)]
    for bus in (a, b, c):
        bus.serve("echo", Word, echo)
    assert await a.ask(b.name, "echo", Word("ha"), Word) == Word("haha")
    answers = await a.ask_all("echo", Word("ho"), Word)
    assert answers == {b.name: Word("hoho"), c.name: Word("hoho")}


async def test_who_refuses_or_is_late_or_has_a_bug_is_told_from_an_answer(join: Join) -> None:
    a, b = await join(), await join()

    async def refuse(_: str, word: Word) -> Word:
        raise BusError("I will not")

    async def fail(_: str, word: Word) -> Word:
        raise ZeroDivisionError

    async def sleep(_: str, word: Word) -> Word:
        await asyncio.Event().wait()
        return word

    b.serve("refuse", Word, refuse)
    b.serve("fail", Word, fail)
    b.serve("sleep", Word, sleep)
    with pytest.raises(BusError, match="I will not"):
        await a.ask(b.name, "refuse", Word(""), Word)
    with pytest.raises(BusError, match="a bug"):
        await a.ask(b.name, "fail", Word(""), Word)
    with pytest.raises(BusError, match="does not answer"):
        await a.ask(b.name, "sleep", Word(""), Word, timeout_s=0.05)
    assert await a.ask_all("sleep", Word(""), Word, timeout_s=0.05) == {}
    assert not a._questions


async def test_hostile_messages_are_passed_over_and_told_once(
    join: Join, server: RedisServer
) -> None:
    a, b = await join(), await join()
    hears = Heard()
    b.hear("word", Word, hears)
    b.serve("echo", Word, echo)
    channel = f"{b.prefix}:to:{b.name}"
    word = msgspec.msgpack.encode
    bad = [
        b"",
        b"\xff" * 100,
        word([VERSION + 1, a.name, "word", 0, {"text": "newer"}]),
        word([VERSION, a.name, "word", 0, {"text": 5}]),
        word([VERSION, a.name, "unknown", 0, {}]),
        word([VERSION, a.name, "answer", 1, {}]),
        word([VERSION, a.name, "echo", 7, "no body"]),
    ]
    with capture_logs() as logs:
        for data in bad:
            await a.redis.publish(channel, data)
        await a.tell(b.name, "word", Word("good"))
        await hears.until(1)
    assert hears.words == [(a.name, "good")]
    assert sum("passed over" in line["event"] for line in logs) == 1


async def test_a_stranger_s_answer_is_not_taken_for_the_one_that_was_asked(join: Join) -> None:
    a, b, thief = [await join() for _ in range(3)]
    asked = asyncio.Event()
    go = asyncio.Event()

    async def slow(_: str, word: Word) -> Word:
        asked.set()
        await go.wait()
        return Word("mine")

    b.serve("slow", Word, slow)
    answer = asyncio.create_task(a.ask(b.name, "slow", Word(""), Word))
    await asked.wait()
    (number,) = a._questions
    await thief._send(f"{a.prefix}:to:{a.name}", "answer", number, Word("stolen"))
    go.set()
    assert await answer == Word("mine")


async def test_more_requests_than_a_worker_serves_are_not_begun(
    join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "MAX_SERVED", 2)
    a, b = await join(), await join()
    begun = 0

    async def sleep(_: str, word: Word) -> Word:
        nonlocal begun
        begun += 1
        await asyncio.Event().wait()
        return word

    b.serve("sleep", Word, sleep)
    asks = [a.ask(b.name, "sleep", Word(""), Word, timeout_s=0.2) for _ in range(5)]
    results = await asyncio.gather(*asks, return_exceptions=True)
    assert sorted(str(result) for result in results) == [
        *["the worker does not answer"] * 2,
        *["too many requests at once"] * 3,
    ]
    assert begun == 2


async def test_two_databases_of_one_server_do_not_hear_each_other(
    join: Join, server: RedisServer
) -> None:
    a = await join()
    other = Bus(open_redis(server.url + "?db=3", "relay.redis"))
    running = asyncio.create_task(other.run())
    await other.up()
    assert await other.publish("word", Word("hi")) == 0
    assert await a.publish("word", Word("hi")) == 0
    running.cancel()
    await other.close()


async def test_without_the_server_it_fails_at_once_tells_once_and_comes_back(
    join: Join, server: RedisServer
) -> None:
    a, b = await join(), await join()
    hears, came = Heard(), asyncio.Event()
    b.hear("word", Word, hears)
    b.follow(came.set)
    with capture_logs() as logs:
        server.stop()
        while a.is_up or b.is_up:
            await asyncio.sleep(0.01)
        for _ in range(3):
            with pytest.raises(BusError):
                await a.publish("word", Word("lost"))
        with pytest.raises(BusError):
            await a.ask(b.name, "word", Word(""), Word)
        server.start()
        await a.up()
        await b.up()
        await came.wait()
    await a.tell(b.name, "word", Word("found"))
    await hears.until(1)
    assert [line["event"] for line in logs].count("redis is away") == 2  # one for each worker
    assert [line["event"] for line in logs].count("redis is there") == 2


async def test_a_question_that_waits_when_the_server_goes_is_given_up(
    join: Join, server: RedisServer
) -> None:
    a, b = await join(), await join()
    asked = asyncio.Event()

    async def sleep(_: str, word: Word) -> Word:
        asked.set()
        await asyncio.Event().wait()
        return word

    b.serve("sleep", Word, sleep)
    waiting = asyncio.create_task(a.ask(b.name, "sleep", Word(""), Word, timeout_s=60))
    await asked.wait()
    server.stop()
    try:
        with pytest.raises(BusError, match="away"):
            await waiting
    finally:
        server.start()


async def test_a_url_with_a_password_is_never_told() -> None:
    with pytest.raises(ServerError) as raised:
        open_redis("redis://:secret@host:notaport/0", "relay.redis")
    assert "secret" not in str(raised.value)
    with capture_logs() as logs:
        bus = Bus(open_redis("redis://:secret@127.0.0.1:1/0", "relay.redis"))
        running = asyncio.create_task(bus.run())
        while not logs:
            await asyncio.sleep(0.01)
        running.cancel()
        await bus.close()
    assert "secret" not in str(logs)
