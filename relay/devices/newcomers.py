"""The door for dolls that nobody knows: who of them gets a code, and who is here."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace

import structlog
from fastapi import WebSocket

from relay import locales
from relay.devices.newcomer import Newcomer
from relay.devices.pairing import Pairing
from relay.devices.records import RegistryError
from relay.devices.registry import Registry
from relay.services import Services
from relay.wire.address import source
from relay.wire.connection import Connection
from relay.wire.errors import CloseCode, Disconnected
from relay.wire.headers import identifier, language

#: Codes that were said unasked are not said again each time that the doll's link comes back; so
#: many are remembered.
_REMEMBERED = 1000


class Newcomers:
    """Serves the connections of dolls that are not the relay's yet, by their tickets."""

    def __init__(self, services: Services, registry: Registry, pairing: Pairing) -> None:
        self._services = services
        self._registry = registry
        self._pairing = pairing
        self._here: dict[str, Newcomer] = {}
        self._said: dict[str, None] = {}  # tickets, the oldest first

    def __len__(self) -> int:
        """How many are here."""
        return len(self._here)

    async def serve(
        self, websocket: WebSocket, session_id: str, *, confirmed: bool = False
    ) -> None:
        """Serve one until it goes, or is sent away to come back with its token.

        `confirmed`: nobody needs to be asked. Raises SQLAlchemyError.
        """
        headers = websocket.headers
        device_id = identifier(headers.get("device-id"))
        log = structlog.get_logger().bind(device=device_id)
        if device_id is None or not self._services.settings.pairing.new_dolls:
            log.warning("refused", why="its token is missing or wrong, and it cannot be paired")
            await websocket.close(CloseCode.POLICY)
            return
        client_id = identifier(headers.get("client-id")) or ""
        where = source(websocket.client.host if websocket.client else "")
        try:
            pending = await self._pairing.begin(device_id, client_id, where)
            is_free = confirmed and not await self._is_anothers(device_id, client_id)
            if is_free and not pending.confirmed:
                name = self._services.persona.name
                await self._pairing.confirm(pending.code, source=where, suggestion=name)
                pending = replace(pending, confirmed=True)
        except RegistryError as error:
            log.warning("refused", why=str(error))
            await websocket.close(CloseCode.TRY_LATER)
            return
        spoken = language(headers)
        if spoken not in locales.languages():
            spoken = self._services.persona.language
        try:
            connection = await Connection.accept(
                websocket, self._services.settings.limits, session_id=session_id
            )
        except Disconnected:
            return
        newcomer = Newcomer(
            connection, pending, spoken, self._services, self._registry, self._pairing
        )
        old = self._here.get(pending.ticket)
        self._here[pending.ticket] = newcomer
        try:
            if old is not None:
                await old.replaced()
            if pending.confirmed:  # it has come back without what it was given
                newcomer.confirm()
            await newcomer.run(aloud=self._is_new(pending.ticket))
        finally:
            if self._here.get(pending.ticket) is newcomer:
                del self._here[pending.ticket]

    async def follow(self, changed: bool) -> None:
        """After a look at the registry: tell those whom their owner has confirmed."""
        if not changed:
            return
        for ticket, newcomer in tuple(self._here.items()):
            pending = await self._pairing.status(ticket)
            if pending is not None and pending.confirmed:
                newcomer.confirm()

    async def close(self) -> None:
        """Part from all: the relay stops."""
        await asyncio.gather(*(newcomer.leave() for newcomer in tuple(self._here.values())))

    async def _is_anothers(self, device_id: str, client_id: str) -> bool:
        """Whether the relay has had a doll of this name that may not be taken over unasked: another
        device's, by its Client-Id, or one that was sent away."""
        known = await self._registry.known(device_id)
        if known is None:
            return False
        same = secrets.compare_digest(known.client_id.encode(), client_id.encode())
        return known.revoked is not None or not client_id or not same

    def _is_new(self, ticket: str) -> bool:
        if ticket in self._said:
            return False
        self._said[ticket] = None
        if len(self._said) > _REMEMBERED:
            del self._said[next(iter(self._said))]
        return True
