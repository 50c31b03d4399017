"""Puts everything that guards the relay's HTTP side around the application."""

from __future__ import annotations

from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from relay.config import Settings
from relay.devices.sight import MAX_BODY_BYTES, VISION_PATH
from relay.store.database import Database
from relay.web.auth import Admin
from relay.web.body import BodyLimit
from relay.web.headers import SecurityHeaders
from relay.web.here import Here, here_routes
from relay.web.origin import Origins
from relay.web.proxies import Peers


def protect(app: FastAPI, settings: Settings, database: Database, here: str = "") -> None:
    """From outside in: who is there, what a browser may, which page asks, how much is sent.

    `here` is `Here`'s cookie.
    """
    relay = settings.relay
    app.state.admin = Admin(database, settings.admin, settings.pairing)
    app.state.here = Here(relay.data, here)
    app.include_router(here_routes(app.state.here))
    own = urlsplit(relay.public_url).hostname if relay.public_url else None
    larger = {VISION_PATH: MAX_BODY_BYTES}
    app.add_middleware(BodyLimit, limits=settings.limits, larger=larger)
    app.add_middleware(Origins, hosts=[*relay.hosts, *([own] if own else [])])
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Peers, proxies=relay.behind_proxy, home_network=relay.home_network)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(SQLAlchemyError, _no_database)


async def _not_valid(_: Request, error: Exception) -> JSONResponse:
    """Which fields are wrong. Not what was in them, as FastAPI has it: it may be a password."""
    assert isinstance(error, RequestValidationError)
    fields = [".".join(str(part) for part in wrong["loc"])[:80] for wrong in error.errors()[:10]]
    return JSONResponse({"detail": {"problem": "not_valid", "values": {"fields": fields}}}, 422)


async def _no_database(request: Request, error: Exception) -> JSONResponse:
    structlog.get_logger().error("database", why=type(error).__name__, path=request.url.path[:80])
    return JSONResponse({"detail": {"problem": "database"}}, 503)
