"""What the owner can do over HTTP."""

from __future__ import annotations

import httpx2
import pytest

from relay.devices.pairing import Pending
from relay.dolls import Dolls
from tests.relay.web.conftest import Site

DOLL = "24:6f:28:00:00:01"


@pytest.fixture
def dolls(site: Site) -> Dolls:
    found: Dolls = site.app.state.dolls
    return found


@pytest.fixture
async def client(site: Site) -> httpx2.AsyncClient:
    return await site.signed_in()


async def waiting(dolls: Dolls) -> Pending:
    return await dolls.pairing.begin(DOLL, "5c9ab9d1", "192.168.1.9")


def problem(answer: httpx2.Response) -> str:
    return str(answer.json()["detail"]["problem"])


async def test_a_doll_is_paired_by_its_code(client: httpx2.AsyncClient, dolls: Dolls) -> None:
    pending = await waiting(dolls)
    given = {"code": f"{pending.code[:3]} {pending.code[3:]}", "name": "차차"}
    answer = await client.post("/api/pairings", json=given)
    assert answer.status_code == 201
    assert answer.json()["name"] == "차차"
    assert answer.json()["online"] is False
    confirmed = await dolls.pairing.status(pending.ticket)
    assert confirmed is not None
    assert confirmed.confirmed
    assert [doll["id"] for doll in (await client.get("/api/devices")).json()] == [DOLL]


async def test_codes_are_guessed_as_often_as_on_the_command_line(
    client: httpx2.AsyncClient, dolls: Dolls
) -> None:
    pending = await waiting(dolls)
    wrong = "000000" if pending.code != "000000" else "000001"
    for _ in range(5):
        answer = await client.post("/api/pairings", json={"code": wrong})
        assert (answer.status_code, problem(answer)) == (404, "no_code")
    answer = await client.post("/api/pairings", json={"code": pending.code})
    assert (answer.status_code, problem(answer)) == (429, "too_many_guesses")
    assert answer.json()["detail"]["values"]["seconds"] > 0


async def test_a_doll_is_renamed_given_a_character_sent_away_and_forgotten(
    client: httpx2.AsyncClient, dolls: Dolls
) -> None:
    token = await dolls.registry.issue(DOLL, name="차차")
    path = f"/api/devices/{DOLL}"
    given = {"name": "진주", "persona": "chacha-en", "language": "en"}
    answer = await client.patch(path, json=given)
    assert given.items() <= answer.json().items()
    assert (await client.post(f"{path}/rotate")).status_code == 204
    assert (await dolls.registry.find(DOLL)).rotate
    assert (await client.post(f"{path}/revoke")).status_code == 204
    assert await dolls.registry.check(DOLL, token) is None
    assert (await client.delete(path)).status_code == 204
    assert await dolls.registry.all() == []


@pytest.mark.parametrize(
    ("change", "status", "name"),
    [
        ({"name": ""}, 422, "bad_name"),
        ({"name": "x" * 41}, 422, "bad_name"),
        ({"name": "other"}, 409, "name_taken"),
        ({"persona": "nobody"}, 422, "bad_persona"),
        ({"persona": "../../etc/passwd"}, 422, "not_valid"),
        ({"persona": "/etc/x.toml"}, 422, "not_valid"),
        ({"language": "xx"}, 422, "bad_language"),
        ({"token": "mine"}, 422, "not_valid"),
        ({"name": 7}, 422, "not_valid"),
    ],
)
async def test_what_cannot_be_is_told_by_name(
    client: httpx2.AsyncClient, dolls: Dolls, change: dict[str, object], status: int, name: str
) -> None:
    await dolls.registry.issue(DOLL, name="차차")
    await dolls.registry.issue("another", name="other")
    answer = await client.patch(f"/api/devices/{DOLL}", json=change)
    assert (answer.status_code, problem(answer)) == (status, name)


async def test_a_doll_that_is_not_there_is_404(client: httpx2.AsyncClient) -> None:
    for method, path in (("PATCH", ""), ("DELETE", ""), ("POST", "/revoke"), ("POST", "/rotate")):
        answer = await client.request(method, f"/api/devices/nobody{path}", json={})
        assert answer.status_code == 404, path
        assert problem(answer) == "unknown_device"


async def test_a_logout_ends_the_login(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/api/logout")).status_code == 204
    assert "doll" not in client.cookies
    assert (await client.get("/api/devices")).status_code == 401
    assert (await client.get("/api/session")).json()["csrf_token"] is None


async def test_wrong_passwords_are_told_how_long_to_wait(site: Site) -> None:
    stranger = await site.browser("http://192.168.0.2:8000", "192.168.0.5")
    for _ in range(5):
        answer = await stranger.post("/api/login", json={"password": "wrong one"})
        assert (answer.status_code, problem(answer)) == (401, "wrong_password")
    answer = await stranger.post("/api/login", json={"password": "wrong one"})
    assert (answer.status_code, problem(answer)) == (429, "too_many_guesses")
    assert answer.json()["detail"]["values"] == {"seconds": pytest.approx(600, abs=5)}


async def test_a_proxy_s_clients_are_limited_one_by_one(site: Site) -> None:
    where = {"url": "http://doll.example", "host": "10.0.0.1"}
    bad = await site.browser(**where, **{"x-forwarded-for": "198.51.100.1"})
    for _ in range(6):
        answer = await bad.post("/api/login", json={"password": "wrong one"})
    assert answer.status_code == 429
    await site.signed_in(**where, **{"x-forwarded-for": "198.51.100.2"})


async def test_every_answer_tells_the_browser_what_pages_may_do(site: Site) -> None:
    client = await site.browser()
    evil = {"host": "evil.example"}
    for answer in (
        await client.get("/healthz"),
        await client.get("/api/devices"),
        await client.get("/nothing"),
        await client.get("/api/session", headers=evil),
    ):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in answer.headers
    proxied = await site.browser(
        "http://doll.example", "10.0.0.1", **{"x-forwarded-proto": "https"}
    )
    assert "strict-transport-security" in (await proxied.get("/healthz")).headers


async def test_a_body_that_is_too_large_is_not_read(site: Site) -> None:
    client = await site.signed_in()
    large = {"name": "x" * 70_000}
    assert (await client.patch(f"/api/devices/{DOLL}", json=large)).status_code == 413

    async def endless() -> object:
        while True:
            yield b"x" * 1000

    answer = await client.post("/api/pairings", content=endless())
    assert answer.status_code == 413
