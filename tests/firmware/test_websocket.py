"""The doll's WebSocket client against a real server, its heap, and its order of sending."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

TEXT, BINARY = 1, 2

Client = Callable[..., Coroutine[Any, Any, dict[str, Any]]]


class relay:  # noqa: N801 - used as a function
    """A real relay: the `websockets` library."""

    def __init__(
        self, handler: Callable[[ServerConnection], Any], tls: ssl.SSLContext | None = None
    ) -> None:
        self._tls = tls
        self._serve = serve(
            handler, "127.0.0.1", 0, ssl=tls, compression=None, max_size=None, ping_interval=None
        )

    async def __aenter__(self) -> str:
        server = await self._serve
        self._server = server
        port = next(iter(server.sockets)).getsockname()[1]
        return f"{'wss' if self._tls else 'ws'}://127.0.0.1:{port}/xiaozhi/v1/?a=1"

    async def __aexit__(self, *_: object) -> None:
        self._server.close(close_connections=True)
        await self._server.wait_closed()


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def test_lost_connection_is_1006(websocket_client: Client) -> None:
    async def hang_up(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with relay(hang_up) as url:
        result = await websocket_client("listen", url)
    assert (result["code"], result["open"]) == (1006, False)
    assert "connection lost" in result["reason"]


@pytest.mark.parametrize(
    "lengths",
    [(0, 1301), (65530, 65536), (1301, 65000, 911)],
    ids=["0 to 1300", "up to 65535", "every 911th"],
)
async def test_every_length_comes_back_as_it_went(
    websocket_client: Client, lengths: tuple[int, ...]
) -> None:
    codes = []

    async def handler(connection: ServerConnection) -> None:
        await echo(connection)
        codes.append(connection.close_code)

    sizes = {"tx": 65535, "text": 65535, "limit": 65535}
    async with relay(handler) as url:
        result = await websocket_client("echo", url, lengths=lengths, sizes=sizes)
    assert result["same"] == 2 * len(range(*lengths))
    assert codes == [1001]


async def test_pings_between_the_fragments_of_a_real_server_are_answered(
    websocket_client: Client,
) -> None:
    async def handler(connection: ServerConnection) -> None:
        async def parts() -> AsyncIterator[bytes]:
            for i in range(20):
                yield bytes([i]) * 100
                pong = await connection.ping(f"ping {i}")
                await pong

        await connection.send(parts())
        await connection.close(1001, "bye")

    async with relay(handler) as url:
        result = await websocket_client("listen", url)
    whole = b"".join(bytes([i]) * 100 for i in range(20))
    assert result["messages"] == [[BINARY, 2000, zlib.crc32(whole)]]
    assert (result["code"], result["reason"]) == (1001, "bye")


async def test_close_sends_what_was_begun_and_its_code(websocket_client: Client) -> None:
    heard: list[object] = []

    async def handler(connection: ServerConnection) -> None:
        heard.append(await connection.recv())
        with pytest.raises(ConnectionClosed):
            await connection.recv()
        heard.append(connection.close_code)

    async with relay(handler) as url:
        result = await websocket_client("say_and_close", url, code=4002)
    assert heard == ["last words", 4002]
    assert result == {"after": 1006}


async def test_a_relay_that_does_not_read_stops_the_sender_and_not_the_listener(
    websocket_client: Client,
) -> None:
    counted = []
    connections: list[ServerConnection] = []

    async def handler(connection: ServerConnection) -> None:
        connections.append(connection)
        if len(connections) > 1:
            connections[0].transport.resume_reading()
            return
        connection.transport.pause_reading()
        await connection.send("can you hear me?")
        counted.append(len([message async for message in connection]))

    async with relay(handler) as url:
        result = await websocket_client("flood", url)
    assert result["heard"] == TEXT
    assert counted == [result["frames"]]


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
async def test_a_frame_each_way_takes_no_heap(
    websocket_client: Client, tmp_path: Path, secure: bool
) -> None:
    async def handler(connection: ServerConnection) -> None:
        count = 0
        async for message in connection:
            count += 1
            if count % 10 == 0:
                await connection.ping()
            await connection.send(message)

    told: dict[str, object] = {}
    tls = None
    if secure:
        ca = trustme.CA()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("127.0.0.1").configure_cert(tls)
        der = tmp_path / "ca.der"
        der.write_bytes(ssl.PEM_cert_to_DER_cert(ca.cert_pem.bytes().decode()))
        told["ca"] = str(der)
    async with relay(handler, tls) as url:
        # Half of it on a board, whose words are half as long.
        result = await websocket_client("heap", url, heap="80K", frames=600, **told)
    assert result == {"heap": 0, "frames": 600}


STREAM = """
from doll.websocket import *
from doll.websocket import _xorshift

