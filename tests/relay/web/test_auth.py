"""The owner's password and logins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import select

from relay.devices.settings import PairingSettings
from relay.metrics.refusals import Limit, counted
from relay.store.database import Database
from relay.store.tables import credentials, logins
from relay.web.auth import Admin, LoginRefusedError, PasswordRefusedError
from relay.web.settings import AdminSettings
from tests.relay.web.conftest import PASSWORD, Site

DAY_S = 86_400


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(tmp_path / "data")
    yield opened
    await opened.close()


@pytest.fixture
async def admin(database: Database, clock: Clock) -> Admin:
    made = Admin(database, AdminSettings(), PairingSettings(), clock)
    await made.set_password(PASSWORD)
    return made


async def test_who_knows_the_password_is_signed_in(admin: Admin) -> None:
    login = await admin.login(PASSWORD, source="198.51.100.7")
    assert await admin.check(login)
    assert not await admin.check(login[:-1] + ("A" if login[-1] != "A" else "B"))
    assert not await admin.check("")
    assert not await admin.check("x" * 100_000)


@pytest.mark.parametrize(
    "wrong",
    ["", "a pearl in every oyste", PASSWORD + " ", PASSWORD.upper(), "\0", "\ud800", "x" * 300],
)
async def test_who_does_not_is_not(admin: Admin, wrong: str) -> None:
    with pytest.raises(LoginRefusedError) as refused:
        await admin.login(wrong, source="198.51.100.7")
    assert refused.value.wait_s == 0


async def test_without_a_password_none_is_right(database: Database, clock: Clock) -> None:
    admin = Admin(database, AdminSettings(), PairingSettings(), clock)
    with pytest.raises(LoginRefusedError):
        await admin.login("", source="127.0.0.1")
    assert await admin.login_here() is not None
    await admin.set_password(PASSWORD)
    assert await admin.login_here() is None


async def test_the_database_holds_neither_the_password_nor_a_login(
    admin: Admin, database: Database
) -> None:
    login = await admin.login(PASSWORD, source="x")
    async with database.reading() as connection:
        kept = [
            *(await connection.execute(select(credentials))),
            *(await connection.execute(select(logins))),
        ]
    assert "$argon2id$" in str(kept)
    assert PASSWORD not in str(kept)
    assert login not in str(kept)


async def test_guesses_are_limited_for_one_address_and_forgotten_after_a_time(
    admin: Admin, clock: Clock
) -> None:
    before = counted(Limit.LOGINS)
    for _ in range(5):
        with pytest.raises(LoginRefusedError):
            await admin.login("wrong one", source="198.51.100.7")
    with pytest.raises(LoginRefusedError) as refused:
        await admin.login(PASSWORD, source="198.51.100.7")
    assert refused.value.wait_s == 600
    assert counted(Limit.LOGINS) == before + 1
    assert await admin.login(PASSWORD, source="198.51.100.8")
    clock.now += 601
    assert await admin.login(PASSWORD, source="198.51.100.7")


async def test_guesses_are_limited_for_all_addresses_together(admin: Admin) -> None:
    for number in range(20):
        with pytest.raises(LoginRefusedError):
            await admin.login("wrong one", source=f"198.51.100.{number}")
    with pytest.raises(LoginRefusedError) as refused:
        await admin.login(PASSWORD, source="203.0.113.1")
    assert refused.value.wait_s > 0


async def test_guesses_at_the_same_time_are_counted_one_by_one(admin: Admin) -> None:
    tries = (admin.login("wrong one", source="198.51.100.7") for _ in range(12))
    refused = await asyncio.gather(*tries, return_exceptions=True)
    waits = [error.wait_s for error in refused if isinstance(error, LoginRefusedError)]
    assert waits.count(0) == 5
    assert len(waits) == 12


async def test_a_login_ends_after_its_time_and_when_it_is_not_used(
    admin: Admin, clock: Clock
) -> None:
    used = await admin.login(PASSWORD, source="x")
    idle = await admin.login(PASSWORD, source="x")
    for _ in range(5):
        clock.now += 6 * DAY_S
        assert await admin.check(used)
    assert not await admin.check(idle)
    clock.now += DAY_S
    assert not await admin.check(used)


async def test_a_new_login_ends_the_one_that_the_browser_had(admin: Admin) -> None:
    old = await admin.login(PASSWORD, source="x")
    new = await admin.login(PASSWORD, source="x", old=old)
    assert new != old
    assert not await admin.check(old)
    assert await admin.check(new)


async def test_a_logout_and_a_new_password_end_logins_at_once(admin: Admin) -> None:
    one, two, three = [await admin.login(PASSWORD, source="x") for _ in range(3)]
    await admin.logout(one)
    assert not await admin.check(one)
    assert await admin.check(two)
    await admin.set_password("another one of these")
    assert not await admin.check(two)
    three = await admin.login("another one of these", source="x")
    await admin.logout_all()
    assert not await admin.check(three)


async def test_the_logins_that_are_kept_are_bounded(
    admin: Admin, database: Database, clock: Clock
) -> None:
    first = await admin.login(PASSWORD, source="x")
    for _ in range(50):
        clock.now += 1
        last = await admin.login(PASSWORD, source="x")
    assert not await admin.check(first)
    assert await admin.check(last)
    async with database.reading() as connection:
        assert len((await connection.execute(select(logins))).all()) == 50


@pytest.mark.parametrize("password", ["", "short", "x" * 257])
async def test_a_password_that_is_too_short_or_long_is_not_taken(
    admin: Admin, password: str
) -> None:
    with pytest.raises(PasswordRefusedError):
        await admin.set_password(password)
    assert await admin.login(PASSWORD, source="x")


async def test_the_cookie_is_out_of_reach_and_over_tls_bound_to_the_host(site: Site) -> None:
    client = await site.browser()
    plain = (await client.post("/api/login", json={"password": PASSWORD})).headers["set-cookie"]
    proxied = await site.browser(
        "http://doll.example", "10.0.0.1", **{"x-forwarded-proto": "https"}
    )
    tls = (await proxied.post("/api/login", json={"password": PASSWORD})).headers["set-cookie"]
    assert plain.startswith("doll=")
    assert tls.startswith("__Host-doll=")
    for cookie in (plain, tls):
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" in tls
    assert "Secure" not in plain


async def test_no_password_and_no_login_reaches_the_log_or_an_answer(site: Site) -> None:
    with structlog.testing.capture_logs() as logs:
        client = await site.browser()
        await client.post("/api/login", json={"password": "s3cret-wrong-one"})
        wrong = await client.post("/api/login", json={"password": {"s3cret-wrong-one": 1}})
        assert wrong.status_code == 422
        assert "s3cret" not in wrong.text
        answer = await client.post("/api/login", json={"password": PASSWORD})
        login = client.cookies["doll"]
        await client.get("/api/devices")
    assert login not in answer.text
    assert "s3cret" not in str(logs)
    assert login not in str(logs)
