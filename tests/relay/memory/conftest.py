"""Two dolls in a real database of each kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.devices.registry import Registry
from relay.store.database import Database


@pytest.fixture
async def database(url: str, tmp_path: Path) -> AsyncIterator[Database]:
    """With the dolls a and b."""
    opened = await Database.open(tmp_path / "data", url)
    registry = Registry(opened)
    for name in ("a", "b"):
        await registry.issue(name, name=name)
    yield opened
    await opened.close()
