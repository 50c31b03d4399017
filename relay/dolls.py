"""The dolls that are connected just now: one session each, and not too many."""

from __future__ import annotations

import asyncio
import secrets

import structlog
from fastapi import WebSocket

from relay.services import Services
from relay.turn.session import Session
from relay.wire.connection import Connection
from relay.wire.errors import CloseCode, Disconnected

_REPLACED = (CloseCode.REPLACED, "the same device connected again")


class Dolls:
    """Live sessions by device."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._sessions: dict[str, Session] = {}
        self._strangers = 0  # sockets that have not said who they are

    def __len__(self) -> int:
        """Dolls that talk with us, those among them whose link is lost for a moment."""
        return len(self._sessions)

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one socket until it closes, and the session that it began until that ends."""
        if self._is_full(websocket):
            structlog.get_logger().warning("refused", why="too many dolls", dolls=len(self))
            await websocket.close(code=CloseCode.TRY_LATER, reason="too many dolls")
            return
        try:
            connection = await self._introduce(websocket)
            old = self._sessions.get(connection.device_id)
            if old is not None and old.delivery.can_resume(connection):
                await old.delivery.resume(connection)
                await connection.over()  # who began the session serves it
            else:
                await self._converse(connection, old)
        except Disconnected:
            pass  # the connection has logged why

    def _is_full(self, websocket: WebSocket) -> bool:
        places = self._services.settings.relay.max_dolls
        if websocket.headers.get("device-id") in self._sessions:
            places += 1  # that doll would only take its own place again
        return len(self._sessions) + self._strangers >= places

    async def _introduce(self, websocket: WebSocket) -> Connection:
        self._strangers += 1
        try:
            return await Connection.accept(
                websocket, self._services.settings.limits, session_id=secrets.token_hex(8)
            )
        finally:
            self._strangers -= 1

    async def _converse(self, connection: Connection, old: Session | None) -> None:
        device = connection.device_id
        session = self._sessions[device] = Session(connection, self._services)
        try:
            if old is not None:
                # A doll that comes back while its old socket looks alive: the new one is the doll.
                old.delivery.end(*_REPLACED)
            await connection.greet()
            if old is not None:
                await old.delivery.close(*_REPLACED)
            await session.run()
        finally:
            if self._sessions.get(device) is session:
                del self._sessions[device]

    async def close(self) -> None:
        """Tell every doll that the relay goes away."""
        await asyncio.gather(
            *(
                session.delivery.close(CloseCode.GOING_AWAY, "the relay stops")
                for session in self._sessions.values()
            ),
            return_exceptions=True,
        )
