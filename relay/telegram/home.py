"""Whose character and memory the chats have: a doll's of the relay, or those of one that is only
in Telegram."""

from __future__ import annotations

from typing import Final

from pydantic import SecretStr

from relay.devices.device import Device
from relay.devices.records import DeviceRecord
from relay.devices.registry import Registry
from relay.memory.memory import Memory
from relay.services import Services
from relay.store.database import Database

#: The Device-Id of the doll that is only in Telegram. It has no token: nothing connects as it.
DEVICE_ID: Final = "telegram"

_NAME: Final = "Telegram"


class Home:
    """One for the relay. Calls raise SQLAlchemyError, and RegistryError where the doll is gone."""

    def __init__(
        self, services: Services, database: Database, registry: Registry, memory: Memory
    ) -> None:
        self.services = services
        self.database = database
        self.registry = registry
        self.memory = memory
        self._revisions: dict[str, int] = {}

    async def record(self) -> DeviceRecord:
        """The doll, as its owner has set it up by now."""
        doll = self.services.settings.telegram.doll
        if doll:
            return await self.registry.find(doll)
        known = await self.registry.known(DEVICE_ID)
        if known is not None:
            return known
        async with self.database.writing() as connection:
            return await self.registry.admit(connection, DEVICE_ID, suggestion=_NAME)

    async def device(self) -> Device:
        """It, with its character as it is now and its memory: the very one that the doll has while
        it is connected to this process. What either adds, the other knows at once."""
        record = await self.record()
        device = Device(record, SecretStr(""), self.services)
        device.conversation = await self.memory.open(record.id, device.persona, record.forgotten)
        if self._revisions.get(record.id) != record.memory_revision:
            await self.memory.refresh(record.id)
            self._revisions[record.id] = record.memory_revision
        return device
