"""What our WebSocket protocol adds to uvicorn's: nothing that a client does fills the memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import uvicorn
from hypothesis import example, given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from relay.wire import server as wire_server
from relay.wire.limits import TokenBucket, WireLimits
from relay.wire.link import DIRECT, Direct
from relay.wire.server import (
    MAX_FRAGMENTS,
    PING_MOMENTS,
    READ_AHEAD,
    BoundedWebSocketProtocol,
    ping_due,
    websocket_options,
)

Application = Callable[[Any, Any, Any], Any]


class FakeTransport(asyncio.Transport):
    """A socket whose other side reads only when told to; like asyncio's, it asks for a pause."""

    HIGH_WATER = 65_536

    def __init__(self, protocol: BoundedWebSocketProtocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.unread = 0
        self.reading = True
        self.closing = False
        self.aborted = asyncio.Event()

    def write(self, data: Any) -> None:
        self.unread += len(data)
        if self.unread > self.HIGH_WATER:
            self.protocol.pause_writing()

    def read_everything(self) -> None:
        self.unread = 0
        self.protocol.resume_writing()

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.aborted.set()
        self.protocol.connection_lost(None)


class Client:
    """The other side: bytes for the server's protocol, without a socket."""

    def __init__(self, application: Application) -> None:
        config = uvicorn.Config(application, log_config=None, lifespan="off", **websocket_options())
        config.load()
        self.protocol = BoundedWebSocketProtocol(config, ServerState(), {})
        self.transport = FakeTransport(self.protocol)
        self.protocol.connection_made(self.transport)
        self._client = ClientProtocol(parse_uri("ws://x/"))
        self._client.send_request(self._client.connect())
        self._deliver(b"".join(self._client.data_to_send()))

    def send(self, opcode: Opcode, data: bytes = b"", fin: bool = True) -> None:
        self._deliver(Frame(opcode, data, fin).serialize(mask=True))

    def _deliver(self, data: bytes) -> None:
        assert self.transport.reading, "a socket that is not read delivers nothing"
        self.protocol.data_received(data)


@pytest.fixture
async def echo() -> AsyncIterator[tuple[Client, asyncio.Queue[str]]]:
    """A connected client and what the application has received."""
    received: asyncio.Queue[str] = asyncio.Queue()

    async def application(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        received.put_nowait("accepted")
        while (event := await receive())["type"] == "websocket.receive":
            received.put_nowait(repr(event))
        received.put_nowait(f"over {event['code']}")

    client = Client(application)
    assert await received.get() == "accepted"
    yield client, received
    client.protocol.connection_lost(None)


async def test_a_client_that_does_not_read_is_not_read_either(
    echo: tuple[Client, asyncio.Queue[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = echo
    monkeypatch.setattr(client.protocol, "_control", TokenBucket(1e9, 1e9, 0.0))
    while client.transport.reading:
        client.send(Opcode.PING, bytes(125))
    assert client.transport.unread < FakeTransport.HIGH_WATER + 200
    client.transport.read_everything()
    assert client.transport.reading


async def test_a_message_from_a_client_that_does_not_read_does_not_change_that(
    echo: tuple[Client, asyncio.Queue[str]],
) -> None:
    client, received = echo
    client.protocol.pause_writing()
    client.protocol.data_received(Frame(Opcode.BINARY, b"x").serialize(mask=True))
    assert "b'x'" in await received.get()
    assert not client.transport.reading


@pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.PONG])
async def test_a_flood_of_control_frames_ends_the_connection(
    echo: tuple[Client, asyncio.Queue[str]], opcode: Opcode
) -> None:
    client, received = echo
    client.protocol.data_received(Frame(opcode, b"").serialize(mask=True) * 40_000)
    assert await received.get() == "over 4003"
    assert client.transport.closing


async def test_messages_that_wait_for_the_application_are_bounded(
    echo: tuple[Client, asyncio.Queue[str]],
) -> None:
    client, received = echo
    client.protocol.data_received(Frame(Opcode.BINARY, b"").serialize(mask=True) * 40_000)
    waiting = WireLimits().waiting_messages
    assert waiting < client.protocol.queue.qsize() <= waiting + 2  # and the end
    while "over" not in (last := await received.get()):
        pass
    assert last == "over 4003"


async def test_a_read_full_of_audio_is_no_flood(
    echo: tuple[Client, asyncio.Queue[str]], tools: Any
) -> None:
    client, _ = echo
    packet = Frame(Opcode.BINARY, tools.packet()).serialize(mask=True)
    client.protocol.data_received(packet * (262_144 // len(packet)))
    assert not client.transport.closing


async def test_the_application_is_told_of_signs_of_life_that_are_no_messages() -> None:
    seen: asyncio.Queue[Direct] = asyncio.Queue()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.put_nowait(scope["extensions"][DIRECT])
        await receive()
        await send({"type": "websocket.accept"})
        await receive()

    client = Client(application)
    direct = await seen.get()
    direct.heard_at = -1.0
    client.send(Opcode.PONG)
    assert direct.heard_at > 0
    client.protocol.connection_lost(None)


async def test_fragments_of_one_message_are_counted(
    echo: tuple[Client, asyncio.Queue[str]],
) -> None:
    client, received = echo
    client.send(Opcode.BINARY, fin=False)
    for _ in range(3 * MAX_FRAGMENTS):
        client.send(Opcode.CONT, fin=False)
    assert await received.get() == "over 1009"
    assert len(client.protocol.frames) == MAX_FRAGMENTS


async def test_a_message_in_as_many_fragments_as_allowed_arrives(
    echo: tuple[Client, asyncio.Queue[str]],
) -> None:
    client, received = echo
    client.send(Opcode.BINARY, b"a", fin=False)
    for _ in range(MAX_FRAGMENTS - 2):
        client.send(Opcode.CONT, fin=False)
    client.send(Opcode.CONT, b"z")
    assert "b'az'" in await received.get()


async def test_only_a_few_messages_are_read_before_the_application_asks() -> None:
    accepted, asked = asyncio.Event(), asyncio.Event()

    async def application(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        accepted.set()
        await asked.wait()
        while (await receive())["type"] == "websocket.receive":
            pass

    client = Client(application)
    await accepted.wait()
    for number in range(READ_AHEAD):
        assert client.transport.reading
        client.send(Opcode.BINARY, bytes([number]))
    assert not client.transport.reading
    asked.set()
    while not client.transport.reading:
        await asyncio.sleep(0)
    client.protocol.connection_lost(None)


@given(
    sizes=st.lists(st.one_of(st.integers(0, 140), st.integers(30_000, 32_768)), max_size=9),
    cuts=st.lists(st.one_of(st.integers(1, 9), st.integers(1, 40_000)), max_size=30),
)
@settings(deadline=None, max_examples=60)
def test_messages_arrive_alike_however_the_stream_is_cut(sizes: list[int], cuts: list[int]) -> None:
    async def arrived() -> list[bytes]:
        heard: list[bytes] = []

        async def application(_scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "websocket.accept"})
            while (event := await receive())["type"] == "websocket.receive":
                heard.append(event["bytes"] if "bytes" in event else event["text"].encode())

        client = Client(application)
        await asyncio.sleep(0)
        stream, at = b"".join(frame(number, size) for number, size in enumerate(sizes)), 0
        for cut in [*cuts, len(stream)]:
            client.protocol.data_received(stream[at : at + cut])
            at += cut
        client.protocol.connection_lost(None)
        await asyncio.gather(*client.protocol.tasks)
        return heard

    def frame(number: int, size: int) -> bytes:
        """Now a whole one, now one in two pieces with a ping between them, now a text."""
        data = bytes([65 + number]) * size
        if number % 3 == 0:
            return Frame(Opcode.BINARY, data).serialize(mask=True)
        if number % 3 == 1:
            return Frame(Opcode.TEXT, data).serialize(mask=True)
        half = size // 2
        return (
            Frame(Opcode.BINARY, data[:half], fin=False).serialize(mask=True)
            + Frame(Opcode.PING, b"?").serialize(mask=True)
            + Frame(Opcode.CONT, data[half:]).serialize(mask=True)
        )

    expected = [bytes([65 + number]) * size for number, size in enumerate(sizes)]
    assert asyncio.run(arrived()) == expected


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"\xc2\x80\0\0\0\0", 1002),  # a reserved bit
        (b"\x82\x01x", 1002),  # not masked
        (b"\x83\x80\0\0\0\0", 1002),  # an opcode that is not known
        (b"\x82\xfe\x80\x01", 1009),  # a byte too long: known before it has come
        (b"\x82\xff" + b"\x7f" * 8, 1009),
    ],
)
async def test_a_frame_that_breaks_the_rules_ends_the_connection(
    echo: tuple[Client, asyncio.Queue[str]], bad: bytes, code: int
) -> None:
    client, received = echo
    client.send(Opcode.BINARY, b"fine")
    client.protocol.data_received(bad + bytes(100))
    assert "fine" in await received.get()
    assert await received.get() == f"over {code}"
    client.protocol.data_received(Frame(Opcode.BINARY, b"late").serialize(mask=True))
    assert received.empty()


async def test_a_message_within_a_fragmented_one_is_refused(
    echo: tuple[Client, asyncio.Queue[str]],
) -> None:
    client, received = echo
    client.send(Opcode.BINARY, b"half", fin=False)
    client.send(Opcode.BINARY, b"whole")
    assert await received.get() == "over 1002"


async def test_nothing_is_sent_at_once_where_that_needs_a_wait_or_is_too_late(
    echo: tuple[Client, asyncio.Queue[str]],
) -> None:
    client, _ = echo
    assert client.protocol.send_now(b"one")
    client.protocol.pause_writing()
    assert not client.protocol.send_now(b"two")
    client.protocol.resume_writing()
    client.send(Opcode.CLOSE, b"\x03\xe8")
    assert not client.protocol.send_now(b"three")


async def test_the_clients_close_frame_ends_a_connection_that_the_relay_closes() -> None:
    closed = asyncio.Event()

    async def application(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 4008})
        closed.set()
        await asyncio.Event().wait()

    client = Client(application)
    await closed.wait()
    client.send(Opcode.BINARY, b"what was on its way")
    assert not client.transport.closing
    client.send(Opcode.CLOSE, b"\x0f\xa8")
    assert client.transport.closing
    client.protocol.connection_lost(None)


async def test_a_closed_connection_whose_data_nobody_reads_is_aborted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire_server, "LINGER_S", 0.0)

    async def application(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "bytes": bytes(100_000)})

    client = Client(application)
    await client.transport.aborted.wait()
    assert client.transport.closing
    assert client.protocol not in client.protocol.connections


