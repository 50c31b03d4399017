"""How the doll opens its link: addresses, TCP and the HTTP upgrade, and every way it fails."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

Client = Callable[..., Coroutine[Any, Any, dict[str, Any]]]
Answer = Callable[[bytes], bytes]


def accept(request: bytes) -> bytes:
    key = request.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    return base64.b64encode(digest)


def answer(status: str, *lines: str) -> Answer:
    """An answer with these header lines; {accept} stands for the right Sec-WebSocket-Accept."""
    head = "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()
    return lambda request: head.replace(b"{accept}", accept(request))


UPGRADE, CONNECTION = "Upgrade: websocket", "Connection: Upgrade"
ACCEPT = "Sec-WebSocket-Accept: {accept}"
FIELDS = UPGRADE, CONNECTION, ACCEPT
BYE = b"\x88\x02\x03\xe8"  # close 1000


class Server:
    """Answers the first request on every connection with given bytes, and keeps the requests."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.hung_up = asyncio.Event()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(request)
            writer.write(self.answer(request))
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.hung_up.set()
            writer.close()


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Server]:
    server = Server(answer)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    yield server
    listener.close()


@asynccontextmanager
async def listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield listener.sockets[0].getsockname()[1]
    listener.close()


GOOD = answer("101 Switching Protocols", *FIELDS)


def good(request: bytes) -> bytes:
    return GOOD(request) + BYE


async def test_request_is_what_rfc_6455_asks_for(websocket_client: Client) -> None:
    async with serving(good) as server:
        headers = [["Device-Id", "02:00:00:00:00:01"], ["Authorization", "Bearer 안녕"]]
        result = await websocket_client(
            "listen", f"ws://127.0.0.1:{server.port}/a/b?c=d", headers=headers
        )
    assert result["code"] == 1000
    head, _, rest = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert rest == b""
    assert lines[0] == "GET /a/b?c=d HTTP/1.1"
    fields = dict(line.split(": ", 1) for line in lines[1:])
    assert len(base64.b64decode(fields.pop("Sec-WebSocket-Key"), validate=True)) == 16
    assert fields == {
        "Host": f"127.0.0.1:{server.port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Device-Id": "02:00:00:00:00:01",
        "Authorization": "Bearer 안녕",
    }


async def test_every_connection_has_a_key_of_its_own(websocket_client: Client) -> None:
    async with serving(good) as server:
        for _ in range(2):
            await websocket_client("listen", f"ws://127.0.0.1:{server.port}/")
    assert accept(server.requests[0]) != accept(server.requests[1])


ACCEPTED = {
    "plain": GOOD,
    "any case": answer(
        "101 ok", "UPGRADE: WebSocket", "connection:upgrade", "sec-websocket-ACCEPT:   {accept}  "
    ),
    "no reason": answer("101", *FIELDS),
    "token lists": answer("101 x", UPGRADE, "Connection: keep-alive, Upgrade", ACCEPT),
    "repeated field": answer(
        "101 x", UPGRADE, "Connection: keep-alive", "Connection: upgrade", ACCEPT
    ),
    "3 KB of other fields": answer(
        "101 x", *FIELDS, *(f"X-{i}: {'y' * 90}" for i in range(30))
    ),
    "empty extensions": answer(
        "101 x", *FIELDS, "Sec-WebSocket-Extensions:"
    ),
}  # fmt: skip


@pytest.mark.parametrize("head", ACCEPTED.values(), ids=ACCEPTED.keys())
async def test_good_answer_is_accepted_and_the_frames_behind_it_are_read(
    websocket_client: Client, head: Answer
) -> None:
    async with serving(lambda request: head(request) + BYE) as server:
        result = await websocket_client("listen", f"ws://127.0.0.1:{server.port}/")
    assert result["code"] == 1000


