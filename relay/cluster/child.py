"""One worker process, as its parent sees it, and as it runs.

Processes are spawned, not forked: the engines behind the models have threads, which a fork loses,
and half a lock of each. So every worker loads its own models (figures: docs/cluster.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Final

import structlog

from relay import log
from relay.cluster.entrance import Address, Door
from relay.cluster.place import Place
from relay.config import ConfigError, Settings

if TYPE_CHECKING:
    from relay.server import Builder

#: A worker whose event loop has said nothing for so long hangs, and is killed.
HUNG_S: Final = 30.0

#: For its models to be read from a slow disk, the first time.
START_S: Final = 300.0

#: For it to part from its dolls: those in mid-answer take it along.
STOP_S: Final = 35.0

_READY, _BEAT, _FAILED = b"ready", b"beat ", b"failed "

_spawning = multiprocessing.get_context("spawn")


class Child:
    """A worker. Belongs to the parent's event loop."""

    def __init__(
        self,
        number: int,
        settings: Settings,
        build: Builder | None,
        addresses: Sequence[Address],
        here: str,
    ) -> None:
        """Start it. `number` is its place among the workers, from 1; `addresses` are those at
        which the parent listens."""
        self.number = number
        self.failure = ""  #: why it could not start, if that is for the owner to mend
        self.is_ready = False
        self._loop = asyncio.get_running_loop()
        self.started = self._heard_at = self._loop.time()
        self._is_ending = self._is_leaving = False
        self._connections = self._taken = self._given = 0
        self._news = asyncio.Event()
        self._pipe, theirs = _spawning.Pipe(duplex=False)
        self._door, door = socket.socketpair()
        self._door.setblocking(False)
        values = settings.model_dump(round_trip=True)
        self._process = _spawning.Process(
            target=_work, args=(number, values, build, door, addresses, here, theirs), daemon=False
        )
        self._process.start()
        theirs.close()
        door.close()
        self._loop.add_reader(self._pipe.fileno(), self._read)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid or 0

    @property
    def has_ended(self) -> bool:
        """Whether it runs no more."""
        return self._process.exitcode is not None

    @property
    def takes(self) -> bool:
        """Whether it can be given connections."""
        return self.is_ready and not self._is_leaving and not self.has_ended

    @property
    def load(self) -> int:
        """The connections that it has: those that it told of, and those on their way."""
        return self._connections + self._given - self._taken

    def give(self, connection: socket.socket) -> bool:
        """Let it serve this one; False if it is gone, or its queue is full. It gets a copy."""
        try:
            socket.send_fds(self._door, [b"."], [connection.fileno()])
        except OSError:
            return False
        self._given += 1
        return True

    @property
    def exitcode(self) -> int | None:
        """As `multiprocessing` has it: minus the signal that has killed it."""
        return self._process.exitcode

    async def ready(self) -> bool:
        """Wait until dolls can come; False if it ends before that, or takes too long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_S):
                while not self.is_ready and not self.has_ended:
                    await self._change()
        return self.is_ready and not self.has_ended

    async def ended(self) -> None:
        """Wait until it runs no more; one that hangs is killed."""
        while not self.has_ended:
            await self._change()
            if self.is_ready and self._loop.time() - self._heard_at > HUNG_S:
                structlog.get_logger().error("a worker hangs", worker=self.number, pid=self.pid)
                self._process.kill()
                self._heard_at = self._loop.time()

    async def stop(self) -> None:
        """End it: in order if it does so in time."""
        self._is_leaving = True
        for end in (self._process.terminate, self._process.kill):
            if not self.has_ended:
                end()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STOP_S):
                        while not self.has_ended:
                            await self._change()
        self.close()

    def close(self) -> None:
        """Forget it; it has ended."""
        if not self._pipe.closed:
            self._loop.remove_reader(self._pipe.fileno())
            self._pipe.close()
            self._door.close()

    async def _change(self) -> None:
        """Wait for news. That it has ended comes as none: its pipe closes a moment before."""
        self._news.clear()
        timeout_s = 0.05 if self._is_ending else 1.0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._news.wait()

    def _read(self) -> None:
        try:
            message = self._pipe.recv_bytes(4096)
        except (EOFError, OSError):
            self._loop.remove_reader(self._pipe.fileno())
            self._is_ending = True
        else:
            self._heard_at = self._loop.time()
            self.is_ready = self.is_ready or message == _READY
            if message.startswith(_BEAT):
                taken, connections = message.removeprefix(_BEAT).split()
                self._taken, self._connections = int(taken), int(connections)
            if message.startswith(_FAILED):
                self.failure = message.removeprefix(_FAILED).decode(errors="replace")
        self._news.set()


def _work(
    number: int,
    values: dict[str, Any],
    build: Builder | None,
    given: socket.socket,
    addresses: Sequence[Address],
    here: str,
    pipe: Connection,
) -> None:
    """What runs in the process."""
    from relay.server import START_ERRORS, Server  # not in the parent, which serves nobody

    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the parent's business, also from a terminal
    parent = os.getppid()
    structlog.contextvars.bind_contextvars(worker=number)

    def tell(message: bytes) -> bool:
        with contextlib.suppress(OSError):
            pipe.send_bytes(message)
        return os.getppid() == parent  # or there is nobody left to work for

    door = Door(given, addresses)

    def ready() -> None:
        tell(_READY)

    def second() -> bool:
        return tell(_BEAT + b"%d %d" % (door.taken, len(server.server_state.connections)))

    try:
        settings = Settings(**values)
        log.configure(settings.relay.log_format, settings.relay.log_level)
        server = Server(
            settings,
            build,
            here=here,
            place=Place(number=number, group=hashlib.sha256(here.encode()).hexdigest()[:16]),
            on_ready=ready,
            on_second=second,
            door=door,
        )
        server.run([])
    except (*START_ERRORS, ConfigError) as error:
        tell(_FAILED + str(error).encode()[:2000])
        sys.exit(3)
    except KeyboardInterrupt:
        pass  # uvicorn has shut down in order, and passes ctrl-C on
    if not server.started:
        sys.exit(3)
