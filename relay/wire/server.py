"""How uvicorn has to serve WebSockets so that no client can make it keep more than its share.

uvicorn's `websockets-sansio` stops reading while a message waits for the application, which bounds
what comes in. What it leaves unbounded is bounded here, and pongs count as signs of life;
`tests/relay/wire/test_server.py` shows each of them.

Nearly all that comes and goes is a whole message in one frame, many thousands in a second. Those
take a way of their own here, past websockets' parser (a generator) and the layers of ASGI; all else
takes the usual way, and both may follow each other as they like.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from uvicorn._types import ASGIReceiveEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

from relay.metrics.refusals import Limit, count
from relay.wire import frames
from relay.wire.errors import CloseCode
from relay.wire.limits import TokenBucket, WireLimits
from relay.wire.link import DIRECT

#: Largest message that is read at all. Twice a legal text, so that one somewhat too long still gets
#: an answer that says so.
MAX_MESSAGE_BYTES = 32_768

#: Frames of one message. Devices send one; empty ones cost no bytes and would go on for ever.
MAX_FRAGMENTS = 64

#: Pings and pongs together. Devices answer one ping in 20 s and send about as many.
CONTROL_PER_S, CONTROL_BURST = 5.0, 100.0

#: The moments in the time between two pings at which pings go.
PING_MOMENTS = 20

#: So many messages may wait for the application before the socket is not read for a while. To stop
#: and begin again for each message would be two calls of the system for each.
READ_AHEAD = 8

#: Seconds for the rest of the data to leave after the application is done.
LINGER_S = 10.0


class BoundedWebSocketProtocol(WebSocketsSansIOProtocol):
    """WebSocketsSansIOProtocol with limits on fragments, on pings, and on a slow reader's end."""

    _abort_timer: asyncio.TimerHandle | None = None
    at_once: Callable[[bytes], bool] | None = None  # as `relay.wire.link.Direct` says

    def __init__(self, *args: Any, limits: WireLimits | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits = limits or WireLimits()

    # A resting doll says nothing for hours. ASGI shows no pongs, so the application is told of them
    # in this way.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.heard_at = self.loop.time()
        self._control = TokenBucket(CONTROL_PER_S, CONTROL_BURST, self.heard_at)
        self._part = b""  # of a frame that has not come to its end

    def data_received(self, data: bytes) -> None:
        self.heard_at = self.loop.time()
        if not self.handshake_initiated:
            super().data_received(data)  # the request, which comes alone
            return
        if self._part:
            data = self._part + data
        at = 0
        while not self.transport.is_closing() and (frame := frames.measure(data, at)) is not None:
            start, end = frame
            too_big = end - start > MAX_MESSAGE_BYTES
            if end > len(data) and not too_big:
                break
            if self.close_sent:
                # Only its own close frame is still of interest: it ends the handshake at once.
                if data[at] & 0x0F == Opcode.CLOSE:
                    super().data_received(data[at:end])
                elif too_big:
                    self.transport.close()
                at = end
                continue
            usual = too_big or self.frames or self.conn.state is not State.OPEN
            if not usual and frames.is_whole_binary(data, at):
                self._take(frames.unmasked(data, start, end))
            elif not usual and frames.is_pong(data, at):
                self._count_pong()
            else:
                super().data_received(data[at:end])
            at = end
            if self.queue.qsize() > self._limits.waiting_messages:
                self._fail(CloseCode.FLOOD, "more messages wait than limits.waiting_messages")
        self._part = b"" if self.transport.is_closing() else data[at:]

    def _take(self, message: bytes) -> None:
        if self.at_once is not None and self.queue.empty() and self.at_once(message):
            return
        self.queue.put_nowait({"type": "websocket.receive", "bytes": message})
        if not self.read_paused and self.queue.qsize() >= READ_AHEAD:
            self.read_paused = True
            self.transport.pause_reading()

    def send_now(self, data: str | bytes) -> bool:
        """Send a message if that needs no wait; whether it was sent."""
        open_ = self.handshake_complete and self.conn.state is State.OPEN
        if not open_ or self.close_sent or self.disconnected or not self.writable.is_set():
            return False
        self.transport.write(frames.message(data))
        return True

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            cast("dict[str, object]", self.scope["extensions"])[DIRECT] = self

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

    def handle_pong(self, event: Frame) -> None:  # noqa: ARG002
        self._count_pong()

    def _count_pong(self) -> None:
        if not self._control.take(1, self.loop.time()):
            self._fail(CloseCode.FLOOD, "too many pongs")

    # uvicorn's ping has a number of its own, and passes through the parser. All connections ping at
    # the same few moments: what wakes the process up costs more than a ping does.

    def schedule_ping(self) -> None:
        assert self.ping_interval is not None
        due = ping_due(self.loop.time(), self.ping_interval)
        self.ping_timer = self.loop.call_at(due, self.send_keepalive_ping)

    def send_keepalive_ping(self) -> None:
        self.ping_timer = None
        if not self.close_sent and not self.transport.is_closing():
            self.transport.write(frames.PING)
            self.schedule_ping()

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


def ping_due(now: float, interval_s: float) -> float:
    """When the next ping goes: `interval_s` from now, or up to `1 / PING_MOMENTS` of it earlier."""
    apart = interval_s / PING_MOMENTS
    return (now + interval_s) // apart * apart


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
