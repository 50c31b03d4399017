"""The relay as an ASGI application: a WebSocket for the dolls and a health check."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, WebSocket

from relay import __version__
from relay.config import Settings
from relay.dolls import Dolls
from relay.services import Services

#: Where stock xiaozhi boards connect too.
WEBSOCKET_PATH = "/xiaozhi/v1/"


def create_app(services: Services) -> FastAPI:
    """Make the application around what all dolls share; it closes that when it stops."""
    settings = services.settings
    dolls = Dolls(services)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        watch = None if services.shelf is None else asyncio.create_task(services.shelf.watch())
        yield
        if watch is not None:
            watch.cancel()
        await dolls.close()
        await services.close()

    app = FastAPI(title="Talking doll relay", version=__version__, lifespan=lifespan)
    app.state.dolls = dolls

    @app.get("/healthz")
    async def healthz() -> dict[str, Any]:
        """Whether the relay serves dolls. Asks no provider, costs no quota."""
        return {"status": "ok", "version": __version__, "dolls": len(dolls)}

    @app.websocket(WEBSOCKET_PATH)
    async def doll(websocket: WebSocket) -> None:
        if not _may_connect(websocket, settings):
            await websocket.close(code=1008, reason="the token is missing or wrong")
            return
        await dolls.serve(websocket)

    return app


def _may_connect(websocket: WebSocket, settings: Settings) -> bool:
    """Whether the doll sent the token, compared in constant time. A refusal is a plain HTTP 403."""
    if settings.relay.token is None:
        return True
    expected = f"Bearer {settings.relay.token.get_secret_value()}"
    given = websocket.headers.get("authorization", "")
    return secrets.compare_digest(given.encode(), expected.encode())