async def test_a_message_in_too_many_fragments_gets_close_code_1009(
    serving: Any, tools: Any
) -> None:
    async with serving() as server, server.doll() as client:
        with contextlib.suppress(ConnectionClosed):
            await client.send([b""] * (MAX_FRAGMENTS + 5))
        await client.wait_closed()
        assert client.close_code == 1009
        assert (await server.ended.get()).code == 1009


# Gaps of not quite 1: with 1, whether a moment counts is a matter of rounding at both of its ends.
@given(now=st.floats(0, 1e7), gap=st.floats(0, 0.999), interval=st.floats(0.1, 60))
@example(now=127.0, gap=0.999, interval=1.0)
def test_pings_of_all_connections_go_at_few_moments(
    now: float, gap: float, interval: float
) -> None:
    apart = interval / PING_MOMENTS
    first, second = (ping_due(moment, interval) for moment in (now, now + gap * apart))
    assert interval - apart * 1.01 <= first - now <= interval * 1.01
    moments = (second - first) / apart
    assert abs(moments - round(moments)) < 1e-3
    assert round(moments) in (0, 1)


def test_pings_keep_a_path_open_and_ask_for_no_pong() -> None:
    options = websocket_options()
    assert options["ws_ping_interval"] == 20
    assert options["ws_ping_timeout"] is None
    assert options["ws_per_message_deflate"] is False
