"""Relays that have one Redis and one PostgreSQL server, and their owner's browser."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from relay.devices.settings import PairingSettings
from relay.store.database import Database
from relay.web.auth import Admin
from relay.web.settings import AdminSettings

PASSWORD = "a pearl in every oyster"

Event = tuple[str, dict[str, Any]]


@asynccontextmanager
async def owner(port: int, database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser that has signed in at this port; the password is set if there is none."""
    admin = Admin(database, AdminSettings(), PairingSettings())
    if not await admin.has_password():
        await admin.set_password(PASSWORD)
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        answer = await client.post("/api/login", json={"password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["x-csrf-token"] = answer.json()["csrf_token"]
        yield client


class Page:
    """The owner's page, as far as it watches."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()

    async def until(self, kind: str, says: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Wait for such an event, from now on or among those that have come; what it told."""
        async with asyncio.timeout(20):
            while True:
                for event, data in self.events:
                    if event == kind and says(data):
                        return data
                self._news.clear()
                await self._news.wait()

    async def read(self, answer: httpx2.Response) -> None:
        kind = ""
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                self.events.append((kind, json.loads(value)))
                self._news.set()


@asynccontextmanager
async def page(client: httpx2.AsyncClient) -> AsyncIterator[Page]:
    """It is open while the block runs."""
    shown = Page()
    async with client.stream("GET", "/api/live") as answer:
        assert answer.status_code == 200
        reading = asyncio.create_task(shown.read(answer))
        try:
            yield shown
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