REFUSED: dict[str, tuple[Answer, int, str]] = {
    "200": (answer("200 OK", "Content-Length: 0"), 200, "a web page, not a WebSocket"),
    "301": (answer("301 Moved", "Location: wss://a.example/b"), 301, "moved to wss://a.example/b"),
    "302": (answer("302 Found", "Location: /login?t0ken"), 302, "moved to /login"),
    "307": (answer("307 x", "Location: http://a/\x1b[2J"), 307, "moved to http://a/?[2J"),
    "308 to nowhere": (answer("308 Permanent"), 308, "moved to nowhere"),
    "400": (answer("400 Bad Request"), 400, "did not understand"),
    "401": (answer("401 Unauthorized"), 401, "valid token"),
    "403": (answer("403 Forbidden"), 403, "does not let this doll in"),
    "404": (answer("404 Not Found"), 404, "path of the address"),
    "426": (answer("426 Upgrade Required"), 426, "another version"),
    "429": (answer("429 Too Many"), 429, "wait"),
    "502": (answer("502 Bad Gateway"), 502, "not running"),
    "503": (answer("503 Service Unavailable"), 503, "busy"),
    "418": (answer("418 I'm a teapot"), 418, "unexpected answer: HTTP/1.1 418 I'm a teapot"),
    "HTTP/1.0": (lambda _: b"HTTP/1.0 101 x\r\n\r\n", 0, "not an HTTP/1.1 answer"),
    "SSH": (lambda _: b"SSH-2.0-OpenSSH_9\x07\r\n\r\n", 0, "answer: SSH-2.0-OpenSSH_9?"),
    "status is no number": (lambda _: b"HTTP/1.1 1O1 x\r\n\r\n", 0, "not an HTTP/1.1 answer"),
    "wrong accept": (
        answer("101 x", UPGRADE, CONNECTION, "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        0, "wrong Sec-WebSocket-Accept",
    ),
    "no accept": (answer("101 x", UPGRADE, CONNECTION), 0, "wrong Sec-WebSocket-Accept"),
    "accept twice": (answer("101 x", *FIELDS, ACCEPT), 0, "wrong Sec-"),
    "no upgrade": (answer("101 x", CONNECTION, ACCEPT), 0, "without Upgrade"),
    "other upgrade": (answer("101 x", "Upgrade: h2c", CONNECTION, ACCEPT), 0, "without Upgrade"),
    "no connection": (answer("101 x", UPGRADE, ACCEPT), 0, "without Connection"),
    "connection: close": (
        answer("101 x", UPGRADE, "Connection: close", ACCEPT), 0, "without Connection"
    ),
    "compression": (
        answer("101 x", *FIELDS, "Sec-WebSocket-Extensions: permessage-deflate"),
        0, "extension that was not offered",
    ),
    "subprotocol": (
        answer("101 x", *FIELDS, "Sec-WebSocket-Protocol: mqtt"),
        0, "subprotocol that was not offered",
    ),
    "folded line": (answer("101 x", "Upgrade:", " websocket"), 0, "bad header line"),
    "space before colon": (answer("101 x", "Upgrade : websocket"), 0, "bad header line"),
    "no colon": (answer("101 x", "Upgrade"), 0, "bad header line"),
    "endless header": (lambda _: b"HTTP/1.1 101 x\r\n" + b"X: y\r\n" * 2000, 0, "longer than 4096"),
    "endless line": (lambda _: b"HTTP/1.1 101 " + b"x" * 9000, 0, "longer than 4096"),
}  # fmt: skip


@pytest.mark.parametrize(("head", "status", "text"), REFUSED.values(), ids=REFUSED.keys())
async def test_bad_answer_is_refused_with_its_reason(
    websocket_client: Client, head: Answer, status: int, text: str
) -> None:
    async with serving(head) as server:
        headers = [["Authorization", "Bearer s3cret"]]
        result = await websocket_client(
            "listen", f"ws://127.0.0.1:{server.port}/t0ken", headers=headers
        )
        await asyncio.wait_for(server.hung_up.wait(), 10)
    assert result["stage"] == "http"
    assert result["status"] == status
    assert text in result["text"]
    assert "s3cret" not in result["text"]
    assert "t0ken" not in result["text"]
    assert result["open"] is False


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 101 Swi"], ids=["at once", "inside the header"])
async def test_relay_that_hangs_up_is_named(websocket_client: Client, sent: bytes) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        writer.close()

    async with listening(hang_up) as port:
        result = await websocket_client("listen", f"ws://127.0.0.1:{port}/")
    assert result["text"] == "http: relay hung up instead of answering"


@pytest.mark.parametrize(
    ("scheme", "stage"), [("ws", "http"), ("wss", "tls")], ids=["upgrade", "TLS handshake"]
)
async def test_silent_server_is_given_up_in_time(
    websocket_client: Client, scheme: str, stage: str
) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with listening(silent) as port:
        url = f"{scheme}://127.0.0.1:{port}/"
        result = await websocket_client("listen", url, timeout_ms=200, insecure=True)
    assert (result["stage"], result["text"]) == (stage, f"{stage}: no answer in time")


async def test_a_header_that_drips_does_not_stretch_the_time_limit(
    websocket_client: Client,
) -> None:
    hung_up = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 101 x\r\nX: ")
        try:
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            hung_up.set()

    async with listening(drip) as port:
        result = await websocket_client("listen", f"ws://127.0.0.1:{port}/", timeout_ms=300)
        await asyncio.wait_for(hung_up.wait(), 10)
    assert result["text"] == "http: no answer in time"


async def test_a_host_that_swallows_packets_is_given_up_in_time(websocket_client: Client) -> None:
    # A full backlog: Linux drops further SYNs, as a host behind a firewall does.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = server.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        result = await websocket_client("listen", f"ws://127.0.0.1:{address[1]}/", timeout_ms=200)
        for filler in fillers:
            filler.close()
    assert (result["stage"], result["text"]) == ("tcp", "tcp: no answer in time")


async def test_nobody_listening_is_named(websocket_client: Client) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take the port
        result = await websocket_client("listen", f"ws://127.0.0.1:{held.getsockname()[1]}/")
    assert result["stage"] == "tcp"
    assert "ECONNREFUSED" in result["text"]


async def test_unknown_host_is_named(websocket_client: Client) -> None:
    result = await websocket_client("listen", "ws://no-such-host.invalid/")
    assert result["stage"] == "dns"
    assert "no-such-host.invalid" in result["text"]


async def test_cancelling_closes_the_socket(websocket_client: Client) -> None:
    closed = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        closed.set()
        writer.close()

    async def after_that(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        await asyncio.wait_for(closed.wait(), 20)  # while the client still runs
        writer.write(good(request))
        await reader.read()
        writer.close()

    async with listening(silent) as port, listening(after_that) as port2:
        urls = f"ws://127.0.0.1:{port}/", f"ws://127.0.0.1:{port2}/"
        result = await websocket_client("cancelled", urls[0], then=urls[1], timeout_ms=30_000)
    assert result["code"] == 1000


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://a.example/", "must start with ws://"),
        ("a.example", "must start with ws://"),
        ("ws://", "bad host"),
        ("ws:///path", "bad host"),
        ("ws://me:pw@a.example/", "bad host"),
        ("ws://[::1/", "bad host"),
        ("ws://[::1]x/", "bad host"),
        ("ws://a.example:0/", "bad port"),
        ("ws://a.example:65536/", "bad port"),
        ("ws://a.example:-1/", "bad port"),
        ("ws://a.example:x/", "bad port"),
        ("ws://a.example/안녕", "%XX"),
        ("ws://a.example/a b", "%XX"),
        ("ws://a.example/\r\nX: y", "%XX"),
        ("ws://a.example/#part", "%XX"),
    ],
)
async def test_bad_address_is_named(websocket_client: Client, url: str, text: str) -> None:
    result = await websocket_client("listen", url)
    assert result["stage"] == "address"
    assert text in result["text"]


async def test_header_cannot_smuggle_another(websocket_client: Client) -> None:
    result = await websocket_client("listen", "ws://127.0.0.1:1/", headers=[["X", "y\r\nZ: w"]])
    assert result["stage"] == "address"
    assert "line break in header X" in result["text"]


def test_address_is_taken_apart(micropython: Callable[..., str]) -> None:
    urls = {
        "ws://a": (False, "a", 80, "/"),
        "WSS://a": (True, "a", 443, "/"),
        "wss://a.example:8443/x/y?z=/1": (True, "a.example", 8443, "/x/y?z=/1"),
        "ws://a?z=1": (False, "a", 80, "/?z=1"),
        "ws://[fe80::1]:81/x": (False, "fe80::1", 81, "/x"),
        "ws://[::1]": (False, "::1", 80, "/"),
    }
    script = f"from doll.upgrade import parse\nfor url in {list(urls)!r}: print(parse(url))"
    assert micropython(script).splitlines() == [repr(parts) for parts in urls.values()]
