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


class Dolls:
    """Live sessions by device."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._connections: dict[str, Connection] = {}
        self._open = 0

    def __len__(self) -> int:
        return len(self._connections)

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one socket until it closes."""
        if self._open >= self._services.settings.relay.max_dolls:
            structlog.get_logger().warning("refused", why="too many dolls", dolls=self._open)
            await websocket.close(code=CloseCode.TRY_LATER, reason="too many dolls")
            return
        self._open += 1
        try:
            connection = await Connection.open(
                websocket, self._services.settings.limits, session_id=secrets.token_hex(8)
            )
            await self._converse(connection)
        except Disconnected:
            pass  # the connection has logged why
        finally:
            self._open -= 1

    async def _converse(self, connection: Connection) -> None:
        device = connection.device_id
        old = self._connections.get(device)
        self._connections[device] = connection
        try:
            if old is not None:
                # A doll that comes back while its old socket looks alive: the new one is the doll.
                await old.close(CloseCode.REPLACED, "the same device connected again")
            await Session(connection, self._services).run()
        finally:
            if self._connections.get(device) is connection:
                del self._connections[device]

    async def close(self) -> None:
        """Tell every doll that the relay goes away."""
        await asyncio.gather(
            *(c.close(CloseCode.GOING_AWAY, "the relay stops") for c in self._connections.values()),
            return_exceptions=True,
        )
