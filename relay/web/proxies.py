"""Who is at the other end of a connection, and whether they may be.

Without TLS everything that is said can be read, and changed, on the way. So a connection without it
is good only from this machine, from a proxy that does the TLS, and, if the owner says so, from the
network at home. Only such a proxy is believed when it says for whom it asks.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from relay.metrics.refusals import Limit, count
from relay.wire.address import HOME, IpNetwork, address, is_loopback, is_within

_REFUSAL = b"This relay takes no connection without TLS from here: see docs/tls.md\n"


class Peers:
    """ASGI middleware, the outermost: what is inside sees the client, not the proxy."""

    def __init__(
        self, app: ASGIApp, *, proxies: Sequence[IpNetwork] = (), home_network: bool = False
    ) -> None:
        """`proxies` are believed; `home_network`: whoever is at home may come without TLS."""
        self._app = app
        self._proxies = tuple(proxies)
        self._home_network = home_network
        trusted = [str(network) for network in self._proxies]
        # uvicorn and Starlette write the same interface down in two ways.
        self._behind = ProxyHeadersMiddleware(self._forwarded, trusted)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        host = scope["client"][0] if scope.get("client") else ""
        if is_within(host, self._proxies):
            scope.setdefault("state", {})["proxy"] = scope["client"]
            await self._behind(scope, receive, send)  # type: ignore[arg-type]
        elif is_loopback(host) or scope["scheme"] in ("https", "wss") or self._is_home(host):
            await self._app(scope, receive, send)
        else:
            count(Limit.NETWORK)
            structlog.get_logger().warning("refused", why="no TLS, and from elsewhere", host=host)
            await _refuse(scope, receive, send)

    def _is_home(self, host: str) -> bool:
        return self._home_network and is_within(host, HOME)

    async def _forwarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What the proxy has said may come from anybody before it: only an address is one."""
        if address(scope["client"][0]) is None:
            scope["client"] = scope["state"]["proxy"]
        await self._app(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(_REFUSAL))]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": _REFUSAL})
