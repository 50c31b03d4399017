"""uvicorn, with the relay's services made on its loop before it listens."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from collections.abc import Awaitable, Callable

import structlog
import uvicorn

from relay.app import WEBSOCKET_PATH, create_app
from relay.cluster.cluster import Cluster
from relay.cluster.entrance import Door
from relay.cluster.place import Place
from relay.cluster.server import ServerError, open_redis
from relay.config import Settings
from relay.dolls import Dolls
from relay.errors import ProviderError
from relay.hearing.base import DetectorUnavailableError
from relay.llm.extras import MissingExtraError
from relay.persona import PersonaError
from relay.persona.shared import SharedPersonas
from relay.providers import build as build_providers
from relay.services import Services
from relay.store.database import Database, StoreError
from relay.web.tls import Certificate, CertificateError
from relay.wire.server import websocket_options
from relay.wire.sockets import http_options

Builder = Callable[[Settings], Awaitable[Services]]

#: What `Server` raises that an owner can mend; the text is one line.
START_ERRORS = (
    CertificateError,
    PersonaError,
    MissingExtraError,
    DetectorUnavailableError,
    ProviderError,
    ServerError,
    StoreError,
)


class Server(uvicorn.Server):
    """One worker: all of a relay, or one of several processes."""

    def __init__(
        self,
        settings: Settings,
        build: Builder | None = None,
        *,
        here: str = "",
        place: Place | None = None,
        on_ready: Callable[[], None] = lambda: None,
        on_second: Callable[[], bool] = lambda: True,
        on_end: Callable[[], None] = lambda: None,
        door: Door | None = None,
    ) -> None:
        """`here`: see `create_app`; `place`: see `Cluster`; `door`: where connections come from,
        if this process does not listen itself. `on_ready` is called when dolls can
        come, `on_second` about once a second after that; the server ends when it returns False.
        `on_end` is called when it begins to part from its dolls."""
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
        self._build = build or build_providers
        self._here = here
        self._place = place
        self._on_ready = on_ready
        self._on_second = on_second
        self._on_end = on_end
        self._door = door

    def end(self) -> None:
        """Part from the dolls and stop serving. From any thread, or a signal handler."""
        self.should_exit = True

    def _context(self, *_: object) -> ssl.SSLContext:
        assert self._certificate is not None
        return self._certificate.context

    async def on_tick(self, counter: int) -> bool:
        """Called by uvicorn ten times a second. Once a minute, look for a renewed certificate."""
        if self._certificate is not None and counter % 600 == 599:
            await asyncio.to_thread(self._certificate.refresh)
        if counter % 10 == 9 and not self._on_second():
            return True
        return await super().on_tick(counter)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        relay = self._settings.relay
        cluster = None
        if relay.redis_url:
            cluster = Cluster(open_redis(relay.redis_url, "relay.redis"), self._place)
        database = await Database.open(relay.data, relay.database_url)
        settings, shared = self._settings, None
        try:
            if not database.is_sqlite:
                shared = await SharedPersonas.open(database)
                await shared.adopt(settings.personas_folder)
                settings = settings.with_personas(shared.folder)
            services = await self._build(settings)
        except BaseException:
            if shared is not None:
                await shared.close()
            await database.close()
            raise
        services.shared_personas = shared
        structlog.get_logger().info(
            "ready", brain=self._settings.brain, persona=services.persona.name
        )
        self.config.app = app = create_app(services, database, cluster, here=self._here)
        self._dolls: Dolls = app.state.dolls
        gc.collect()
        gc.freeze()  # what is here now stays: collections during a turn need not look at it
        await super().serve(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Part from the dolls first: a session that waits for a lost one would keep us waiting.
        Nobody new comes meanwhile."""
        self._on_end()
        for server in self.servers:
            server.close()
        if self._door is not None:
            self._door.close()
        await self._dolls.close(lambda: self.force_exit)
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and log where: with port 0 the port is known only now."""
        await super().startup(sockets)
        sockets_here = (one for server in self.servers for one in server.sockets)
        addresses = [one.getsockname()[:2] for one in sockets_here]
        if self._door is not None:
            self._door.open(self._protocol, self.config.ssl)
            addresses += self._door.addresses
        scheme = "wss" if self._certificate else "ws"
        for host, port in addresses:
            structlog.get_logger().info(
                "listening", url=f"{scheme}://{host}:{port}{WEBSOCKET_PATH}", port=port
            )
        self._on_ready()

    def _protocol(self) -> asyncio.Protocol:
        """For one connection, as uvicorn makes it where it listens itself."""
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


async def _not_yet(*_: object) -> None:
    raise AssertionError("replaced before the server starts")
