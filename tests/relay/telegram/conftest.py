"""A relay with a bot, and Telegram."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.fakes.telegram import FakeTelegram, serving_telegram


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    """Telegram, with nobody in it yet."""
    async with serving_telegram() as fake:
        yield fake
