"""No route is the owner's without the guard, and the guard lets nobody else through."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, WebSocketRoute

from tests.relay.web.conftest import PASSWORD, Make, Site

#: What anybody may ask for, and why. Whatever else there is needs the guard.
PUBLIC = {
    "/": "is a page that shows nothing before one is signed in",
    "/healthz": "says that the relay runs",
    "/api/session": "says whether one is signed in",
    "/api/login": "is how one signs in",
    "/here/x": "is where a browser of this machine proves that",
    "/metrics": "is for this machine, or for who shows metrics.token",
    "/xiaozhi/ota": "is the same as the next",
    "/xiaozhi/ota/": "gives boards the relay's address, and a code to be paired by",
    "/xiaozhi/ota/activate": "tells a board whether its owner has confirmed it",
    "/xiaozhi/vision": "takes the photo that a doll was asked for, with a token of its session",
    "/xiaozhi/v1/": "is the dolls' WebSocket, with tokens of their own",
}

#: Files for browsers with nothing in them that is the owner's.
PUBLIC_FILES = ("/doll", "/dashboard")


def endpoints(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and path of all that the application answers, with values in the path."""
    for route in iter_route_contexts(app.routes):
        path = re.sub(r"{act(:\w+)?}", "revoke", route.path or "")
        path = re.sub(r"{\w+(:\w+)?}", "x", path)
        for method in sorted(getattr(route, "methods", None) or {"GET"}):
            yield method, path


def is_public(path: str) -> bool:
    return path in PUBLIC or any(
        path == folder or path.startswith(f"{folder}/") for folder in PUBLIC_FILES
    )


async def test_every_route_that_is_not_listed_as_public_needs_a_login(site: Site) -> None:
    stranger = await site.browser()
    guarded = [(method, path) for method, path in endpoints(site.app) if not is_public(path)]
    assert len(guarded) >= 7, "the walk finds the routes"
    for method, path in guarded:
        answer = await stranger.request(method, path, json={})
        assert answer.status_code == 401, f"{method} {path}"
        assert answer.json() == {"detail": {"problem": "not_signed_in"}}


async def test_every_change_needs_the_token_of_the_page(site: Site) -> None:
    client = await site.signed_in()
    del client.headers["x-csrf-token"]
    for method, path in endpoints(site.app):
        if is_public(path) or method in ("GET", "HEAD"):
            continue
        for wrong in ({}, {"x-csrf-token": ""}, {"x-csrf-token": "0" * 64}):
            answer = await client.request(method, path, json={}, headers=wrong)
            assert answer.status_code == 403, f"{method} {path}"
            assert answer.json()["detail"]["problem"] == "csrf"


async def test_the_token_of_another_login_is_of_no_use(site: Site) -> None:
    one, other = await site.signed_in(), await site.signed_in()
    one.headers["x-csrf-token"] = other.headers["x-csrf-token"]
    assert (await one.post("/api/logout")).status_code == 403
    assert (await one.get("/api/devices")).status_code == 200


async def test_nothing_is_mounted_and_no_route_is_hidden_from_the_walk(site: Site) -> None:
    for route in iter_route_contexts(site.app.routes):
        original = getattr(route, "original_route", route)
        assert not isinstance(original, Mount), f"{route.path}: its routes are not walked"
        if isinstance(original, WebSocketRoute):
            assert route.path in PUBLIC, f"{route.path}: say why it is public"


async def test_no_page_of_the_framework_is_left_open(site: Site) -> None:
    stranger = await site.browser()
    for path in ("/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"):
        assert (await stranger.get(path)).status_code == 404


async def test_the_owner_gets_the_schema(site: Site) -> None:
    client = await site.signed_in()
    schema = (await client.get("/api/openapi.json")).json()
    assert "/api/devices" in schema["paths"]


async def test_without_a_password_the_owner_is_who_sits_at_the_machine(make_site: Make) -> None:
    site: Site = await make_site()
    here = await site.opened()
    assert (await here.get("/api/session")).json()["has_password"] is False
    answer = await here.post("/api/login", json={})
    assert answer.status_code == 200
    assert (await here.get("/api/devices")).status_code == 200


@pytest.mark.parametrize(
    ("url", "host", "headers"),
    [
        ("http://localhost:8000", "192.168.0.5", {}),
        ("http://192.168.0.2:8000", "192.168.0.5", {}),
        ("http://192.168.0.2:8000", "127.0.0.1", {}),
        ("http://doll.example", "127.0.0.1", {}),
        ("http://localhost:8000", "127.0.0.1", {"x-forwarded-for": "127.0.0.1"}),
        ("http://localhost:8000", "127.0.0.1", {"forwarded": "for=127.0.0.1"}),
        ("http://localhost:8000", "127.0.0.1", {"via": "1.1 caddy"}),
        ("http://localhost:8000", "10.0.0.1", {"x-forwarded-for": "127.0.0.1"}),
        ("http://localhost:8000", "10.0.0.1", {}),
    ],
)
async def test_without_a_password_nobody_else_is(
    make_site: Make, url: str, host: str, headers: dict[str, str]
) -> None:
    relay = {"behind_proxy": ["10.0.0.1"], "hosts": ["doll.example"], "home_network": True}
    site: Site = await make_site(relay=relay)
    client = await site.opened(url, host, **headers)
    for answer in (
        await client.post("/api/login", json={}),
        await client.post("/api/login", json={"password": PASSWORD}),
        await client.get("/api/devices"),
    ):
        assert answer.status_code == 403
        assert answer.json() == {"detail": {"problem": "no_password"}}


async def test_a_login_from_before_the_password_ends_with_it(make_site: Make) -> None:
    site: Site = await make_site()
    here = await site.opened()
    await here.post("/api/login", json={})
    await site.admin.set_password(PASSWORD)
    assert (await here.get("/api/devices")).status_code == 401
    assert (await here.post("/api/login", json={})).status_code == 401
