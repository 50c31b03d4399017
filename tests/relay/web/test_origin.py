"""Somebody else's page gets nothing done, under whatever name it asks."""

from __future__ import annotations

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.web.origin import Origins
from tests.relay.web.conftest import PASSWORD, Site


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
        "http://192.168.1.2:8000",
        "http://doll.example",
        "http://DOLL.example:8000",
        "http://doll.localhost:8000",
    ],
)
async def test_names_that_nobody_else_can_have_are_served(site: Site, url: str) -> None:
    assert (await (await site.browser(url)).get("/api/session")).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "",
        "a@b",
        "doll.example.evil",
        "xdoll.example",
        "[::1",
        "localhost:port",
        "evil.example/127.0.0.1",
    ],
)
async def test_a_name_that_was_rebound_to_us_is_not(site: Site, host: str) -> None:
    client = await site.browser()
    for method, path in (("GET", "/api/session"), ("POST", "/api/login"), ("GET", "/nothing")):
        answer = await client.request(method, path, headers={"host": host}, json={})
        assert answer.status_code == 421, path


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost",
        "https://localhost:8000",
        "http://127.0.0.1:8000",
        "",
        "http://localhost:8000@evil.example",
        "http://localhost:8000/",
        "file://",
        "http://localhost:8000x",
    ],
)
async def test_what_another_page_sends_is_refused(site: Site, origin: str) -> None:
    client = await site.signed_in()
    client.headers["origin"] = origin
    for method, path in (("POST", "/api/logout"), ("POST", "/api/login"), ("GET", "/api/devices")):
        answer = await client.request(method, path, json={"password": PASSWORD})
        assert answer.status_code == 403, path
    assert (await client.post("/xiaozhi/ota/", json={})).status_code == 403
    del client.headers["origin"]
    assert (await client.get("/api/devices")).status_code == 200, "nobody was signed out"


@pytest.mark.parametrize("site_of", ["cross-site", "same-site", "anything"])
async def test_a_form_of_another_page_without_an_origin_is_refused(
    site: Site, site_of: str
) -> None:
    client = await site.signed_in()
    client.headers["sec-fetch-site"] = site_of
    assert (await client.post("/api/logout")).status_code == 403
    assert (await client.get("/api/session")).status_code == 200, "a link may lead here"


async def test_our_own_page_is_served_with_its_origin(site: Site) -> None:
    client = await site.signed_in()
    client.headers["origin"] = "http://localhost:8000"
    client.headers["sec-fetch-site"] = "same-origin"
    assert (await client.post("/api/logout")).status_code == 204
    proxied = await site.browser(
        "http://doll.example", "10.0.0.1", **{"x-forwarded-proto": "https"}
    )
    proxied.headers["origin"] = "https://doll.example"
    assert (await proxied.post("/api/login", json={"password": PASSWORD})).status_code == 200


async def test_a_board_may_ask_under_any_name(site: Site) -> None:
    board = await site.browser("http://whatever.lan")
    assert (await board.get("/healthz")).status_code == 200
    assert (await board.post("/xiaozhi/ota/", json={})).status_code != 421


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    st.sampled_from(["http", "websocket"]),
    st.text(st.characters(max_codepoint=255), max_size=60),
    st.text(st.characters(max_codepoint=255), max_size=60),
)
async def test_no_header_breaks_it_and_none_that_differ_pass(
    kind: str, host: str, origin: str
) -> None:
    reached: list[object] = []

    async def app(scope: object, _receive: object, _send: object) -> None:
        reached.append(scope)

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(_: object) -> None: ...

    headers = [(b"host", host.encode("latin-1")), (b"origin", origin.encode("latin-1"))]
    scope = {"type": kind, "scheme": "http", "path": "/", "method": "POST", "headers": headers}
    with structlog.testing.capture_logs():
        await Origins(app)(scope, receive, send)  # type: ignore[arg-type]
    if reached:
        assert origin.lower().startswith(("http://", "ws://"))
