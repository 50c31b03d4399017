"""One WebSocket with time limits, which ends once and says why."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.websockets import WebSocket, WebSocketDisconnect
from structlog.typing import FilteringBoundLogger

from relay.wire.errors import CloseCode, Disconnected
from relay.wire.limits import WireLimits

#: What the server raises when the other side is gone, depending on how far the WebSocket had come.
_GONE = (WebSocketDisconnect, OSError, RuntimeError)

_MAX_REASON_BYTES = 123  # RFC 6455, section 5.5: a control frame has 125, two are the code


class Link:
    """Messages in and out, or Disconnected. Cancelling any call leaves the link as it was."""

    def __init__(self, websocket: WebSocket, limits: WireLimits, log: FilteringBoundLogger) -> None:
        self._websocket = websocket
        self._limits = limits
        self._log = log
        self._over: Disconnected | None = None
        self._deadline: asyncio.Timeout | None = None  # of the receive under way

    async def accept(self) -> None:
        """Answer the upgrade. Raises Disconnected."""
        self.check()
        try:
            await self._websocket.accept()
        except _GONE:
            raise self._end(CloseCode.GOING_AWAY, "left before it was accepted") from None

    async def receive(self, timeout_s: float, late: CloseCode, reason: str) -> str | bytes:
        """The next message; after `timeout_s` without one the link is closed as `late`.

        Only one caller at a time. Raises Disconnected.
        """
        self.check()
        try:
            async with asyncio.timeout(timeout_s) as self._deadline:
                message = await self._websocket.receive()
        except TimeoutError:
            await self.close(late, reason)  # unless `close` itself brought the deadline forward
            self.check()
            raise
        except _GONE:
            raise self._end(CloseCode.GOING_AWAY, "gone") from None
        finally:
            self._deadline = None
        if message["type"] == "websocket.disconnect":
            raise self._end(message.get("code", 1006), message.get("reason") or "gone")
        text: str | None = message.get("text")
        data: bytes = message.get("bytes") or b""
        return data if text is None else text

    async def send(self, data: str | bytes) -> None:
        """Send one message; a device that does not read is given up on. Raises Disconnected."""
        self.check()
        try:
            async with asyncio.timeout(self._limits.send_timeout_s):
                if isinstance(data, str):
                    await self._websocket.send_text(data)
                else:
                    await self._websocket.send_bytes(data)
        except TimeoutError:
            await self.close(CloseCode.SLOW_READER, "does not read what is sent to it")
            self.check()
            raise
        except _GONE:
            raise self._end(CloseCode.GOING_AWAY, "gone") from None

    async def close(self, code: CloseCode, reason: str) -> None:
        """End the link; a receive under way raises Disconnected. Does nothing the second time."""
        if self._over is not None:
            return
        self._end(code, reason)
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time())
        with contextlib.suppress(TimeoutError, *_GONE):
            async with asyncio.timeout(self._limits.close_timeout_s):
                short = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
                await self._websocket.close(code, short)

    def _end(self, code: int, reason: str) -> Disconnected:
        if self._over is None:
            self._over = Disconnected(code, reason)
            self._log.info("disconnected", code=int(code), reason=reason)
        return Disconnected(self._over.code, self._over.reason)

    def check(self) -> None:
        """Raise Disconnected if the link is over."""
        if self._over is not None:
            raise Disconnected(self._over.code, self._over.reason)
