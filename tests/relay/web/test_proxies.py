"""Who may come without TLS, and whose word for whom is taken."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.metrics.refusals import Limit, counted
from relay.web.proxies import Peers
from relay.wire.address import address

PROXY = ip_network("10.0.0.1/32")


async def ask(
    host: str, *, scheme: str = "http", home: bool = False, **headers: str
) -> dict[str, Any] | None:
    """The scope that the application gets; None if it gets none."""
    seen: list[dict[str, Any]] = []
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope)

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    scope = {
        "type": "websocket" if scheme.startswith("ws") else "http",
        "client": (host, 4711),
        "scheme": scheme,
        "headers": [
            (name.replace("_", "-").encode(), value.encode("latin-1"))
            for name, value in headers.items()
        ],
    }
    await Peers(app, proxies=[PROXY], home_network=home)(scope, receive, send)
    assert bool(seen) != bool(sent)
    if sent:
        assert sent[0].get("status", sent[0].get("code")) in (403, 1008)
    return seen[0] if seen else None


@pytest.mark.parametrize("scheme", ["http", "ws"])
@pytest.mark.parametrize(
    ("host", "home", "comes"),
    [
        ("127.0.0.1", False, True),
        ("::1", False, True),
        ("10.0.0.1", False, True),
        ("10.0.0.2", False, False),
        ("10.0.0.2", True, True),
        ("192.168.1.9", True, True),
        ("fe80::1%eth0", True, True),
        ("203.0.113.9", True, False),
        ("203.0.113.9", False, False),
        ("2001:db8::1", True, False),
        ("", True, False),
    ],
)
async def test_who_may_come_without_tls(host: str, home: bool, comes: bool, scheme: str) -> None:
    before = counted(Limit.NETWORK)
    assert (await ask(host, home=home, scheme=scheme) is not None) is comes
    assert counted(Limit.NETWORK) == before + (not comes)


@pytest.mark.parametrize("scheme", ["https", "wss"])
async def test_with_tls_everybody_may(scheme: str) -> None:
    assert await ask("203.0.113.9", scheme=scheme) is not None


@pytest.mark.parametrize("host", ["127.0.0.1", "192.168.1.9"])
async def test_a_stranger_is_not_believed_whom_it_asks_for(host: str) -> None:
    scope = await ask(host, home=True, x_forwarded_for="198.51.100.1", x_forwarded_proto="https")
    assert scope is not None
    assert scope["client"][0] == host
    assert scope["scheme"] == "http"


async def test_the_proxy_is_believed() -> None:
    scope = await ask("10.0.0.1", x_forwarded_for="198.51.100.1", x_forwarded_proto="https")
    assert scope is not None
    assert scope["client"][0] == "198.51.100.1"
    assert scope["scheme"] == "https"
    scope = await ask("10.0.0.1", scheme="ws", x_forwarded_for="::1", x_forwarded_proto="https")
    assert scope is not None
    assert scope["scheme"] == "wss"


async def test_what_a_client_told_the_proxy_does_not_count() -> None:
    """A proxy puts the address that it sees behind what the client sent."""
    scope = await ask("10.0.0.1", x_forwarded_for="127.0.0.1, 10.0.0.1, 198.51.100.1")
    assert scope is not None
    assert scope["client"][0] == "198.51.100.1"


async def test_a_proxy_that_says_nothing_is_itself_the_client() -> None:
    scope = await ask("10.0.0.1")
    assert scope is not None
    assert scope["client"] == ("10.0.0.1", 4711)


@given(st.text(st.characters(max_codepoint=255), max_size=200), st.text("htpsw:/ ", max_size=12))
async def test_whatever_a_proxy_forwards_the_client_is_an_address(said: str, scheme: str) -> None:
    scope = await ask("10.0.0.1", x_forwarded_for=said, x_forwarded_proto=scheme)
    assert scope is not None
    assert address(scope["client"][0]) is not None
    assert scope["scheme"] in ("http", "https", "ws", "wss")
