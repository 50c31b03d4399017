"""Connections that say nothing, too much, or are too many, end before the application hears."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from relay.metrics.refusals import Limit, counted
from relay.wire.address import HOME
from relay.wire.limits import WireLimits
from relay.wire.sockets import MAX_HEAD_BYTES, BoundedHttpProtocol, http_options

REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


class FakeTransport(asyncio.Transport):
    def __init__(self, host: str) -> None:
        super().__init__({"peername": (host, 50000), "sockname": ("203.0.113.1", 80)})
        self.written = b""
        self.closing = False

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Server:
    """The protocol of uvicorn without sockets; the application answers everything with 204."""

    def __init__(self, proxies: Any = (), **limits: Any) -> None:
        self.requests = 0
        settings = http_options(WireLimits(**limits), proxies)
        self.config = uvicorn.Config(
            self._app, log_config=None, lifespan="off", interface="asgi3", **settings
        )
        self.config.load()
        self.state = ServerState()

    async def _app(self, _scope: Any, _receive: Any, send: Any) -> None:
        self.requests += 1
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def connect(self, host: str = "198.51.100.7") -> tuple[BoundedHttpProtocol, FakeTransport]:
        protocol = self.config.http_protocol_class(
            config=self.config, server_state=self.state, app_state={}
        )
        transport = FakeTransport(host)
        protocol.connection_made(transport)
        assert isinstance(protocol, BoundedHttpProtocol)
        return protocol, transport


def full(transport: FakeTransport) -> bool:
    return transport.written.startswith(b"HTTP/1.1 503") and transport.closing


async def test_one_address_has_so_many_connections_and_another_has_its_own() -> None:
    server = Server(sockets_per_address=2)
    before = counted(Limit.SOCKETS_PER_ADDRESS)
    first, _ = server.connect()
    assert not full(server.connect()[1])
    third, transport = server.connect()
    assert full(transport)
    assert counted(Limit.SOCKETS_PER_ADDRESS) == before + 1
    third.data_received(REQUEST)
    third.connection_lost(None)
    assert server.requests == 0
    assert not full(server.connect("198.51.100.8")[1])
    first.connection_lost(None)
    assert not full(server.connect()[1]), "a place is free again"


async def test_an_ipv6_household_counts_as_one_and_ipv4_within_ipv6_as_itself() -> None:
    server = Server(sockets_per_address=1)
    assert not full(server.connect("2001:db8::1")[1])
    assert full(server.connect("2001:db8::ffff:2")[1])
    assert not full(server.connect("2001:db8:0:1::1")[1])
    assert not full(server.connect("198.51.100.7")[1])
    assert full(server.connect("::ffff:198.51.100.7")[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "10.0.0.9"])
async def test_this_machine_and_proxies_have_no_count_of_their_own(host: str) -> None:
    server = Server(proxies=HOME, sockets_per_address=1)
    assert not any(full(server.connect(host)[1]) for _ in range(5))


async def test_there_are_only_so_many_connections_in_all() -> None:
    server = Server(sockets=3)
    before = counted(Limit.SOCKETS)
    hosts = ["127.0.0.1", "198.51.100.1", "198.51.100.2", "198.51.100.3"]
    assert [full(server.connect(host)[1]) for host in hosts] == [False, False, False, True]
    assert counted(Limit.SOCKETS) == before + 1


@pytest.mark.virtual_time
@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nhost: x\r\n"])
async def test_a_request_that_never_gets_whole_is_given_up(start: bytes) -> None:
    server = Server(request_timeout_s=10.0)
    protocol, transport = server.connect()
    protocol.data_received(start)
    for _ in range(9):
        await asyncio.sleep(1)
        if start:
            protocol.data_received(b"x: y\r\n")  # a byte now and then buys no time
    assert not transport.closing
    await asyncio.sleep(1.1)
    assert transport.closing
    assert transport.written.startswith(b"HTTP/1.1 408")
    protocol.connection_lost(None)


@pytest.mark.virtual_time
async def test_the_second_request_of_a_connection_has_a_time_of_its_own() -> None:
    server = Server(request_timeout_s=10.0)
    protocol, transport = server.connect()
    protocol.data_received(REQUEST)
    await asyncio.sleep(1)
    assert server.requests == 1
    protocol.data_received(b"GET / HTTP/1.1\r\n")
    await asyncio.sleep(9)
    assert not transport.closing
    await asyncio.sleep(1.1)
    assert transport.closing
    protocol.connection_lost(None)


async def test_a_head_without_end_is_given_up() -> None:
    server = Server()
    protocol, transport = server.connect()
    protocol.data_received(b"GET / HTTP/1.1\r\n")
    for _ in range(MAX_HEAD_BYTES // 1000 + 1):
        protocol.data_received(b"x: " + b"y" * 1000 + b"\r\n")
    assert transport.written.startswith(b"HTTP/1.1 431")
    assert transport.closing
    protocol.connection_lost(None)


async def test_uvicorn_itself_believes_no_forwarded_header() -> None:
    assert http_options(WireLimits())["proxy_headers"] is False
