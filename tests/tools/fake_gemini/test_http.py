"""The server against bare sockets: what it does that HTTP would not allow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest

from tools.fake_gemini import http
from tools.fake_gemini.http import Journal, Pause, Reply, Request, Step, serving

GET = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"


@asynccontextmanager
async def talking_to(
    *replies: Reply, journal: Journal | None = None
) -> AsyncIterator[Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]]:
    """A server that gives these replies, one for each request, and how to connect to it."""
    waiting = list(replies)
    writers: list[asyncio.StreamWriter] = []

    async def handle(request: Request) -> Reply:
        return waiting.pop(0)

    async with serving(handle, journal or Journal()) as url:

        async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
            writers.append(writer)
            return reader, writer

        yield connect
        for writer in writers:
            writer.close()


async def test_one_connection_carries_several_requests() -> None:
    journal = Journal()
    async with talking_to(
        Reply(body=(b"one",)), Reply(404, body=(b"two",)), journal=journal
    ) as connect:
        reader, writer = await connect()
        writer.write(GET)
        assert (await reader.readuntil(b"0\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")
        writer.write(GET)
        assert (await reader.readuntil(b"0\r\n\r\n")).startswith(b"HTTP/1.1 404 Not Found")
    assert (journal.connections, len(journal.requests), journal.disconnects) == (1, 2, 0)


async def test_a_body_in_chunks_is_put_together() -> None:
    journal = Journal()
    async with talking_to(Reply(), journal=journal) as connect:
        reader, writer = await connect()
        writer.write(b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(b'2\r\n{"\r\n4\r\na":1\r\n1\r\n}\r\n0\r\n\r\n')
        await reader.readuntil(b"0\r\n\r\n")
    assert journal.requests[0].json == {"a": 1}


async def test_without_a_status_nothing_is_sent() -> None:
    journal = Journal()
    async with talking_to(Reply(None, body=(Step.HANG,)), journal=journal) as connect:
        reader, writer = await connect()
        writer.write(GET)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await reader.read(1)
        writer.close()
        async with asyncio.timeout(20):
            await journal.disconnected.wait()
    assert journal.disconnects == 1


async def test_a_dropped_connection_ends_without_the_last_chunk() -> None:
    async with talking_to(Reply(body=(b"half", Step.DROP))) as connect:
        reader, writer = await connect()
        writer.write(GET)
        received = b""
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            while True:
                received += await reader.readexactly(1)
    assert not received.endswith(b"0\r\n\r\n")


async def test_a_pause_ends_early_when_the_client_goes_away() -> None:
    journal = Journal()
    async with talking_to(Reply(body=(b"a", Pause(3_600), b"b")), journal=journal) as connect:
        reader, writer = await connect()
        writer.write(GET)
        await reader.readuntil(b"a\r\n")
        writer.close()
        async with asyncio.timeout(20):
            await journal.disconnected.wait()


async def test_a_request_that_comes_during_a_pause_is_answered_after_it() -> None:
    async with talking_to(Reply(body=(b"a", Pause(0.05), b"b")), Reply(body=(b"c",))) as connect:
        reader, writer = await connect()
        writer.write(GET)
        await reader.readuntil(b"a\r\n")
        writer.write(GET)
        assert (await reader.readuntil(b"0\r\n\r\n")).startswith(b"1\r\nb")
        assert b"c" in await reader.readuntil(b"0\r\n\r\n")


async def test_a_body_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_BODY_BYTES", 10)
    async with talking_to() as connect:
        reader, writer = await connect()
        writer.write(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n" + bytes(11))
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("sent", [b"hello\r\n\r\n", b"\x16\x03\x01\x00" * 100, b"a" * 100_000])
async def test_what_is_not_http_is_hung_up_on(sent: bytes) -> None:
    async with talking_to() as connect:
        reader, writer = await connect()
        writer.write(sent)
        async with asyncio.timeout(20):
            with suppress(ConnectionResetError):
                assert b"200" not in await reader.read()


async def test_the_journal_of_a_server_that_runs_for_long_stays_small() -> None:
    journal = Journal(keep=2)
    async with talking_to(*[Reply()] * 5, journal=journal) as connect:
        reader, writer = await connect()
        for _ in range(5):
            writer.write(GET)
            await reader.readuntil(b"0\r\n\r\n")
    assert len(journal.requests) == 2
    nothing = Journal(keep=0)
    nothing.note(Request("GET", "/", {}, b""))
    assert nothing.requests == []


async def test_a_port_that_is_taken_is_an_error() -> None:
    async def handle(request: Request) -> Reply:
        return Reply()

    async with serving(handle, Journal()) as url:
        port = urlsplit(url).port
        assert port is not None
        with pytest.raises(OSError, match="address already in use"):
            async with serving(handle, Journal(), port):
                pass
