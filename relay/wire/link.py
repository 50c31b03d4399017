"""One WebSocket with time limits, which ends once and says why."""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect
from structlog.typing import FilteringBoundLogger

from relay.metrics.refusals import Limit, count
from relay.wire.deadline import Deadline
from relay.wire.errors import CloseCode, Disconnected
from relay.wire.limits import WireLimits

#: What the server raises when the other side is gone, depending on how far the WebSocket had come.
_GONE = (WebSocketDisconnect, OSError, RuntimeError)

#: The ASGI extension by which our server (`relay.wire.server`) says when it last heard of a
#: device, pongs included, and whether a send would wait for it:
#: {"heard_at": seconds on the loop's clock, "writable": asyncio.Event}.
ACTIVITY = "doll.activity"

#: The ends that are a limit's.
_LIMITS = {
    CloseCode.NO_HELLO: Limit.HELLO,
    CloseCode.IDLE: Limit.IDLE,
    CloseCode.FLOOD: Limit.RATE,
    CloseCode.SLOW_READER: Limit.SLOW_READER,
    CloseCode.BAD_MESSAGES: Limit.BAD_MESSAGES,
    CloseCode.SESSION_OVER: Limit.SESSION_TIME,
}

_MAX_REASON_BYTES = 123  # RFC 6455, section 5.5: a control frame has 125, two are the code


class Link:
    """Messages in and out, or Disconnected. Cancelling any call leaves the link as it was."""

    def __init__(self, websocket: WebSocket, limits: WireLimits, log: FilteringBoundLogger) -> None:
        self._websocket = websocket
        self._limits = limits
        self.log = log
        self._over: Disconnected | None = None
        self._ended = asyncio.Event()
        self._deadline = Deadline()  # of the receive under way

    async def accept(self) -> None:
        """Answer the upgrade. Raises Disconnected."""
        self._check()
        try:
            await self._websocket.accept()
        except _GONE:
            raise self._end(CloseCode.GOING_AWAY, "left before it was accepted") from None

    async def receive(
        self, timeout_s: float, late: CloseCode, reason: str, *, pongs_count: bool = False
    ) -> str | bytes:
        """The next message; after `timeout_s` without one the link is closed as `late`.

        With `pongs_count` a device that says nothing but answers pings is given more time. Only one
        caller at a time. Raises Disconnected.
        """
        wait_s = timeout_s
        while True:
            self._check()
            try:
                with self._deadline.within(wait_s):
                    message = await self._websocket.receive()
                break
            except TimeoutError:  # or `close` brought the deadline forward; then it is over
                wait_s = timeout_s - self._silence_s() if pongs_count else 0.0
                if wait_s <= 0:
                    raise await self.close(late, reason) from None
            except _GONE:
                raise self._end(CloseCode.GOING_AWAY, "gone") from None
        if message["type"] == "websocket.disconnect":
            raise self._end(message.get("code", 1006), message.get("reason") or "gone")
        text: str | None = message.get("text")
        data: bytes = message.get("bytes") or b""
        return data if text is None else text

    async def send(self, data: str | bytes) -> None:
        """Send one message; a device that does not read is given up on. Raises Disconnected."""
        self._check()
        send = self._websocket.send_text if isinstance(data, str) else self._websocket.send_bytes
        try:
            if self._sends_at_once():
                await send(data)  # type: ignore[arg-type]
                return
            async with asyncio.timeout(self._limits.send_timeout_s):
                await send(data)  # type: ignore[arg-type]
        except TimeoutError:
            reason = "does not read what is sent to it"
            raise await self.close(CloseCode.SLOW_READER, reason) from None
        except _GONE:
            raise self._end(CloseCode.GOING_AWAY, "gone") from None

    async def close(self, code: CloseCode, reason: str) -> Disconnected:
        """End the link; a receive under way raises Disconnected. Does nothing the second time.

        Gives the exception to raise: the link's end as it was the first time.
        """
        if self._over is not None:
            return self._end(code, reason)
        if (limit := _LIMITS.get(code)) is not None:
            count(limit)
        over = self._end(code, reason)
        self._deadline.expire()
        with contextlib.suppress(TimeoutError, *_GONE):
            async with asyncio.timeout(self._limits.close_timeout_s):
                short = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
                await self._websocket.close(code, short)
        return over

    async def over(self) -> None:
        """Wait until the link has ended."""
        await self._ended.wait()

    def _end(self, code: int, reason: str) -> Disconnected:
        """Note the end unless there was one before; a new exception for the one that counts."""
        if self._over is None:
            self._over = Disconnected(code, reason)
            self._ended.set()
            self._deadline.close()
            self.log.info("disconnected", code=int(code), reason=reason)
        return Disconnected(self._over.code, self._over.reason)

    # With another server than ours there is no such extension, and each send gets its time limit.

    @property
    def _activity(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._websocket.scope.get("extensions", {}).get(ACTIVITY)
        return found

    def _silence_s(self) -> float:
        if (activity := self._activity) is None:
            return math.inf
        return asyncio.get_running_loop().time() - float(activity["heard_at"])

    def _sends_at_once(self) -> bool:
        """Whether a message goes out, or into the socket's buffer, without a wait."""
        activity = self._activity
        return activity is not None and bool(activity["writable"].is_set())

    def _check(self) -> None:
        if self._over is not None:
            raise Disconnected(self._over.code, self._over.reason)
