"""Run the relay in this process with uvicorn."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable

import structlog
import uvicorn

from relay import log
from relay.app import WEBSOCKET_PATH, create_app
from relay.config import ConfigError, Settings
from relay.dolls import Dolls
from relay.errors import ProviderError
from relay.hearing.base import DetectorUnavailableError
from relay.llm.extras import MissingExtraError
from relay.persona import PersonaError
from relay.providers import build
from relay.services import Services
from relay.store.database import Database, StoreError
from relay.web.tls import Certificate, CertificateError
from relay.wire.server import websocket_options
from relay.wire.sockets import http_options

Builder = Callable[[Settings], Awaitable[Services]]


def serve(settings: Settings, build: Builder = build) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises ConfigError when a setting is not safe or a chosen provider cannot be had; the text says
    what to do.
    """
    if settings.relay.readable:
        raise ConfigError(
            f"relay.host = {settings.relay.host}: what is said could be read on its way. Have "
            "relay.tls_certificate and relay.tls_key, or relay.behind_proxy = [its address] if a "
            "proxy does TLS, or relay.home_network = true (doll relay --home) for dolls of the "
            "network at home alone: see docs/tls.md"
        )
    log.configure(settings.relay.log_format, settings.relay.log_level)
    try:
        server = _Server(settings, build)
        server.run()
    except (
        CertificateError,
        PersonaError,
        MissingExtraError,
        DetectorUnavailableError,
        ProviderError,
        StoreError,
    ) as error:
        raise ConfigError(str(error)) from None
    except KeyboardInterrupt:
        pass  # uvicorn has shut down in order, and passes ctrl-C on
    if not server.started:
        sys.exit(3)


class _Server(uvicorn.Server):
    """uvicorn, with the relay's services made on its loop before it listens."""

    def __init__(self, settings: Settings, build: Builder) -> None:
        relay = settings.relay
        self._certificate: Certificate | None = None
        if relay.tls_certificate and relay.tls_key:
            self._certificate = Certificate(relay.tls_certificate, relay.tls_key)
        super().__init__(
            uvicorn.Config(
                _not_yet,
                host=relay.host,
                port=relay.port,
                ssl_context_factory=self._context if self._certificate else None,
                log_config=None,
                access_log=False,
                **websocket_options(limits=settings.limits),
                **http_options(settings.limits, relay.behind_proxy),
                timeout_graceful_shutdown=5,
            )
        )
        self._settings = settings
        self._build = build

    def _context(self, *_: object) -> ssl.SSLContext:
        assert self._certificate is not None
        return self._certificate.context

    async def on_tick(self, counter: int) -> bool:
        """Called by uvicorn ten times a second. Once a minute, look for a renewed certificate."""
        if self._certificate is not None and counter % 600 == 599:
            await asyncio.to_thread(self._certificate.refresh)
        return await super().on_tick(counter)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        relay = self._settings.relay
        database = await Database.open(relay.data, relay.database_url)
        try:
            services = await self._build(self._settings)
        except BaseException:
            await database.close()
            raise
        structlog.get_logger().info(
            "ready", brain=self._settings.brain, persona=services.persona.name
        )
        self.config.app = app = create_app(services, database)
        self._dolls: Dolls = app.state.dolls
        gc.collect()
        gc.freeze()  # what is here now stays: collections during a turn need not look at it
        await super().serve(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Part from the dolls first: a session that waits for a lost one would keep us waiting."""
        await self._dolls.close()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and log where: with port 0 the port is known only now."""
        await super().startup(sockets)
        scheme = "wss" if self._certificate else "ws"
        for server in self.servers:
            for listening in server.sockets:
                host, port = listening.getsockname()[:2]
                structlog.get_logger().info(
                    "listening", url=f"{scheme}://{host}:{port}{WEBSOCKET_PATH}", port=port
                )


async def _not_yet(*_: object) -> None:
    raise AssertionError("replaced before the server starts")
