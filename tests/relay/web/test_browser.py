"""How a page gets in as a doll: by sub-protocols, without a code only on the relay's machine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from relay.web.auth import Admin
from relay.web.browser import headers_of
from relay.web.here import HERE_PATH, leave_ticket
from relay.wire.errors import CloseCode
from tests.fakes.relay import Relay, running
from tests.fakes.sockets import doll_socket
from tests.relay.test_app import HELLO

PAGE = ["xiaozhi", "device.web-1", "client.c1"]


@asynccontextmanager
async def page(
    relay: Relay, *said: str, origin: str = "", **headers: str
) -> AsyncIterator[ClientConnection]:
    """A page of the relay's own, or of another origin, that offers these sub-protocols."""
    address = origin or relay.url.replace("ws://", "http://").replace("/xiaozhi/v1/", "")
    given = {"Origin": address, **{key.replace("_", "-"): value for key, value in headers.items()}}
    async with doll_socket(relay.url, given, subprotocols=list(said)) as socket:
        yield socket


async def first(socket: ClientConnection, hello: dict[str, Any] = HELLO) -> dict[str, Any]:
    """Say hello; what comes after the relay's."""
    await socket.send(json.dumps({**hello, "features": {"token": True}}))
    assert json.loads(await socket.recv())["type"] == "hello"
    return json.loads(await socket.recv())


async def test_a_page_with_a_token_is_that_doll_and_the_token_is_not_repeated() -> None:
    async with running() as relay:
        token = await relay.token("web-1")
        async with page(relay, *PAGE, f"token.{token}") as socket:
            assert socket.subprotocol == "xiaozhi"
            assert socket.response is not None
            assert token not in str(socket.response.headers)
            await socket.send('{"type":"hello","audio_params":{"format":"pcm"}}')
            await socket.recv()
            assert len(relay.dolls) == 1


async def opened(relay: Relay) -> str:
    """The cookie of a browser that has come by the link of `doll open`."""
    address = relay.url.replace("ws://", "http://").replace("/xiaozhi/v1/", HERE_PATH)
    async with httpx2.AsyncClient() as browser:
        answer = await browser.get(address + leave_ticket(relay.data))
        return answer.headers.get("set-cookie", "").partition(";")[0]


async def test_a_page_on_this_machine_gets_a_token_at_once() -> None:
    async with running() as relay, page(relay, *PAGE, cookie=await opened(relay)) as socket:
        assert (await first(socket))["type"] == "token"
        assert [record.id for record in await relay.registry.all()] == ["web-1"]


@pytest.mark.parametrize("origin", ["", "none"])
async def test_whoever_only_seems_to_be_on_this_machine_gets_a_code(origin: str) -> None:
    """A proxy or a tunnel that adds no header: all of its visitors come from 127.0.0.1."""
    async with running() as relay:
        there = page(relay, *PAGE) if not origin else doll_socket(relay.url, subprotocols=PAGE)
        async with there as socket:
            assert (await first(socket))["status"] == "pairing"
        assert await relay.registry.all() == []


async def test_a_page_does_not_become_a_doll_that_is_there() -> None:
    async with running() as relay:
        token = await relay.token("chacha")
        names = ["xiaozhi", "device.chacha", "client.c1"]
        async with page(relay, *names, cookie=await opened(relay)) as socket:
            assert (await first(socket))["status"] == "pairing"
        assert await relay.registry.check("chacha", token)


@pytest.mark.parametrize("forwarded", ["X_Forwarded_For", "Forwarded", "X_Real_IP"])
async def test_behind_a_proxy_it_gets_a_code(forwarded: str) -> None:
    async with (
        running() as relay,
        page(relay, *PAGE, **{forwarded: "192.0.2.1", "cookie": await opened(relay)}) as socket,
    ):
        assert (await first(socket))["status"] == "pairing"
        assert await relay.registry.all() == []


@pytest.mark.parametrize(
    "settings",
    [
        {"pairing": {"browser_here": False}},
        {"relay": {"behind_proxy": ["127.0.0.1"]}},
        {"relay": {"host": "0.0.0.0", "home_network": True}},
    ],
    ids=str,
)
async def test_a_relay_that_others_can_reach_gives_a_code(settings: dict[str, Any]) -> None:
    async with (
        running(**settings) as relay,
        page(relay, *PAGE, cookie=await opened(relay)) as socket,
    ):
        assert (await first(socket))["status"] == "pairing"


async def test_a_relay_with_an_owner_gives_a_code() -> None:
    async with running() as relay:
        settings = relay.services.settings
        admin = Admin(relay.registry._database, settings.admin, settings.pairing)
        await admin.set_password("a pearl in every oyster")
        async with page(relay, *PAGE, cookie=await opened(relay)) as socket:
            assert (await first(socket))["status"] == "pairing"


async def test_a_page_that_was_sent_away_gets_a_code() -> None:
    async with running() as relay:
        await relay.token("web-1")
        await relay.registry.revoke("web-1")
        async with page(relay, *PAGE, cookie=await opened(relay)) as socket:
            assert (await first(socket))["status"] == "pairing"


async def test_a_page_of_another_host_is_refused_even_with_a_token() -> None:
    async with running() as relay:
        token = await relay.token("web-1")
        for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
            with pytest.raises(InvalidStatus) as refused:
                async with page(relay, *PAGE, f"token.{token}", origin=origin):
                    pass
            assert refused.value.response.status_code == 403


async def test_a_page_is_told_why_it_is_refused() -> None:
    async with running(pairing={"new_dolls": False}) as relay, page(relay, *PAGE) as socket:
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == CloseCode.POLICY


async def test_sub_protocols_of_a_device_are_none_of_ours() -> None:
    """A board sends headers; what else it offers gives it nobody else's name."""
    async with running() as relay:
        token = await relay.token("web-1")
        with pytest.raises(InvalidStatus):
            async with connect(
                relay.url, subprotocols=["device.web-1", f"token.{token}"], compression=None
            ):
                pass


@given(st.lists(st.text(max_size=40)))
def test_whatever_is_offered_becomes_at_most_one_header_of_each_kind(offered: list[str]) -> None:
    found = headers_of(offered)
    names = [name for name, _ in found]
    assert len(set(names)) == len(names) <= 3
    assert set(names) <= {b"device-id", b"client-id", b"authorization"}


def test_the_first_of_each_kind_counts() -> None:
    assert headers_of(["token.a", "token.b", "xiaozhi", "device.d"]) == [
        (b"authorization", b"Bearer a"),
        (b"device-id", b"d"),
    ]