class Stream:  # takes room bytes, then no more
    def __init__(self, *pieces):
        self.pieces = list(pieces)
        self.wrote = b""
        self.room = 10000

    def readinto(self, buf):
        if not self.pieces:
            return None
        piece = self.pieces.pop(0)
        buf[: len(piece)] = piece
        return len(piece)

    def write(self, buf, off, n):
        n = min(n, self.room)
        self.room -= n
        self.wrote += buf[off : off + n]
        return n or None

    def close(self):
        pass

def sent():  # opcode and payload of each frame
    frames = []
    data = stream.wrote
    while data:
        n = data[1] & 0x7F
        payload = bytes(b ^ data[2 + i % 4] for i, b in enumerate(data[6 : 6 + n]))
        frames.append((data[0] & 15, payload))
        data = data[6 + n :]
    return frames

ws = WebSocket(tx=100)
"""


def test_a_pong_waits_behind_the_frame_that_is_being_sent(micropython: Callable[..., str]) -> None:
    script = """
stream = Stream(b"\\x89\\x02hi")
ws.attach(stream)
stream.room = 5
ws.tx[ws.HEAD : ws.HEAD + 3] = b"abc"
print(ws.begin(TEXT, 3), ws.poll(None), ws.flush(), len(stream.wrote))
stream.room = 100
print(ws.poll(None), sent())
"""
    assert micropython(STREAM + script).splitlines() == [
        "False 0 False 5",
        "-1 [(1, b'abc'), (10, b'hi')]",
    ]


def test_of_pings_that_wait_only_the_last_is_answered(micropython: Callable[..., str]) -> None:
    script = """
stream = Stream(b"\\x89\\x02p1", b"\\x89\\x02p2", b"\\x89\\x02p3", b"\\x89\\x02p")
ws.attach(stream)
stream.room = 3
for _ in range(4):
    ws.poll(None)
stream.room = 100
print(ws.poll(None), sent())
"""
    # The pong of p1 has begun and is finished; p2 gave way to p3; the fourth is not complete.
    assert micropython(STREAM + script) == "-1 [(10, b'p1'), (10, b'p3')]\n"


def test_a_full_ring_stops_the_reading_until_it_is_drained(micropython: Callable[..., str]) -> None:
    script = """
import micropython
ring = micropython.RingIO(4)
stream = Stream(b"\\x82\\x06abcdef\\x82\\x01g", b"\\x81\\x00")
ws.attach(stream)
print(ws.poll(ring), ws.poll(ring), ring.read(), ws.poll(ring), ws.length, ring.read())
print(ws.poll(ring), ws.length, ring.read(), len(stream.pieces))
print(ws.poll(ring), ws.poll(ring), ws.poll(ring))
"""
    assert micropython(STREAM + script).splitlines() == [
        "-1 -1 b'abcd' 2 6 b'ef'",
        "2 1 b'g' 1",
        "1 -1 -1",
    ]


def test_misuse_is_refused_and_does_no_harm(micropython: Callable[..., str]) -> None:
    script = """
def attempt(f, *args):
    try:
        print(f(*args))
    except (Closed, RuntimeError, ValueError) as e:
        print(type(e).__name__, e)

attempt(ws.begin, TEXT, 1)
attempt(ws.flush)
attempt(ws.poll, None)
ws.close()
stream = Stream()
ws.attach(stream)
attempt(ws.begin, TEXT, 101)
attempt(ws.begin, TEXT, -1)
stream.room = 0
attempt(ws.begin, TEXT, 0)
attempt(ws.begin, TEXT, 0)
stream.room = 100
attempt(ws.flush)
print(sent())
ws.close()
attempt(ws.begin, TEXT, 0)
attempt(WebSocket, 1024, 65536)
"""
    assert micropython(STREAM + script).splitlines() == [
        "Closed 1006 not connected",
        "Closed 1006 not connected",
        "Closed 1006 not connected",
        "ValueError payload longer than tx",
        "ValueError payload longer than tx",
        "False",
        "RuntimeError begin() before flush() was True",
        "True",
        "[(1, b'')]",
        "Closed 1006 not connected",
        "ValueError tx over 65535",
    ]


def test_mask_keys_fit_a_small_int_and_do_not_repeat(micropython: Callable[..., str]) -> None:
    script = """
x = 1
seen = set()
for _ in range(20000):
    x = _xorshift(x)
    seen.add(x)
print(len(seen), 0 < min(seen), max(seen) < 1 << 30)
"""
    assert micropython(STREAM + script) == "20000 True True\n"
