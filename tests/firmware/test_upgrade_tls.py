"""Whom the doll trusts on wss: every certificate that must be refused, and those that must not."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request

from relay.web.tls import Certificate
from tools.certificate.make import make
from tools.flash.certificate import certificate
from tools.flash.plan import OWN_CA

Client = Callable[..., Coroutine[Any, Any, dict[str, Any]]]


class Server:
    """What a relay, which says goodbye to everybody at once, has seen."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.port = 0


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None) -> AsyncIterator[Server]:
    seen = Server()

    def note(_connection: ServerConnection, request: Request) -> None:
        seen.requests.append(request.path)

    async def goodbye(connection: ServerConnection) -> None:
        await connection.close()

    async with serve(goodbye, "127.0.0.1", 0, ssl=tls, process_request=note) as server:
        seen.port = next(iter(server.sockets)).getsockname()[1]
        yield seen


class Authority:
    """A CA, and servers with certificates of its making."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        self.der = str(folder / "ca.der")
        Path(self.der).write_bytes(ssl.PEM_cert_to_DER_cert(self.ca.cert_pem.bytes().decode()))

    def server(self, name: str = "127.0.0.1", **dates: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(name, **dates).configure_cert(context)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_server_with_a_certificate_of_the_ca_is_trusted(
    websocket_client: Client, authority: Authority, name: str
) -> None:
    async with serving(authority.server(name)) as server:
        result = await websocket_client("listen", f"wss://{name}:{server.port}/", ca=authority.der)
    assert result["code"] == 1000


async def test_server_is_told_the_name_that_is_wanted(
    websocket_client: Client, authority: Authority
) -> None:
    names = []
    context = authority.server("localhost")
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    async with serving(context) as server:
        await websocket_client("listen", f"wss://localhost:{server.port}/", ca=authority.der)
    assert names == ["localhost"]


async def refused(
    websocket_client: Client, context: ssl.SSLContext, ca: str, name: str = "127.0.0.1"
) -> str:
    """The error of a connection that must be refused, before the request is sent."""
    async with serving(context) as server:
        headers = [["Authorization", "Bearer s3cret"]]
        result = await websocket_client(
            "listen", f"wss://{name}:{server.port}/", ca=ca, headers=headers
        )
    assert server.requests == []
    assert result["stage"] == "tls"
    text: str = result["text"]
    return text


async def test_other_ca_is_refused(
    websocket_client: Client, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    text = await refused(websocket_client, authority.server(), other.der)
    assert "not correctly signed by the trusted CA" in text


async def test_other_host_is_refused(websocket_client: Client, authority: Authority) -> None:
    text = await refused(
        websocket_client, authority.server("a.example"), authority.der, "localhost"
    )
    assert "does not match with the expected CN" in text


async def test_expired_certificate_is_refused(
    websocket_client: Client, authority: Authority
) -> None:
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    text = await refused(websocket_client, authority.server(not_after=past), authority.der)
    assert text.endswith("validity has expired (is the clock right?)")


async def test_certificate_of_the_future_is_refused(
    websocket_client: Client, authority: Authority
) -> None:
    future = dt.datetime(2090, 1, 1, tzinfo=dt.UTC)
    server = authority.server(not_before=future, not_after=future + dt.timedelta(days=9))
    text = await refused(websocket_client, server, authority.der)
    assert "validity starts in the future (is the clock right?)" in text


async def test_wss_without_a_ca_is_refused_before_connecting(
    websocket_client: Client, authority: Authority
) -> None:
    text = await refused(websocket_client, authority.server(), "")
    assert text == "tls: no CA certificate to verify the relay with"


async def test_insecure_mode_takes_any_certificate(
    websocket_client: Client, authority: Authority
) -> None:
    async with serving(authority.server("a.example")) as server:
        result = await websocket_client("listen", f"wss://127.0.0.1:{server.port}/", insecure=True)
    assert result["code"] == 1000


async def test_ca_in_pem_is_named(
    websocket_client: Client, authority: Authority, tmp_path: Path
) -> None:
    pem = tmp_path / "ca.pem"
    authority.ca.cert_pem.write_to_path(pem)
    text = await refused(websocket_client, authority.server(), str(pem))
    assert "CA certificate is not DER" in text


async def test_wss_to_a_server_without_tls_is_refused(
    websocket_client: Client, authority: Authority
) -> None:
    async with serving(None) as server:
        url = f"wss://127.0.0.1:{server.port}/"
        result = await websocket_client("listen", url, ca=authority.der, timeout_ms=500)
    assert result["stage"] == "tls"


def own_certificate(folder: Path) -> tuple[ssl.SSLContext, str]:
    """As the relay serves it, and the file that the doll is given."""
    folder.mkdir()
    files = folder / "certificate.pem", folder / "key.pem"
    for path, pem in zip(files, make(["127.0.0.1"], dt.datetime.now(dt.UTC)), strict=True):
        path.write_bytes(pem)
    der = folder / OWN_CA
    der.write_bytes(certificate(files[0]).data)
    return Certificate(*files).context, str(der)


async def test_the_certificate_that_doll_certificate_makes_is_trusted_alone(
    websocket_client: Client, tmp_path: Path
) -> None:
    ours, our_der = own_certificate(tmp_path / "ours")
    _, other_der = own_certificate(tmp_path / "other")
    async with serving(ours) as server:
        result = await websocket_client("listen", f"wss://127.0.0.1:{server.port}/", ca=our_der)
    assert result["code"] == 1000
    assert "not correctly signed" in await refused(websocket_client, ours, other_der)
    assert "does not match" in await refused(websocket_client, ours, our_der, "localhost")
