"""The owner's page in a browser, as a test uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Page, async_playwright

from relay.devices.settings import PairingSettings
from relay.store.database import Database
from relay.web.auth import Admin
from relay.web.settings import AdminSettings
from tests.browser import chromium
from tests.fakes.relay import Relay

PASSWORD = "a pearl in every oyster"


@asynccontextmanager
async def owner_page(
    found: chromium.Chromium,
    relay: Relay,
    view: str = "dolls",
    *,
    sign_in: bool = True,
    password: bool = True,
    **context: Any,
) -> AsyncIterator[Page]:
    """The page of this relay, whose owner has signed in; nothing may go wrong in it."""
    given = {"viewport": {"width": 390, "height": 844}, "locale": "ko-KR", **context}
    faults: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found.path, env=found.environment or None, args=["--no-sandbox"]
        )
        try:
            if password:
                await _set_password(relay)
            page = await (await browser.new_context(**given)).new_page()
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
            await page.goto(f"{home(relay)}#{view}")
            if sign_in and password:
                await page.fill("input[type=password]", PASSWORD)
                await page.click("button.main")
                await page.locator("#nav a[aria-current]").wait_for()
                await page.locator("main h2").wait_for()
            yield page
            # A refusal that a test asks for is told in the console as well.
            assert [text for text in faults if "status of 4" not in text] == []
        finally:
            await browser.close()


def home(relay: Relay) -> str:
    return relay.url.replace("ws://", "http://").replace("/xiaozhi/v1/", "/")


async def _set_password(relay: Relay) -> None:
    """As `doll admin password` does."""
    database = await Database.open(relay.data)
    try:
        admin = Admin(database, AdminSettings(), PairingSettings())
        if not await admin.has_password():
            await admin.set_password(PASSWORD)
    finally:
        await database.close()
