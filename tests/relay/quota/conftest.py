from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis import Redis

from relay.quota.factory import open_store
from relay.quota.store import Store
from tests.fakes.clocks import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["sqlite", "redis"])
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What `quota.store` is set to, for each kind of store that several may use; empty."""
    return _url(request, tmp_path)


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[Store]:
    """One of each kind, empty."""
    store = await open_store(_url(request, tmp_path), "key", clock=clock)
    yield store
    await store.close()


def _url(request: pytest.FixtureRequest, folder: Path) -> str:
    match request.param:
        case "sqlite":
            return str(folder / "quota.sqlite3")
        case "redis":
            url: str = request.getfixturevalue("redis_url")
            with Redis.from_url(url) as redis:
                redis.flushall()
            return url
        case _:
            return "memory"
