"""The doll's WebSocket client against real and hostile servers, over real sockets.

The numbers in the test ids are those of the Autobahn test suite (crossbario/autobahn-testsuite),
whose cases are re-created here from their descriptions. Text is checked when a message is complete,
so the fail-fast cases of 6.4 end with the same code, only later.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import ssl
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

CLIENT = Path(__file__).with_name("scripts") / "websocket_client.py"

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

Client = Callable[..., Coroutine[Any, Any, dict[str, Any]]]


@pytest.fixture
def client(micropython: Callable[..., str]) -> Client:
    """Runs the client on MicroPython and returns its result."""

    async def run(do: str, url: str, heap: str = "", **told: object) -> dict[str, Any]:
        arguments = json.dumps({"do": do, "url": url, **told})
        output = await asyncio.to_thread(micropython, CLIENT, arguments, heap=heap, timeout_s=60)
        result: dict[str, Any] = json.loads(output)
        return result

    return run


def frame(op: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """A server's frame (RFC 6455 section 5.2), its length in the shortest form."""
    n = len(payload)
    if n < 126:
        length = bytes([n])
    elif n < 0x10000:
        length = struct.pack("!BH", 126, n)
    else:
        length = struct.pack("!BQ", 127, n)
    return bytes([fin << 7 | rsv << 4 | op]) + length + payload


def close(code: int, reason: str = "") -> bytes:
    return frame(CLOSE, struct.pack("!H", code) + reason.encode())


def client_frames(data: bytes) -> list[tuple[int, bytes]]:
    """(opcode, payload) of every frame a client sent; each must be whole, masked and minimal."""
    frames = []
    while data:
        assert data[0] & 0x70 == 0
        assert data[0] & 0x80
        assert data[1] & 0x80, "not masked"
        n, at = data[1] & 0x7F, 2
        if n == 126:
            n, at = int.from_bytes(data[2:4], "big"), 4
            assert n > 125
        assert n < 127 or at == 4
        key, at = data[at : at + 4], at + 4
        payload = data[at : at + n]
        assert len(payload) == n, "cut off"
        frames.append((data[0] & 0x0F, bytes(b ^ key[i % 4] for i, b in enumerate(payload))))
        data = data[at + n :]
    return frames


class RawRelay:
    """A server that does the upgrade right and then sends any bytes it is given."""

    def __init__(self, wire: bytes) -> None:
        self.wire = wire
        self.received = b""
        self.request = b""
        self._done = asyncio.Event()

    async def __aenter__(self) -> RawRelay:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{port}/xiaozhi/v1/"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def frames(self) -> list[tuple[int, bytes]]:
        """What the client has sent until it hung up."""
        await asyncio.wait_for(self._done.wait(), 20)
        return client_frames(self.received)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.request = await reader.readuntil(b"\r\n\r\n")
        key = next(
            line.split(b": ")[1]
            for line in self.request.split(b"\r\n")
            if line.lower().startswith(b"sec-websocket-key")
        )
        accept = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(accept) + b"\r\n\r\n" + self.wire
        )
        try:
            await writer.drain()
            while data := await reader.read(65536):
                self.received += data
        except ConnectionError:
            pass
        finally:
            writer.close()
            self._done.set()


@dataclass(frozen=True)
class Case:
    """Bytes on the wire, and what must come of them."""

    wire: bytes
    messages: list[tuple[int, bytes]] = field(default_factory=list)
    pongs: list[bytes] = field(default_factory=list)
    code: int = 1000


def good(
    *frames: bytes, messages: list[tuple[int, bytes]], pongs: list[bytes] | None = None
) -> Case:
    return Case(b"".join(frames) + close(1000), messages, pongs or [])


def bad(*frames: bytes, code: int = 1002, messages: list[tuple[int, bytes]] | None = None) -> Case:
    return Case(b"".join(frames), messages or [], code=code)


HELLO = frame(TEXT, b"Hello")
HEARD = [(TEXT, b"Hello")]
TWO_PARTS = frame(TEXT, b"frag", fin=False), frame(0, b"ment")
PARTS_HEARD = [(TEXT, b"fragment")]

CASES: dict[str, Case] = {}

# 1: framing. Only the lengths differ.
for _i, _n in enumerate((0, 125, 126, 127, 128, 65535, 65536), 1):
    CASES[f"1.1.{_i} text of {_n}"] = good(frame(TEXT, b"*" * _n), messages=[(TEXT, b"*" * _n)])
    CASES[f"1.2.{_i} binary of {_n}"] = good(
        frame(BINARY, b"\xfe" * _n), messages=[(BINARY, b"\xfe" * _n)]
    )

