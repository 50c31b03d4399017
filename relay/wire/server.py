"""How uvicorn has to serve WebSockets so that no client can make it keep more than its share.

uvicorn's `websockets-sansio` stops reading while a message waits for the application, which bounds
what comes in. Three things it does not bound are bounded here; `tests/relay/wire/test_server.py`
shows each of them.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn._types import ASGIReceiveEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

#: Largest message that is read at all. Twice a legal text, so that one somewhat too long still gets
#: an answer that says so.
MAX_MESSAGE_BYTES = 32_768

#: Frames of one message. Devices send one; empty ones cost no bytes and would go on for ever.
MAX_FRAGMENTS = 64

#: Seconds for the rest of the data to leave after the application is done.
LINGER_S = 10.0


class BoundedWebSocketProtocol(WebSocketsSansIOProtocol):
    """WebSocketsSansIOProtocol with limits on fragments, on pongs, and on a slow reader's end."""

    _abort_timer: asyncio.TimerHandle | None = None

    def handle_cont(self, event: Frame) -> None:
        if self.close_sent:
            return
        if len(self.frames) >= MAX_FRAGMENTS:
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, f"more than {MAX_FRAGMENTS} fragments")
            self.handle_parser_exception()
            return
        super().handle_cont(event)

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


def websocket_options(ping_interval_s: float | None = 20.0) -> dict[str, Any]:
    """The WebSocket part of `uvicorn.Config`'s arguments.

    Pings keep the path through a home router open, but no pong is asked for: stock boards on a busy
    chip miss them and would be cut off (xiaozhi-esp32-server issue 3348). Who is gone is found by
    `WireLimits.idle_timeout_s`. Compression is off: audio does not compress, and it takes memory
    for each connection.
    """
    return {
        "ws": BoundedWebSocketProtocol,
        "ws_max_size": MAX_MESSAGE_BYTES,
        "ws_ping_interval": ping_interval_s,
        "ws_ping_timeout": None,
        "ws_per_message_deflate": False,
    }
