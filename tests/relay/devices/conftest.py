from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.devices.pairing import Pairing
from relay.devices.registry import Registry
from relay.devices.settings import PairingSettings
from relay.store.database import Database


class Clock:
    """Seconds of Unix time that a test moves on."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

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
def registry(database: Database, clock: Clock) -> Registry:
    return Registry(database, clock)


@pytest.fixture
def pairing(database: Database, registry: Registry) -> Pairing:
    return Pairing(database, registry, PairingSettings())