# 2: pings and pongs.
CASES |= {
    "2.1 ping without payload": good(frame(PING), messages=[], pongs=[b""]),
    "2.2 ping with text": good(frame(PING, b"Hello"), messages=[], pongs=[b"Hello"]),
    "2.3 ping with binary": good(
        frame(PING, b"\x00\xff\xfe\xfd"), messages=[], pongs=[b"\x00\xff\xfe\xfd"]
    ),
    "2.4 ping payload 125": good(frame(PING, b"\xfe" * 125), messages=[], pongs=[b"\xfe" * 125]),
    "2.5 ping payload 126": bad(frame(PING, b"\xfe" * 126)),
    "2.7 pong nobody asked for": good(frame(PONG), messages=[]),
    "2.8 pong with payload": good(frame(PONG, b"unsolicited"), messages=[]),
    "2.9 pong, then ping": good(frame(PONG, b"x"), frame(PING, b"p"), messages=[], pongs=[b"p"]),
    "2.10 ten pings": good(
        *(frame(PING, b"ping %d" % i) for i in range(10)),
        messages=[],
        pongs=[b"ping %d" % i for i in range(10)],
    ),
}

# 3: reserved bits.
CASES |= {
    "3.1 RSV 1": bad(frame(TEXT, b"Hello", rsv=1)),
    "3.2 RSV 2 after a message": bad(HELLO, frame(TEXT, b"x", rsv=2), frame(PING), messages=HEARD),
    "3.3 RSV 3 after a message": bad(HELLO, frame(TEXT, b"x", rsv=3), frame(PING), messages=HEARD),
    "3.4 RSV 4 after a message": bad(HELLO, frame(TEXT, b"x", rsv=4), frame(PING), messages=HEARD),
    "3.5 RSV 5 binary": bad(frame(BINARY, b"\xff", rsv=5)),
    "3.6 RSV 6 ping": bad(frame(PING, b"x", rsv=6)),
    "3.7 RSV 7 close": bad(frame(CLOSE, rsv=7)),
}

# 4: reserved opcodes.
for _i, _op in enumerate((3, 4, 5, 6, 7), 1):
    CASES[f"4.1.{_i} opcode {_op}"] = bad(HELLO, frame(_op, b"x"), messages=HEARD)
for _i, _op in enumerate((11, 12, 13, 14, 15), 1):
    CASES[f"4.2.{_i} opcode {_op}"] = bad(HELLO, frame(_op, b"x"), messages=HEARD)

# 5: fragments.
CASES |= {
    "5.1 ping in two fragments": bad(frame(PING, b"a", fin=False), frame(0, b"b")),
    "5.2 pong in two fragments": bad(frame(PONG, b"a", fin=False), frame(0, b"b")),
    "5.3 text in two fragments": good(*TWO_PARTS, messages=PARTS_HEARD),
    "5.6 ping between fragments": good(
        TWO_PARTS[0], frame(PING, b"!"), TWO_PARTS[1], messages=PARTS_HEARD, pongs=[b"!"]
    ),
    "5.9 continuation of nothing": bad(frame(0, b"x"), HELLO),
    "5.12 continuation of nothing, not final": bad(frame(0, b"x", fin=False), HELLO),
    "5.15 continuation after the end": bad(
        *TWO_PARTS, frame(0, b"x", fin=False), HELLO, messages=PARTS_HEARD
    ),
    "5.18 second fragment is text": bad(frame(TEXT, b"a", fin=False), frame(TEXT, b"b")),
    "5.19 five fragments and pings": good(
        frame(TEXT, b"f1", fin=False),
        frame(0, b"f2", fin=False),
        frame(PING, b"one"),
        frame(0, b"f3", fin=False),
        frame(0, b"f4", fin=False),
        frame(PING, b"two"),
        frame(0, b"f5"),
        messages=[(TEXT, b"f1f2f3f4f5")],
        pongs=[b"one", b"two"],
    ),
    "5.x binary in two fragments": good(
        frame(BINARY, b"\x00" * 300, fin=False), frame(0, b"\x01" * 300),
        messages=[(BINARY, b"\x00" * 300 + b"\x01" * 300)],
    ),
    "5.x empty fragments": good(
        frame(TEXT, fin=False), frame(0, fin=False), frame(0), messages=[(TEXT, b"")]
    ),
}  # fmt: skip

