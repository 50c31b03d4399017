"""A relay's HTTP side without sockets: a test says which address asks, and under which name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from relay.app import create_app
from relay.config import Settings
from relay.store.database import Database
from relay.web.auth import Admin
from relay.web.here import HERE_PATH, leave_ticket
from tests.fakes.relay import services

PASSWORD = "a pearl in every oyster"


class Site:
    """An application, and browsers that ask it."""

    def __init__(self, app: FastAPI, stack: AsyncExitStack, data: Path) -> None:
        self.app = app
        self.data = data
        self._stack = stack

    @property
    def admin(self) -> Admin:
        admin: Admin = self.app.state.admin
        return admin

    async def browser(
        self, url: str = "http://localhost:8000", host: str = "127.0.0.1", **headers: str
    ) -> httpx2.AsyncClient:
        """One at the address `host` that has opened `url`, with cookies of its own."""
        transport = httpx2.ASGITransport(
            self.app, client=(host, 50_000), raise_app_exceptions=False
        )
        client = httpx2.AsyncClient(transport=transport, base_url=url, headers=headers)
        return await self._stack.enter_async_context(client)

    async def opened(
        self, url: str = "http://localhost:8000", host: str = "127.0.0.1", **headers: str
    ) -> httpx2.AsyncClient:
        """One that has come by the link of `doll open`."""
        client = await self.browser(url, host, **headers)
        await client.get(HERE_PATH + leave_ticket(self.data))
        return client

    async def signed_in(self, **where: Any) -> httpx2.AsyncClient:
        """A browser of the owner's, which sends the CSRF token with all that it asks."""
        client = await self.browser(**where)
        answer = await client.post("/api/login", json={"password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["x-csrf-token"] = answer.json()["csrf_token"]
        return client


Make = Callable[..., Any]


@pytest.fixture
async def make_site(tmp_path: Path) -> AsyncIterator[Make]:
    """Make one with these sections of the settings; no password is set."""
    async with AsyncExitStack() as stack:

        async def make(**settings: dict[str, Any]) -> Site:
            folder = tmp_path / "data"
            database = await Database.open(folder)
            stack.push_async_callback(database.close)
            settings["relay"] = {"data": folder, **settings.get("relay", {})}
            app = create_app(services(Settings(**settings)), database)
            return Site(app, stack, folder)

        yield make


@pytest.fixture
async def site(make_site: Make) -> Site:
    """One that others reach over TLS by a proxy, and with a password."""
    made: Site = await make_site(
        relay={"behind_proxy": ["10.0.0.1"], "hosts": ["doll.example"], "home_network": True}
    )
    await made.admin.set_password(PASSWORD)
    return made
