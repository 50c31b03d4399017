"""What is recorded while its owner deletes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from relay.devices.registry import Registry
from relay.devices.removal import remove_doll
from relay.memory.store import MemoryStore
from relay.recorder.flight import FlightRecorder
from relay.recorder.settings import RecorderSettings
from relay.recorder.shelf import Recordings
from relay.recorder.tape import Recording
from relay.store.database import Database

DOLL = "24:6f:28:00:00:01"
NOW = 1_800_000_000.0


@dataclass
class Home:
    database: Database
    registry: Registry
    recordings: Recordings
    flight: FlightRecorder

    async def write(self, recording: Recording) -> None:
        """As the relay's task does."""
        self.flight._keep(recording)
        writing = asyncio.create_task(self.flight._write())
        async with asyncio.timeout(20):
            while self.flight._waiting:
                await asyncio.sleep(0.01)
        writing.cancel()


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    settings = RecorderSettings()
    database = await Database.open(tmp_path)
    registry = Registry(database)
    await registry.issue(DOLL)
    recordings = Recordings(tmp_path / "recordings", settings)
    yield Home(database, registry, recordings, FlightRecorder(recordings, settings, registry))
    await database.close()


def turn(at: float = NOW) -> Recording:
    return Recording(DOLL, at, np.zeros(512, np.int16), 24_000)


async def test_a_turn_of_a_doll_that_was_removed_meanwhile_is_not_kept(home: Home) -> None:
    await home.write(turn())
    assert len(home.recordings.list(DOLL)) == 1
    await remove_doll(home.database, home.registry, home.recordings, DOLL)
    assert home.recordings.list() == []
    await home.write(turn())
    assert home.recordings.list() == []


async def test_nor_one_that_began_before_all_was_forgotten(home: Home) -> None:
    await MemoryStore(home.database, now=lambda: NOW).delete_all(DOLL)
    await home.write(turn(NOW - 3))
    assert home.recordings.list() == []
    await home.write(turn(NOW + 3))
    assert len(home.recordings.list(DOLL)) == 1


async def test_where_the_database_cannot_tell_nothing_is_kept(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: str) -> None:
        raise OSError

    monkeypatch.setattr(home.registry, "known", broken)
    await home.write(turn())
    assert home.recordings.list() == []
