"""How connections come to the workers of one port: the parent accepts each of them, and gives it to
the worker that has the fewest.

Were the port shared, the kernel would give a connection to whichever worker wakes up first, and a
doll stays where it is for days: with 400 dolls one of two workers had four in five of their work.
A connection is an open file, so it is handed over whole (SCM_RIGHTS); no byte of it passes here.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

#: Accepted in one go before the loop does something else.
_AT_ONCE: Final = 64

#: Until somebody is there to give them to, connections wait in the kernel.
_AGAIN_S: Final = 0.05

Address = tuple[str, int]


class Taker(Protocol):
    """A worker, as the entrance sees it."""

    @property
    def load(self) -> int:
        """The connections that it has."""

    def give(self, connection: socket.socket) -> bool:
        """Let it serve this one; False if it cannot. It gets a copy of its own."""


class Entrance:
    """The parent's side: accepts while there is a worker to give to."""

    def __init__(
        self, sockets: Sequence[socket.socket], takers: Callable[[], Iterable[Taker]]
    ) -> None:
        """`takers`: the workers that serve at the moment. The sockets listen, and do not block."""
        self._sockets = sockets
        self._takers = takers
        self._loop = asyncio.get_running_loop()
        self._again: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Accept from now on."""
        self._again = None
        for listening in self._sockets:
            self._loop.add_reader(listening.fileno(), self._accept, listening)

    def close(self) -> None:
        """Accept no more; who comes waits in the kernel until the sockets are closed."""
        self._shut()
        if self._again is not None:
            self._again.cancel()

    def _shut(self) -> None:
        for listening in self._sockets:
            self._loop.remove_reader(listening.fileno())

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            takers = sorted(self._takers(), key=lambda taker: taker.load)
            if not takers:
                return self._later()
            try:
                connection, _ = listening.accept()
            except BlockingIOError:
                return None
            except ConnectionError:
                continue  # it has left already
            except OSError:
                return self._later()  # no more open files: perhaps in a moment
            with connection:  # the next one where the first is gone, or hangs with its queue full
                any(taker.give(connection) for taker in takers)
        return None

    def _later(self) -> None:
        self._shut()
        self._again = self._loop.call_later(_AGAIN_S, self.open)


class Door:
    """The worker's side: serves what it is given."""

    def __init__(self, given: socket.socket, addresses: Sequence[Address]) -> None:
        """`given`: a stream socket whose other end sends connections, one with each byte.
        `addresses`: where the parent listens."""
        self.addresses = addresses
        self.taken = 0  #: connections since the start
        self._given = given
        self._starting: set[asyncio.Task[None]] = set()

    def open(self, protocol: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None) -> None:
        """Serve each connection by a protocol of its own, on the running loop."""
        self._given.setblocking(False)
        loop = asyncio.get_running_loop()
        loop.add_reader(self._given.fileno(), self._take, loop, protocol, tls)

    def close(self) -> None:
        """Take no more. Those that wait here unseen are closed, and come back."""
        if self._given.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._given.fileno())
            self._given.close()

    def _take(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol: Callable[[], asyncio.Protocol],
        tls: ssl.SSLContext | None,
    ) -> None:
        try:
            sign, files, _, _ = socket.recv_fds(self._given, _AT_ONCE, _AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            sign, files = b"", []
        if not sign:  # the parent is gone
            loop.remove_reader(self._given.fileno())
            return
        for file in files:
            self.taken += 1
            task = loop.create_task(_serve(loop, socket.socket(fileno=file), protocol, tls))
            self._starting.add(task)  # a loop holds its tasks weakly
            task.add_done_callback(self._starting.discard)


async def _serve(
    loop: asyncio.AbstractEventLoop,
    connection: socket.socket,
    protocol: Callable[[], asyncio.Protocol],
    tls: ssl.SSLContext | None,
) -> None:
    connection.setblocking(False)
    with contextlib.suppress(OSError):  # it left, or does not speak TLS: nobody to tell
        await loop.connect_accepted_socket(protocol, connection, ssl=tls)
