"""The relay as an ASGI application: a WebSocket for the dolls and a health check."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import FastAPI, WebSocket

from relay import __version__
from relay.config import Settings
from relay.dolls import Dolls
from relay.providers import build
from relay.services import Services

#: Where stock xiaozhi boards connect too.
WEBSOCKET_PATH = "/xiaozhi/v1/"


def create_app(
    settings: Settings, services: Callable[[Settings], Awaitable[Services]] = build
) -> FastAPI:
    """Make the application. `services` is called once, at start: models load in it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        log = structlog.get_logger()
        shared = await services(settings)
        app.state.dolls = dolls = Dolls(shared)
        log.info("ready", brain=settings.llm.chosen, persona=shared.persona.name)
        try:
            yield
        finally:
            await dolls.close()
            await shared.close()

    app = FastAPI(title="Talking doll relay", version=__version__, lifespan=lifespan)

    @app.get("/healthz")
    async def healthz() -> dict[str, Any]:
        """Whether the relay serves dolls. Asks no provider, costs no quota."""
        return {"status": "ok", "version": __version__, "dolls": len(app.state.dolls)}

    @app.websocket(WEBSOCKET_PATH)
    async def doll(websocket: WebSocket) -> None:
        if not _may_connect(websocket, settings):
            await websocket.close(code=1008, reason="the token is missing or wrong")
            return
        await app.state.dolls.serve(websocket)

    return app


def _may_connect(websocket: WebSocket, settings: Settings) -> bool:
    """Whether the doll sent the token, compared in constant time. A refusal is a plain HTTP 403."""
    if settings.relay.token is None:
        return True
    expected = f"Bearer {settings.relay.token.get_secret_value()}"
    given = websocket.headers.get("authorization", "")
    return secrets.compare_digest(given.encode(), expected.encode())