# 6: UTF-8.
KOREAN = "안녕 κόσμε 😀".encode()
CASES |= {
    "6.1 empty text": good(frame(TEXT), messages=[(TEXT, b"")]),
    "6.2 valid text": good(frame(TEXT, KOREAN), messages=[(TEXT, KOREAN)]),
    "6.2 cut inside a character": good(
        frame(TEXT, KOREAN[:1], fin=False), frame(0, KOREAN[1:]), messages=[(TEXT, KOREAN)]
    ),
    "6.3 invalid byte": bad(frame(TEXT, KOREAN + b"\xed\xa0\x80edited"), code=1007),
    "6.4 invalid in the second of three fragments": bad(
        frame(TEXT, KOREAN, fin=False), frame(0, b"\xf4\x90\x80\x80", fin=False), frame(0),
        code=1007,
    ),
    "6.6 text ends inside a character": bad(frame(TEXT, KOREAN[:-1]), code=1007),
    "6.12 lone continuation byte": bad(frame(TEXT, b"\x80"), code=1007),
    "6.16 overlong": bad(frame(TEXT, b"\xc0\xaf"), code=1007),
    "6.20 surrogate": bad(frame(TEXT, b"\xed\xbf\xbf"), code=1007),
    "6.x binary is not checked": good(frame(BINARY, b"\x80"), messages=[(BINARY, b"\x80")]),
}  # fmt: skip

# 7: the closing handshake. What follows a close is not looked at.
CASES |= {
    "7.1.1 close after a message": good(HELLO, messages=HEARD),
    "7.1.2 two closes": Case(close(1000) * 2),
    "7.1.3 ping after close": Case(close(1000) + frame(PING)),
    "7.1.4 text after close": Case(close(1000) + HELLO),
    "7.1.5 close between fragments": Case(TWO_PARTS[0] + close(1000) + TWO_PARTS[1]),
    "7.3.1 close without payload": Case(frame(CLOSE), code=1005),
    "7.3.2 close payload 1": bad(frame(CLOSE, b"a")),
    "7.3.3 close payload 2": Case(close(1000)),
    "7.3.4 close with reason": Case(close(1000, "Hello")),
    "7.3.5 close reason 123": Case(close(1000, "*" * 123)),
    "7.3.6 close reason 124": bad(close(1000, "*" * 124)),
    "7.5.1 close reason is not UTF-8": bad(
        frame(CLOSE, struct.pack("!H", 1000) + b"\xce\xba\xed\xa0\x80"), code=1007
    ),
}
for _i, _code in enumerate(
    (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999), 1
):
    CASES[f"7.7.{_i} close code {_code}"] = Case(close(_code), code=_code)
for _i, _code in enumerate((0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999), 1):
    CASES[f"7.9.{_i} close code {_code}"] = bad(close(_code))
CASES["7.13.1 close code 5000"] = bad(close(5000))
CASES["7.13.2 close code 65535"] = bad(close(65535))

# 9 and 10: size. (12 and 13, compression: never offered; see test_upgrade.)
CASES |= {
    "9.1 text over the limit": bad(struct.pack("!BBQ", 0x81, 127, 65537), code=1009),
    "9.2 binary over the limit": bad(struct.pack("!BBQ", 0x82, 127, 70001), code=1009),
    "9.3 fragments over the limit": bad(
        frame(TEXT, b"x" * 40, fin=False), struct.pack("!BBH", 0x80, 126, 65500), code=1009
    ),
    "9.x 2**40 bytes announced": bad(struct.pack("!BBQ", 0x82, 127, 1 << 40), code=1009),
    "9.x length with the top bit set": bad(struct.pack("!BBQ", 0x82, 127, 1 << 63), code=1009),
    "10.1.1 text in fragments of 1300": good(
        *(
            frame(TEXT if i == 0 else 0, b"*" * min(1300, 65536 - i), fin=i + 1300 >= 65536)
            for i in range(0, 65536, 1300)
        ),
        messages=[(TEXT, b"*" * 65536)],
    ),
    "x.1 masked frame": bad(b"\x81\x85abcd" + b"Hello"),
    "x.2 two-byte length for 125": bad(struct.pack("!BBH", 0x82, 126, 125)),
    "x.3 eight-byte length for 65535": bad(struct.pack("!BBQ", 0x82, 127, 65535)),
}

SIZES = {"text": 65536, "limit": 70000}


