"""Connections before anybody has said a word: how many there may be, and how long that may take.

uvicorn itself would keep a socket that says nothing for ever, and any number of them.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from typing import Any, cast

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from relay.metrics.refusals import Limit, count
from relay.wire.address import IpNetwork, is_loopback, is_within, source
from relay.wire.limits import WireLimits

_BUSY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_LARGE = b"HTTP/1.1 431 Headers Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

#: The first line and the headers of a request. Browsers send 2 KiB, dolls less than one.
MAX_HEAD_BYTES = 32_768


class BoundedHttpProtocol(HttpToolsProtocol):
    """HttpToolsProtocol with a place for each connection, and a time for each request."""

    _timer: asyncio.TimerHandle | None = None  # runs until the head of the request is there
    _head_bytes = 0

    def __init__(
        self, *args: Any, limits: WireLimits, proxies: Sequence[IpNetwork] = (), **kwargs: Any
    ) -> None:
        """`proxies` have many clients behind one address."""
        super().__init__(*args, **kwargs)
        self._limits = limits
        self._proxies = proxies

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", transport))
        if (limit := self._exceeded()) is None:
            self._wait()
            return
        count(limit)
        log = structlog.get_logger()
        log.warning("refused", why="too many connections", limit=f"limits.{limit}", host=self._host)
        self._end(_BUSY)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._timer is None:
            self._head_bytes = 0
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            count(Limit.REQUEST_SIZE)
            self._end(_LARGE)

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._timer is None:  # not the first request of this connection
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    @property
    def _host(self) -> str:
        return self.client[0] if self.client else ""

    def _exceeded(self) -> Limit | None:
        """The limit that this connection is too much for. It is among the counted ones already;
        those that were upgraded to a WebSocket are too."""
        if len(self.connections) > self._limits.sockets:
            return Limit.SOCKETS
        host = self._host
        if not self.client or is_loopback(host) or is_within(host, self._proxies):
            return None
        mine = source(host)
        clients = (getattr(other, "client", None) for other in self.connections)
        same = sum(client is not None and source(client[0]) == mine for client in clients)
        return Limit.SOCKETS_PER_ADDRESS if same > self._limits.sockets_per_address else None

    def _wait(self) -> None:
        self._timer = self.loop.call_later(self._limits.request_timeout_s, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        count(Limit.REQUEST_TIME)
        self._end(_SLOW)

    def _end(self, answer: bytes) -> None:
        self._stop_waiting()
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()


def http_options(limits: WireLimits, proxies: Sequence[IpNetwork] = ()) -> dict[str, Any]:
    """The HTTP part of `uvicorn.Config`'s arguments.

    Forwarded headers are `relay.web.proxies`' business: uvicorn would believe anybody on loopback.
    """
    protocol = functools.partial(BoundedHttpProtocol, limits=limits, proxies=tuple(proxies))
    return {"http": protocol, "proxy_headers": False, "server_header": False}
