"""Forgetting a doll for good: one way for the command line and for the owner's page."""

from __future__ import annotations

import asyncio

from relay.devices.registry import Registry
from relay.recorder.shelf import Recordings
from relay.store.database import Database


async def remove_doll(
    database: Database, registry: Registry, recordings: Recordings, device_id: str
) -> bool:
    """Send a doll away and delete all that is kept of it: rows, recordings, and what stands of
    deleted rows in the database's files (see `Database.scrub`, and for what it gives back).

    A turn that is being recorded meanwhile is not kept: `FlightRecorder` asks once it is written.
    Raises RegistryError, SQLAlchemyError and OSError.
    """
    await registry.remove(device_id)
    await asyncio.to_thread(recordings.delete, device_id)
    return await database.scrub()
