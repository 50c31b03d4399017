"""One WebSocket with time limits, which ends once and says why."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable
from typing import Any, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect
from structlog.typing import FilteringBoundLogger

from relay.metrics.refusals import Limit, count
from relay.wire.deadline import Deadline
from relay.wire.errors import CloseCode, Disconnected
from relay.wire.limits import WireLimits

#: What the server raises when the other side is gone, depending on how far the WebSocket had come.
_GONE = (WebSocketDisconnect, OSError, RuntimeError)

#: The ASGI extension by which our server (`relay.wire.server`) gives a `Direct`.
DIRECT = "doll.direct"


class Direct(Protocol):
    """The shorter way to a socket of our own server, once it is accepted."""

    heard_at: float  #: when the device was last heard of, pongs included, on the loop's clock
    #: Shown each binary message that arrives while nothing waits in front of it; whether it is done
    #: with it, so that `receive` does not give it. It must not raise.
    at_once: Callable[[bytes], bool] | None

    async def receive(self) -> Any:
        """The next ASGI event."""
        ...

    def send_now(self, data: str | bytes) -> bool:
        """Send a message if that needs no wait; whether it was sent."""
        ...


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
        # With another server than ours there is none, and each send gets its time limit.
        self._direct: Direct | None = websocket.scope.get("extensions", {}).get(DIRECT)

    async def accept(self) -> None:
        """Answer the upgrade. Raises Disconnected."""
        self._check()
        try:
            await self._websocket.accept()
        except _GONE:
            raise self._end(CloseCode.GOING_AWAY, "left before it was accepted") from None

    async def receive(
        self,
        timeout_s: float,
        late: CloseCode,
        reason: str,
        *,
        pongs_count: bool = False,
        at_once: Callable[[bytes], bool] | None = None,
    ) -> str | bytes:
        """The next message; after `timeout_s` without one the link is closed as `late`.

        With `pongs_count` a device that says nothing but answers pings is given more time. While
        this waits, binary messages are shown to `at_once` where they arrive, if our server is
        below; what that returns True for is done. Only one caller at a time. Raises Disconnected.
        """
        wait_s = timeout_s
        source = self._direct or self._websocket
        while True:
            self._check()
            self._show(at_once)
            try:
                with self._deadline.within(wait_s):
                    message = await source.receive()
                break
            except TimeoutError:  # or `close` brought the deadline forward; then it is over
                wait_s = timeout_s - self._silence_s() if pongs_count else 0.0
                if wait_s <= 0:
                    raise await self.close(late, reason) from None
            except _GONE:
                raise self._end(CloseCode.GOING_AWAY, "gone") from None
            finally:
                self._show(None)
        if message["type"] == "websocket.disconnect":
            raise self._end(message.get("code", 1006), message.get("reason") or "gone")
        text: str | None = message.get("text")
        data: bytes = message.get("bytes") or b""
        return data if text is None else text

    async def send(self, data: str | bytes) -> None:
        """Send one message; a device that does not read is given up on. Raises Disconnected."""
        self._check()
        if self._direct is not None and self._direct.send_now(data):
            return
        send = self._websocket.send_text if isinstance(data, str) else self._websocket.send_bytes
        try:
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

    def _show(self, at_once: Callable[[bytes], bool] | None) -> None:
        if self._direct is not None:
            self._direct.at_once = at_once

    def _silence_s(self) -> float:
        if self._direct is None:
            return math.inf
        return asyncio.get_running_loop().time() - self._direct.heard_at

    def _check(self) -> None:
        if self._over is not None:
            raise Disconnected(self._over.code, self._over.reason)
