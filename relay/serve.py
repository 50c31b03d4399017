"""Run the relay with uvicorn, in this process or in several."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from relay import log
from relay.cluster.supervisor import supervise
from relay.config import ConfigError, Settings

if TYPE_CHECKING:
    from relay.server import Builder


def serve(settings: Settings, build: Builder | None = None) -> None:
    """Serve until SIGINT or SIGTERM, with `relay.providers.build` or another `build`; anew after
    SIGHUP.

    Raises ConfigError when a setting is not safe or a chosen provider cannot be had; the text says
    what to do. With several workers `build` is a module's function: each of them imports it.
    """
    relay = settings.relay
    if relay.readable:
        raise ConfigError(
            f"relay.host = {relay.host}: what is said could be read on its way. Have "
            "relay.tls_certificate and relay.tls_key, or relay.behind_proxy = [its address] if a "
            "proxy does TLS, or relay.home_network = true (doll relay --home) for dolls of the "
            "network at home alone: see docs/tls.md"
        )
    if relay.workers > 1 and not relay.redis_url:
        raise ConfigError(
            f"relay.workers = {relay.workers}: several processes need a Redis or Valkey server to "
            "know of each other: install one (apt install redis-server) and set relay.redis = "
            '"redis://localhost:6379/0": see docs/cluster.md'
        )
    log.configure(relay.log_format, relay.log_level)
    if relay.workers > 1:
        supervise(settings, build)
        return
    # Not needed by the parent of several workers, and half of its memory.
    from relay.reload import Reload
    from relay.server import START_ERRORS, Server
    from relay.watchdog import Watchdog

    watchdog = Watchdog()
    try:
        server = Server(
            settings,
            build,
            on_ready=watchdog.start,
            on_second=watchdog.beat,
            on_end=watchdog.end,
        )
        reload = Reload(server.end)
        server.run()
    except START_ERRORS as error:
        raise ConfigError(str(error)) from None
    except KeyboardInterrupt:
        pass  # uvicorn has shut down in order, and passes ctrl-C on
    if not server.started:
        sys.exit(3)
    reload.begin_anew()