async def run_case(client: Client, case: Case, **told: object) -> None:
    async with RawRelay(case.wire) as relay:
        result = await client("listen", relay.url, **told)
        sent = await relay.frames()
    assert [tuple(message) for message in result["messages"]] == [
        (op, len(payload), zlib.crc32(payload)) for op, payload in case.messages
    ]
    assert result["code"] == case.code
    assert result["open"] is False
    assert [payload for op, payload in sent if op == PONG] == case.pongs
    answer = b"" if case.code == 1005 else struct.pack("!H", case.code)
    assert sent[-1] == (CLOSE, answer)
    assert [op for op, _ in sent[:-1]] == [PONG] * len(case.pongs)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_autobahn_case(client: Client, case: Case) -> None:
    await run_case(client, case, sizes=SIZES)


OCTET_WISE = {
    "1.1.8": "1.1.7 text of 65536",
    "1.2.8": "1.2.7 binary of 65536",
    "2.6": "2.4 ping payload 125",
    "2.11": "2.10 ten pings",
    "5.5": "5.3 text in two fragments",
    "5.8": "5.6 ping between fragments",
    "5.20": "5.19 five fragments and pings",
    "6.2": "6.2 valid text",
    "7.3.5": "7.3.5 close reason 123",
}


@pytest.mark.parametrize("case", OCTET_WISE.values(), ids=OCTET_WISE.keys())
async def test_autobahn_case_read_byte_by_byte(client: Client, case: str) -> None:
    await run_case(client, CASES[case], sizes={**SIZES, "rx": 1})


@pytest.mark.parametrize("take", [1, 100, 997])
async def test_a_full_sink_loses_nothing(client: Client, take: int) -> None:
    payloads = [bytes(range(256)) * 4, b"\x55" * 5000, b"", b"z"]
    case = good(
        *(frame(BINARY, payload) for payload in payloads),
        messages=[(BINARY, payload) for payload in payloads],
    )
    await run_case(client, case, take=take)


async def test_close_reason_cannot_forge_a_log_line(client: Client) -> None:
    async with RawRelay(close(4001, "no\n[doll] I all is well\x1b[2J 안녕")) as relay:
        result = await client("listen", relay.url)
    assert (result["code"], result["reason"]) == (4001, "no?[doll] I all is well?[2J 안녕")


async def test_lost_connection_is_1006(client: Client) -> None:
    async def hang_up(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with relay(hang_up) as url:
        result = await client("listen", url)
    assert (result["code"], result["open"]) == (1006, False)
    assert "connection lost" in result["reason"]


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


@pytest.mark.parametrize(
    "lengths",
    [(0, 1301), (65530, 65536), (1301, 65000, 911)],
    ids=["0 to 1300", "up to 65535", "every 911th"],
)
async def test_every_length_comes_back_as_it_went(client: Client, lengths: tuple[int, ...]) -> None:
    codes = []

    async def handler(connection: ServerConnection) -> None:
        await echo(connection)
        codes.append(connection.close_code)

    sizes = {"tx": 65535, "text": 65535, "limit": 65535}
    async with relay(handler) as url:
        result = await client("echo", url, lengths=lengths, sizes=sizes)
    assert result["same"] == 2 * len(range(*lengths))
    assert codes == [1001]


async def test_pings_between_the_fragments_of_a_real_server_are_answered(client: Client) -> None:
    async def handler(connection: ServerConnection) -> None:
        async def parts() -> AsyncIterator[bytes]:
            for i in range(20):
                yield bytes([i]) * 100
                pong = await connection.ping(f"ping {i}")
                await pong

        await connection.send(parts())
        await connection.close(1001, "bye")

    async with relay(handler) as url:
        result = await client("listen", url)
    whole = b"".join(bytes([i]) * 100 for i in range(20))
    assert result["messages"] == [[BINARY, 2000, zlib.crc32(whole)]]
    assert (result["code"], result["reason"]) == (1001, "bye")


async def test_close_sends_what_was_begun_and_its_code(client: Client) -> None:
    heard: list[object] = []

    async def handler(connection: ServerConnection) -> None:
        heard.append(await connection.recv())
        with pytest.raises(ConnectionClosed):
            await connection.recv()
        heard.append(connection.close_code)

    async with relay(handler) as url:
        result = await client("say_and_close", url, code=4002)
    assert heard == ["last words", 4002]
    assert result == {"after": 1006}


async def test_a_relay_that_does_not_read_stops_the_sender_and_not_the_listener(
    client: Client,
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
        result = await client("flood", url)
    assert result["heard"] == TEXT
    assert counted == [result["frames"]]


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
async def test_a_frame_each_way_takes_no_heap(client: Client, tmp_path: Path, secure: bool) -> None:
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
        result = await client("heap", url, heap="80K", frames=600, **told)
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
