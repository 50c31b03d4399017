"""How uvicorn has to serve WebSockets so that no client can make it keep more than its share.

uvicorn's `websockets-sansio` stops reading while a message waits for the application, which bounds
what comes in. What it leaves unbounded is bounded here, and pongs count as signs of life;
`tests/relay/wire/test_server.py` shows each of them.
"""

from __future__ import annotations

import asyncio
import functools
from http import HTTPStatus
from typing import Any, cast

from uvicorn._types import ASGIReceiveEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from relay.metrics.refusals import Limit, count
from relay.wire.errors import CloseCode
from relay.wire.limits import TokenBucket, WireLimits
from relay.wire.link import ACTIVITY

#: Largest message that is read at all. Twice a legal text, so that one somewhat too long still gets
#: an answer that says so.
MAX_MESSAGE_BYTES = 32_768

#: Frames of one message. Devices send one; empty ones cost no bytes and would go on for ever.
MAX_FRAGMENTS = 64

#: Pings and pongs together. Devices answer one ping in 20 s and send about as many.
CONTROL_PER_S, CONTROL_BURST = 5.0, 100.0

#: One read of a socket is up to 256 KiB, which is 40,000 empty frames. It is looked at in pieces,
#: so that a flood is seen before all of it was worked through.
SLICE_BYTES = 8192

#: Seconds for the rest of the data to leave after the application is done.
LINGER_S = 10.0


class BoundedWebSocketProtocol(WebSocketsSansIOProtocol):
    """WebSocketsSansIOProtocol with limits on fragments, on pings, and on a slow reader's end."""

    _abort_timer: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, limits: WireLimits | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits = limits or WireLimits()

    # A resting doll says nothing for hours. ASGI shows no pongs, so the application is told of them
    # in this way.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        now = self.loop.time()
        self._activity = {"heard_at": now, "writable": self.writable}
        self._control = TokenBucket(CONTROL_PER_S, CONTROL_BURST, now)

    def data_received(self, data: bytes) -> None:
        self._activity["heard_at"] = self.loop.time()
        for at in range(0, len(data), SLICE_BYTES):
            super().data_received(data[at : at + SLICE_BYTES])
            if self.queue.qsize() > self._limits.waiting_messages:
                self._fail(CloseCode.FLOOD, "more messages wait than limits.waiting_messages")
            if self.close_sent:
                break

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            extensions = cast("dict[str, object]", self.scope["extensions"])
            extensions[ACTIVITY] = self._activity

    def _fail(self, code: CloseCode, reason: str) -> None:
        if not self.close_sent:
            count(Limit.RATE if code is CloseCode.FLOOD else Limit.MESSAGE_SIZE)
            self.conn.fail(code, reason)
            self.handle_parser_exception()  # tells the application and closes

    # Empty fragments cost no bytes, so no limit on bytes ends them.

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= MAX_FRAGMENTS:
            self._fail(CloseCode.TOO_BIG, f"more than {MAX_FRAGMENTS} fragments")
        else:
            super().handle_cont(event)

    # The application never sees pings and pongs, so it cannot count them.

    def handle_ping(self) -> None:
        if self._control.take(1, self.loop.time()):
            super().handle_ping()
        else:
            self._fail(CloseCode.FLOOD, "too many pings")

    def handle_pong(self, event: Frame) -> None:
        if self._control.take(1, self.loop.time()):
            super().handle_pong(event)
        else:
            self._fail(CloseCode.FLOOD, "too many pongs")

    # Each ping is answered at once, whether the client reads or not: a client that only pings would
    # make the write buffer grow without end. So nothing is read while the client does not read.

    def pause_writing(self) -> None:
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()

    async def receive(self) -> ASGIReceiveEvent:
        event = await super().receive()
        if not self.writable.is_set():
            self.transport.pause_reading()
        return event

    # A transport that is closed first writes what it still has, and a client that keeps the
    # connection open without reading makes it wait for ever.

    async def run_asgi(self) -> None:
        try:
            await super().run_asgi()
        finally:
            if not self.disconnected:
                self._abort_timer = self.loop.call_later(LINGER_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._abort_timer is not None:
            self._abort_timer.cancel()
        super().connection_lost(exc)


def websocket_options(
    ping_interval_s: float | None = 20.0, limits: WireLimits | None = None
) -> dict[str, Any]:
    """The WebSocket part of `uvicorn.Config`'s arguments.

    Pings keep the path through a home router open, but no pong is asked for: stock boards on a busy
    chip miss some and would be cut off (xiaozhi-esp32-server issue 3348). Who answers none for
    `WireLimits.idle_timeout_s` is gone. Compression is off: audio does not compress, and it takes
    memory for each connection.
    """
    return {
        "ws": functools.partial(BoundedWebSocketProtocol, limits=limits),
        "ws_max_size": MAX_MESSAGE_BYTES,
        "ws_ping_interval": ping_interval_s,
        "ws_ping_timeout": None,
        "ws_per_message_deflate": False,
    }
