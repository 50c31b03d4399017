"""The doll's WebSocket client against servers that send any bytes they like.

The numbers in the test ids are those of the Autobahn test suite (crossbario/autobahn-testsuite),
whose cases are re-created here from their descriptions. Text is checked when a message is complete,
so the fail-fast cases of 6.4 end with the same code, only later.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import struct
import zlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

Client = Callable[..., Coroutine[Any, Any, dict[str, Any]]]


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


async def run_case(websocket_client: Client, case: Case, **told: object) -> None:
    async with RawRelay(case.wire) as relay:
        result = await websocket_client("listen", relay.url, **told)
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
async def test_autobahn_case(websocket_client: Client, case: Case) -> None:
    await run_case(websocket_client, case, sizes=SIZES)


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
async def test_autobahn_case_read_byte_by_byte(websocket_client: Client, case: str) -> None:
    await run_case(websocket_client, CASES[case], sizes={**SIZES, "rx": 1})


@pytest.mark.parametrize("take", [1, 100, 997])
async def test_a_full_sink_loses_nothing(websocket_client: Client, take: int) -> None:
    payloads = [bytes(range(256)) * 4, b"\x55" * 5000, b"", b"z"]
    case = good(
        *(frame(BINARY, payload) for payload in payloads),
        messages=[(BINARY, payload) for payload in payloads],
    )
    await run_case(websocket_client, case, take=take)


async def test_close_reason_cannot_forge_a_log_line(websocket_client: Client) -> None:
    async with RawRelay(close(4001, "no\n[doll] I all is well\x1b[2J 안녕")) as relay:
        result = await websocket_client("listen", relay.url)
    assert (result["code"], result["reason"]) == (4001, "no?[doll] I all is well?[2J 안녕")
