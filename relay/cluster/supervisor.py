"""`doll relay --workers N`: one process that listens and serves nobody, and N that serve.

The parent opens the listening sockets and keeps them. It gives each connection to the worker that
has the fewest (`entrance.py`); while one is away the others are given them, and while all are they
wait in the kernel.

uvicorn has a supervisor too. It runs uvicorn's own server class in the children, and nothing that
is told apart from a crash: a wrong setting would be started again and again.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from relay.cluster.backoff import Backoff
from relay.cluster.child import Child
from relay.cluster.entrance import Entrance
from relay.config import ConfigError, Settings

if TYPE_CHECKING:
    from relay.server import Builder

_BACKLOG = 2048

_log = structlog.get_logger(__name__)


def supervise(settings: Settings, build: Builder | None = None) -> None:
    """Serve with `relay.workers` processes until SIGINT or SIGTERM.

    SIGHUP replaces them, one after another: the new one starts before the old one ends.

    Raises ConfigError if the first one cannot start and says why.
    """
    if not hasattr(signal, "SIGHUP"):
        raise ConfigError("relay.workers: this system cannot share a socket; run one worker")
    sockets = _listen(settings.relay.host, settings.relay.port)
    addresses = [listening.getsockname()[:2] for listening in sockets]
    here = secrets.token_urlsafe(32)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(
                Supervisor(
                    settings.relay.workers,
                    lambda number: Child(number, settings, build, addresses, here),
                    sockets,
                ).run()
            )
    finally:
        for listening in sockets:
            listening.close()


@dataclass(eq=False, slots=True)
class _Place:
    """One of the N: the worker that has it, and how its next one starts."""

    number: int
    backoff: Backoff
    child: Child | None = None


class Supervisor:
    """Keeps so many workers running."""

    def __init__(
        self, workers: int, start: Callable[[int], Child], sockets: Sequence[socket.socket]
    ) -> None:
        self._places = [_Place(number, Backoff()) for number in range(1, workers + 1)]
        self._start = start
        self._sockets = sockets
        self._stop = asyncio.Event()
        self._anew = asyncio.Event()

    async def run(self) -> None:
        """Until `stop` or a signal. Raises ConfigError."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._anew.set)
        # The first one alone: it prepares what all need once, and finds out what is wrong.
        first = self._places[0]
        first.child = self._start(first.number)
        entrance = Entrance(self._sockets, self._takers)
        entrance.open()
        stop = asyncio.create_task(self._stop.wait())
        try:
            ready = asyncio.create_task(first.child.ready())
            await asyncio.wait((stop, ready), return_when=asyncio.FIRST_COMPLETED)
            if not stop.done() and not ready.result():
                if first.child.failure:
                    raise ConfigError(first.child.failure)
                sys.exit(3)
            tasks = [asyncio.create_task(self._keep(place)) for place in self._places]
            tasks.append(asyncio.create_task(self._renew()))
            await asyncio.wait((stop, *tasks), return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, Exception):
                    raise result
        finally:
            _log.info("the workers stop")
            entrance.close()
            children = [place.child for place in self._places if place.child is not None]
            await asyncio.gather(*(child.stop() for child in children))

    def _takers(self) -> list[Child]:
        children = (place.child for place in self._places)
        return [child for child in children if child is not None and child.takes]

    async def _keep(self, place: _Place) -> None:
        """Start a worker whenever there is none."""
        loop = asyncio.get_running_loop()
        while True:
            child = place.child
            if child is None:
                child = place.child = self._start(place.number)
                _log.info("a worker starts", worker=place.number, pid=child.pid)
            await child.ended()
            child.close()
            if place.child is not child:
                continue  # it was replaced
            place.child = None
            wait_s = place.backoff.after(loop.time() - child.started)
            _log.error(
                "a worker has died",
                worker=place.number,
                exitcode=child.exitcode,
                why=child.failure or None,
                again_s=wait_s,
            )
            await asyncio.sleep(wait_s)

    async def _renew(self) -> None:
        """Replace all of them, one after another, each time that this is asked for."""
        while True:
            await self._anew.wait()
            self._anew.clear()
            for place in self._places:
                if not await self._replace(place):
                    break

    async def _replace(self, place: _Place) -> bool:
        """Whether that worker was replaced. The old one stays if the new one does not start."""
        old = place.child
        if old is None:
            return True  # a new one comes anyway
        new = self._start(place.number)
        try:
            is_ready = await new.ready()
        except asyncio.CancelledError:
            await new.stop()
            raise
        if not is_ready:
            _log.error("a new worker does not start", worker=place.number, why=new.failure or None)
            await new.stop()
            return False
        if place.child is not old:  # it has died meanwhile, and another one is on its way
            await new.stop()
            return True
        place.child = new
        _log.info("a worker is replaced", worker=place.number, pid=new.pid)
        await old.stop()
        return True


def _listen(host: str, port: int) -> list[socket.socket]:
    """Sockets for all addresses of a name. Raises ConfigError."""
    sockets: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in dict.fromkeys(found):
            listening = socket.socket(family, kind, protocol)
            sockets.append(listening)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.bind(address)
            listening.listen(_BACKLOG)
            listening.setblocking(False)
    except OSError as error:
        for listening in sockets:
            listening.close()
        raise ConfigError(f"relay.host, relay.port: {host}:{port}: {error.strerror}") from None
    return sockets
