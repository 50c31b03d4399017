"""How a page connects as a doll: a browser can give a WebSocket no headers, but sub-protocols.

    new WebSocket(url, ["xiaozhi", "device.web-5f…", "client.0c…", "token.bX3…"])

They become the headers that a doll sends, and `xiaozhi` alone is agreed on, so that no answer and
no address ever holds a token. Pages of other hosts do not come so far: `relay.web.origin`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from relay.config import Settings
from relay.web.auth import Admin
from relay.web.here import Here

SUBPROTOCOL = "xiaozhi"

#: What an entry begins with: the header that it becomes, and what goes before its value there.
_HEADERS = {
    "device.": (b"device-id", ""),
    "client.": (b"client-id", ""),
    "token.": (b"authorization", "Bearer "),
}


def is_page(websocket: WebSocket) -> bool:
    """Whether it is a page that connects. Devices send a Device-Id, which a page cannot."""
    offered = websocket.scope["subprotocols"]
    return SUBPROTOCOL in offered and "device-id" not in websocket.headers


def as_doll(websocket: WebSocket) -> WebSocket:
    """The WebSocket of a page, as if a doll had sent it."""
    scope: Scope = dict(websocket.scope)
    scope["headers"] = [*scope["headers"], *headers_of(scope["subprotocols"])]
    scope["subprotocols"] = []  # one of them is a token
    return _Page(scope, websocket.receive, websocket.send)


async def needs_no_code(websocket: WebSocket, settings: Settings) -> bool:
    """Whether this page is paired by itself, so that the first minute needs no set-up.

    It must be in a browser that `doll open` has opened on the relay's own machine; nobody else may
    be able to reach the relay; and it has no owner yet: with a password set somebody is there to
    be asked.
    """
    is_open = settings.relay.public or settings.relay.behind_proxy
    here: Here = websocket.app.state.here
    if not settings.pairing.browser_here or is_open or websocket not in here:
        return False
    admin: Admin = websocket.app.state.admin
    try:
        return not await admin.has_password()
    except SQLAlchemyError:
        return False


def headers_of(subprotocols: Sequence[str]) -> list[tuple[bytes, bytes]]:
    """What these sub-protocols say, as headers; the first of each kind counts."""
    found: dict[bytes, bytes] = {}
    for entry in subprotocols:
        for prefix, (name, before) in _HEADERS.items():
            if entry.startswith(prefix) and name not in found:
                found[name] = (before + entry.removeprefix(prefix)).encode("latin-1", "replace")
    return list(found.items())


class _Page(WebSocket):
    """Agrees on the sub-protocol, without which a browser hangs up.

    A script does not get to see an HTTP status. So a refusal is an open WebSocket that is closed at
    once, with a code that the page can put into words.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._pass_on = send
        self._is_open = False
        super().__init__(scope, receive, self._send_to_page)

    async def _send_to_page(self, message: Message) -> None:
        if not self._is_open:
            self._is_open = True
            await self._pass_on({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
            if message["type"] == "websocket.accept":
                return
        await self._pass_on(message)
