"""How large a request may be, and how long it may take to arrive."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relay.metrics.refusals import Limit, count
from relay.wire.limits import WireLimits


class BodyLimit:
    """ASGI middleware for every route, whether it reads the body or not."""

    def __init__(
        self, app: ASGIApp, *, limits: WireLimits, larger: Mapping[str, int] | None = None
    ) -> None:
        """`larger` are paths that take so many bytes."""
        self._app = app
        self._limits = limits
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._larger.get(scope["path"], self._limits.request_bytes)
        body = _Body(receive, most, self._limits.request_timeout_s)
        if _announced(scope) <= most:
            await self._app(scope, body.receive, send)
            return
        body.refusal(413, Limit.REQUEST_SIZE)
        headers = [(b"content-length", b"0"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _announced(scope: Scope) -> float:
    text = Headers(scope=scope).get("content-length", "0")
    is_number = text.isascii() and text.isdigit() and len(text) < 20
    return int(text) if is_number else math.inf


class _Body:
    """What an application reads of a request, up to the limits."""

    def __init__(self, receive: Receive, most: int, timeout_s: float) -> None:
        self._receive = receive
        self._left = most
        self._ends = asyncio.get_running_loop().time() + timeout_s
        self._is_whole = False

    async def receive(self) -> Message:
        """The next part. Raises HTTPException."""
        if self._is_whole:  # what comes now is the end of the connection, whenever that is
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._ends):
                message = await self._receive()
        except TimeoutError:
            raise self.refusal(408, Limit.REQUEST_TIME) from None
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            self._is_whole = not message.get("more_body", False)
        if self._left < 0:
            raise self.refusal(413, Limit.REQUEST_SIZE)
        return message

    def refusal(self, status: int, limit: Limit) -> HTTPException:
        """What to raise; it becomes the answer."""
        count(limit)
        return HTTPException(status)
