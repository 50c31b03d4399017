"""A session with a doll that a test plays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from relay.services import Services
from relay.turn.session import Session
from tests.fakes.connection import FakeConnection
from tests.fakes.devices import a_device


@asynccontextmanager
async def talking(
    services: Services, doll: FakeConnection, **settings: object
) -> AsyncIterator[Session]:
    """A session that runs until the block ends, and leaves nothing behind.

    `settings` are the doll's own.
    """
    before = asyncio.all_tasks()
    device = a_device(services, doll.device_id)
    device.record = replace(device.record, settings=settings)
    session = Session(doll, services, device)
    task = asyncio.create_task(session.run())
    try:
        yield session
    finally:
        doll.vanish()
        await task
        await asyncio.sleep(0)
        assert asyncio.all_tasks() <= before
