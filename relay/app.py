"""The relay as an ASGI application: a WebSocket for the dolls, and HTTP for boards and owners."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI, WebSocket

from relay import __version__
from relay.cluster.alone import alone
from relay.cluster.cluster import Cluster
from relay.dolls import Dolls
from relay.live.overview import Overview
from relay.memory_trim import trim
from relay.metrics.traces import open_traces
from relay.services import Services
from relay.store.database import Database
from relay.telegram.bot import TelegramBot
from relay.upkeep import keep_up
from relay.web.admin import owner_routes, session_routes
from relay.web.browser import as_doll, is_page, needs_no_code
from relay.web.care import care_routes
from relay.web.dashboard_page import dashboard_routes
from relay.web.doll_page import doll_routes
from relay.web.guesses import share_guesses
from relay.web.live_routes import live_routes
from relay.web.memory_routes import memory_routes
from relay.web.metrics import metrics_routes
from relay.web.ota import ota_routes
from relay.web.persona_routes import persona_routes
from relay.web.protect import protect
from relay.web.recording_routes import recording_routes
from relay.web.telegram_routes import telegram_routes
from relay.web.vision import vision_routes
from relay.web.voice_routes import voice_routes

#: Where stock xiaozhi boards connect too.
WEBSOCKET_PATH = "/xiaozhi/v1/"


def create_app(
    services: Services, database: Database, cluster: Cluster | None = None, *, here: str = ""
) -> FastAPI:
    """Make the application around what all dolls share; it closes all of that when it stops.

    `cluster`: other workers share it too. `here` is `relay.web.here.Here`'s cookie.
    """
    dolls = Dolls(services, database, cluster)
    traces = open_traces(services.settings.metrics)
    if traces is not None:
        services.onlookers.append(traces.observe)
    telegram: TelegramBot | None = None
    if services.settings.telegram.token is not None:
        telegram = TelegramBot(services, dolls, database)
    overview = Overview(dolls, services, cluster)
    services.onlookers.append(services.live.turn_ended)
    services.brain.on_failure = lambda model, trouble: services.live.failed(trouble, model=model)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.expect(services.persona)
        works: list[Callable[[], Awaitable[None]]] = [dolls.watch, overview.run]
        if services.shelf is not None:
            works.append(services.shelf.watch)
        if services.recorder is not None:
            works.append(services.recorder.run)
        if telegram is not None:  # Telegram lets one ask at a time
            single = partial(alone, cluster.bus, "telegram", telegram.run) if cluster else None
            works.append(single or telegram.run)
        if cluster is not None:
            works.append(cluster.run)

        async def personas() -> None:
            await services.personas.watch(services.expect)

        watches = [asyncio.create_task(keep_up(work)) for work in (*works, personas)]
        trim()  # importing and building have left several megabytes
        yield
        if telegram is not None:
            await telegram.close()  # before the memory is flushed
        await dolls.close()
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
        if cluster is not None:
            await cluster.close()
        await services.close()
        await database.close()
        if traces is not None:
            await asyncio.to_thread(traces.close)

    # No pages that load scripts from elsewhere; the owner gets the schema at /api/openapi.json.
    no_docs: dict[str, Any] = {"openapi_url": None, "docs_url": None, "redoc_url": None}
    app = FastAPI(title="Talking doll relay", version=__version__, lifespan=lifespan, **no_docs)
    app.state.dolls = dolls
    app.state.cluster = cluster
    protect(app, services.settings, database, here)
    if cluster is not None:
        share_guesses(cluster.bus, app.state.admin)

    @app.get("/healthz")
    async def healthz() -> dict[str, Any]:
        """Whether the relay serves dolls. Asks no provider, costs no quota."""
        return {"status": "ok", "version": __version__, "dolls": len(dolls)}

    @app.websocket(WEBSOCKET_PATH)
    async def doll(websocket: WebSocket) -> None:
        if is_page(websocket):
            confirmed = await needs_no_code(websocket, services.settings)
            await dolls.serve(as_doll(websocket), confirmed=confirmed)
        else:
            await dolls.serve(websocket)

    app.include_router(dashboard_routes(services))
    app.include_router(doll_routes(services))
    app.include_router(session_routes())
    app.include_router(owner_routes(dolls, services, database))
    app.include_router(care_routes(dolls, services, overview))
    app.include_router(memory_routes(dolls, services, database))
    app.include_router(recording_routes(dolls, services))
    app.include_router(persona_routes(services))
    app.include_router(telegram_routes(services, database))
    app.include_router(voice_routes(dolls, services))
    app.include_router(live_routes(services.live, overview))
    app.include_router(metrics_routes(dolls, services, cluster))
    app.include_router(vision_routes(dolls, services))
    app.include_router(
        ota_routes(
            services.settings,
            dolls.registry,
            dolls.pairing,
            websocket_path=WEBSOCKET_PATH,
            persona_language=services.persona.language,
        )
    )
    return app
