"""Which pages a browser may ask from: ours, under a name that is ours.

A page of somebody else's can make the owner's browser send requests (cross-site request forgery,
cross-site WebSockets), and can even give its own name the relay's address (DNS rebinding). The
`Origin` header gives the first away, the `Host` header the second. Dolls send no `Origin`.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from relay.wire.address import address

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

#: What dolls and programs ask for, under whatever name they know. A browser sends `Origin` along
#: with all that it could do harm with here, and then its `Host` counts as well.
_MACHINES = ("/xiaozhi/", "/healthz", "/metrics")

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


class Origins:
    """ASGI middleware: refuses what a browser asks on behalf of somebody else's page."""

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str] = ()) -> None:
        """`hosts` are the relay's names; an IP address, localhost and the machine's own name need
        not be among them."""
        self._app = app
        name = socket.gethostname().lower().partition(".")[0]
        self._hosts = {"localhost", name, f"{name}.local", *(host.lower() for host in hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            why = self._refusal(scope)
            if why is not None:
                structlog.get_logger().warning("refused", why=why, path=scope["path"][:80])
                await _refuse(scope, receive, send, why)
                return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        is_for_machines = scope["path"].startswith(_MACHINES)
        if origin is None and is_for_machines:
            return None
        here = _place(f"{scope['scheme']}://{headers.get('host', '')}")
        if here is None or not self.is_ours(here[0]):
            return "Host is no name of this relay: add it to relay.hosts"
        if origin is not None and _place(origin) != here:
            return "Origin is another page's; a proxy that does TLS must be in relay.behind_proxy"
        is_unsafe = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        site = headers.get("sec-fetch-site", "none")
        if is_unsafe and site not in ("none", "same-origin"):
            return "Sec-Fetch-Site is another page's"
        return None

    def is_ours(self, host: str) -> bool:
        """Whether no stranger can give this name the relay's address: an address is no name."""
        return host in self._hosts or host.endswith(".localhost") or address(host) is not None


def _place(url: str) -> tuple[str, int, bool] | None:
    """Host, port, and whether there is TLS, of a URL that is nothing but an origin; else None."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    more = parts.username is not None or parts.path or parts.query or parts.fragment
    if not host or more or parts.scheme not in _PORTS:
        return None
    return host.rstrip("."), port or _PORTS[parts.scheme], parts.scheme in ("https", "wss")


async def _refuse(scope: Scope, receive: Receive, send: Send, why: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    body = f"{why}\n".encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    status = 421 if why.startswith("Host") else 403
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
