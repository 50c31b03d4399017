"""A bad network on this machine: a TCP forwarder that delays, throttles, stalls and breaks.

```python
network = Network(delay_ms=40, jitter_ms=100)
async with network.between(relay_url) as url:  # what connects to `url` is passed on
    ...
    network.drop()  # both ends get a reset, as when a router restarts
```

Bytes are never lost or reordered, as TCP would not either: what a lossy network does to a stream is
to hold it up, and that is what `jitter_ms` and `stalled` do.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

from tools.simulator.errors import SimulatorError

_CHUNK = 4096
_WINDOW = 65_536  #: bytes on their way in one direction; then the sender is held up

#: SO_LINGER with no time: closing sends a reset at once, and forgets what was not sent.
_RESET = struct.pack("ii", 1, 0)


class Delays:
    """When each piece of one direction arrives. Sans-I/O; times are seconds on any clock."""

    def __init__(
        self, delay_s: float, jitter_s: float, bytes_per_s: float | None, rng: random.Random
    ) -> None:
        self._delay_s = delay_s
        self._jitter_s = jitter_s
        self._bytes_per_s = bytes_per_s
        self._rng = rng
        self._sent_at = 0.0  # when the last byte left the slowest part of the way
        self._arrived_at = 0.0

    def arrival(self, size: int, now: float) -> float:
        """When `size` bytes that are sent now have arrived: never before what was sent earlier."""
        self._sent_at = max(self._sent_at, now)
        if self._bytes_per_s is not None:
            self._sent_at += size / self._bytes_per_s
        late = self._sent_at + self._delay_s + self._rng.uniform(0, self._jitter_s)
        self._arrived_at = max(self._arrived_at, late)
        return self._arrived_at


class Network:
    """The way between one or more clients and a server, as good or bad as it is told to be.

    Each piece takes `delay_ms` and up to `jitter_ms` more, in each direction; a direction of a
    connection carries `bytes_per_s`. What is set later holds for later connections.
    """

    def __init__(
        self,
        *,
        delay_ms: float = 0,
        jitter_ms: float = 0,
        bytes_per_s: float | None = None,
        seed: int = 1,
    ) -> None:
        if delay_ms < 0 or jitter_ms < 0 or (bytes_per_s is not None and bytes_per_s <= 0):
            raise ValueError("delay_ms and jitter_ms may not be below 0, bytes_per_s must be above")
        self.delay_ms = delay_ms
        self.jitter_ms = jitter_ms
        self.bytes_per_s = bytes_per_s
        self.is_up = True  #: False: whoever connects is refused
        self.accepted = 0  #: connections so far
        self.refused = 0
        self._rng = random.Random(seed)  # noqa: S311 (a simulation)
        self._connections: set[_Connection] = set()
        self._flows = asyncio.Event()
        self._flows.set()

    @contextlib.asynccontextmanager
    async def between(self, url: str) -> AsyncIterator[str]:
        """Pass on to the server of this `ws:` URL; gives the URL to connect to instead.

        Raises SimulatorError for another kind of address.
        """
        parts = urlsplit(url)
        if parts.scheme != "ws" or parts.hostname is None:
            # With TLS the certificate would be for another name.
            raise SimulatorError(
                f"a simulated network takes ws:// addresses, not {parts.scheme}://"
            )
        host, port = parts.hostname, parts.port or 80

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if not self.is_up:
                self.refused += 1
                _reset(writer)
                return
            self.accepted += 1
            connection = _Connection(self._delays, self._flows)
            self._connections.add(connection)
            try:
                await connection.run(reader, writer, host, port)
            finally:
                self._connections.discard(connection)

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        own = server.sockets[0].getsockname()[1]
        try:
            yield parts._replace(netloc=f"127.0.0.1:{own}").geturl()
        finally:
            server.close()
            self.drop()
            while self._connections:
                await asyncio.wait([c.task for c in self._connections])
                await asyncio.sleep(0)

    def drop(self) -> None:
        """Break every connection: both ends get a reset."""
        for connection in self._connections:
            connection.drop()

    def forget(self) -> None:
        """Leave every connection half open: nothing arrives any more, and nobody is told."""
        for connection in self._connections:
            connection.is_forgotten = True

    @property
    def stalled(self) -> bool:
        """Whether everything on its way stands still. It arrives once that is over."""
        return not self._flows.is_set()

    @stalled.setter
    def stalled(self, value: bool) -> None:
        if value:
            self._flows.clear()
        else:
            self._flows.set()

    def _delays(self) -> Delays:
        return Delays(self.delay_ms / 1000, self.jitter_ms / 1000, self.bytes_per_s, self._rng)


class _Connection:
    """One client's connection and ours to the server, and the two directions between them."""

    def __init__(self, delays: Callable[[], Delays], flows: asyncio.Event) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.task = task
        self.is_forgotten = False
        self._delays = delays
        self._flows = flows
        self._writers: list[asyncio.StreamWriter] = []
        self._dropped = False

    async def run(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int
    ) -> None:
        """Pass bytes on until both ends have closed, or the connection is dropped."""
        self._writers.append(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection(host, port)
            self._writers.append(far_writer)
            await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        except OSError:
            self.drop()
        except asyncio.CancelledError:
            if not self._dropped:
                raise
        finally:
            for each in self._writers:
                each.close()

    def drop(self) -> None:
        """Reset both sides."""
        for writer in self._writers:
            _reset(writer)
        if not self._dropped:
            self._dropped = True
            self.task.cancel()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction, up to its end, which is passed on too."""
        way = _Way(self._delays())
        async with asyncio.TaskGroup() as group:
            group.create_task(self._take(reader, way))
            group.create_task(self._give(way, writer))

    async def _take(self, reader: asyncio.StreamReader, way: _Way) -> None:
        data = b"-"
        while data:
            data = await reader.read(_CHUNK)
            if not self.is_forgotten:
                await way.put(data)

    async def _give(self, way: _Way, writer: asyncio.StreamWriter) -> None:
        while True:
            data = await way.get()
            await self._flows.wait()
            if self.is_forgotten:
                continue
            if not data:
                break
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()


class _Way:
    """What is on its way in one direction; an empty piece is the end."""

    def __init__(self, delays: Delays) -> None:
        self._delays = delays
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._changed = asyncio.Event()
        self._now = asyncio.get_running_loop().time

    async def put(self, data: bytes) -> None:
        while self._size >= _WINDOW:
            await self._change()
        self._pieces.append((self._delays.arrival(len(data), self._now()), data))
        self._size += len(data)
        self._changed.set()

    async def get(self) -> bytes:
        while not self._pieces:
            await self._change()
        due, data = self._pieces[0]
        if (wait := due - self._now()) > 0:
            await asyncio.sleep(wait)
        self._pieces.popleft()
        self._size -= len(data)
        self._changed.set()
        return data

    async def _change(self) -> None:
        # One task puts, one gets: they never wait at the same time.
        self._changed.clear()
        await self._changed.wait()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock: socket.socket | None = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
