"""Run the relay in this process with uvicorn."""

from __future__ import annotations

import socket
import sys
from collections.abc import Awaitable, Callable

import structlog
import uvicorn

from relay import log
from relay.app import WEBSOCKET_PATH, create_app
from relay.config import ConfigError, Settings
from relay.providers import build
from relay.services import Services
from relay.wire.server import websocket_options


def serve(settings: Settings, services: Callable[[Settings], Awaitable[Services]] = build) -> None:
    """Serve until SIGINT or SIGTERM. Raises ConfigError for settings that would not be safe."""
    if settings.relay.public and settings.relay.token is None:
        raise ConfigError(
            f"relay.host: {settings.relay.host} can be reached by others: set relay.token as well "
            "(doll relay --token …, or DOLL_RELAY__TOKEN), and give it to the doll"
        )
    log.configure(settings.relay.log_format, settings.relay.log_level)
    server = _Server(
        uvicorn.Config(
            create_app(settings, services),
            host=settings.relay.host,
            port=settings.relay.port,
            log_config=None,
            access_log=False,
            **websocket_options(),
            timeout_graceful_shutdown=5,
        )
    )
    server.run()
    if not server.started:
        sys.exit(3)


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and log where: with port 0 the port is known only now."""
        await super().startup(sockets)
        for server in self.servers:
            for listening in server.sockets:
                host, port = listening.getsockname()[:2]
                structlog.get_logger().info(
                    "listening", url=f"ws://{host}:{port}{WEBSOCKET_PATH}", port=port
                )
