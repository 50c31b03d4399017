"""What an owner changes in the registry reaches the dolls that are here, a moment later."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from relay.devices.device import Device
from relay.devices.records import About, DeviceRecord, RegistryError, digest
from relay.devices.registry import Registry
from relay.devices.watch import Watch
from relay.memory.memory import Memory
from relay.services import Services
from relay.turn.session import Session
from relay.wire.errors import CloseCode, Disconnected
from relay.wire.messages import Token

_REVOKED = (CloseCode.REVOKED, "its owner has sent it away")
_NEW_TOKEN = (CloseCode.NEW_TOKEN, "come back with the new token")


class Following:
    """Looks at the registry with `watch`, and lets each session do what it finds there."""

    def __init__(
        self,
        services: Services,
        registry: Registry,
        memory: Memory,
        sessions: Mapping[str, Session],
    ) -> None:
        """`sessions` are those of the dolls that are here, at any time."""
        self.watch = Watch(registry.generation)
        self.watch.follow(self._follow)
        if services.shared_personas is not None:
            self.watch.follow(services.shared_personas.follow)
        self._services = services
        self._registry = registry
        self._memory = memory
        self._sessions = sessions
        self._arrived: dict[str, About] = {}  # since the last look at the registry
        self._tasks: set[asyncio.Task[None]] = set()

    def arrived(self, device_id: str, about: About) -> None:
        """A doll has come: it is looked up with the next look."""
        self._arrived[device_id] = about

    async def recall(self, record: DeviceRecord) -> None:
        """Let a doll whose owner has changed what it remembers know that from its next turn on."""
        session = self._sessions.get(record.id)
        if session is None or session.device.record.memory_revision == record.memory_revision:
            return
        device = session.device
        device.conversation = await self._memory.open(device.id, device.persona, record.forgotten)
        await self._memory.refresh(device.id)

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something with a doll or the database that may fail; nobody waits for it."""
        task = asyncio.create_task(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow(self, changed: bool) -> None:
        """After a look at the registry.

        Those that have come since the last look are looked up in any case: what was changed
        between their check and their session would be missed otherwise.
        """
        arrived, self._arrived = self._arrived, {}
        ids = list(self._sessions if changed else arrived)
        if not ids:
            return
        try:
            good = await self._registry.good(ids)
            for record, _ in good.values():
                await self.recall(record)
        except (SQLAlchemyError, OSError):
            self._arrived = arrived | self._arrived  # they are looked up the next time
            raise
        for device_id in ids:
            session = self._sessions.get(device_id)
            if session is not None:
                self._follow_one(session, *good.get(device_id, (None, frozenset())))
        if arrived:
            await self._registry.seen(arrived)

    def _follow_one(
        self, session: Session, record: DeviceRecord | None, hashes: frozenset[str]
    ) -> None:
        device = session.device
        if record is None:
            self.start(session.delivery.close(*_REVOKED))
        elif digest(device.token.get_secret_value()) not in hashes:
            self.start(session.delivery.close(*_NEW_TOKEN))
        else:
            before, device.record = _speaker(device.record), record
            if before != _speaker(record):
                self._services.expect(device.persona)
            if device.sign is not None:
                device.sign.update()
            if record.rotate and device.takes_tokens:
                device.takes_tokens = False  # one is on its way
                self.start(self._rotate(session))

    async def _rotate(self, session: Session) -> None:
        """Give a doll a new token. It leaves when it has stored it, and comes back with it."""
        device = session.device
        token = await self._registry.rotate(device.id)
        device.on_token = lambda stored: self.start(self._settle(device, token, stored=stored))
        await session.delivery.send(Token(token))

    async def _settle(self, device: Device, token: str, *, stored: bool) -> None:
        if not stored:
            structlog.get_logger().error("the doll could not store its token", device=device.id)
            return
        await self._registry.settle(device.id, token)
        self.watch.look_now()


async def _logged(work: Coroutine[Any, Any, object]) -> None:
    try:
        await work
    except (SQLAlchemyError, OSError) as error:
        structlog.get_logger().error("database", why=type(error).__name__)
    except (Disconnected, RegistryError):
        pass  # it has gone meanwhile, or its owner has removed it


def _speaker(record: DeviceRecord) -> tuple[str, object]:
    """What decides on the voice that has to be ready."""
    return record.persona, record.settings.get("voice")
