"""A bad network on this machine: a TCP forwarder that delays, throttles, stalls and breaks.

```python
network = Network(delay_ms=40, jitter_ms=100)
async with network.between(relay_url) as url:  # what connects to `url` is passed on
    ...
    network.drop()  # both ends get a reset, as when a router restarts
```

Bytes of a connection are never lost or reordered, as with TCP itself: what a lossy network does
to a stream is to hold it up, and that is what `jitter_ms`, `loss` and `stalled` do. What can arrive
out of order is two connections of one client: see `drop(late_s=…)`.
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
_SEGMENT = 1460  #: bytes in one packet of TCP over Ethernet
_RTO_S = 0.2  #: what TCP waits at least for an acknowledgement (Linux; RFC 6298 has 1 s)
_WINDOW = 65_536  #: bytes on their way in one direction; then the sender is held up

#: SO_LINGER with no time: closing sends a reset at once, and forgets what was not sent.
_RESET = struct.pack("ii", 1, 0)


class Delays:
    """When each piece of one direction arrives. Sans-I/O; times are seconds on any clock."""

    def __init__(
        self,
        delay_s: float,
        jitter_s: float,
        bytes_per_s: float | None,
        rng: random.Random,
        loss: float = 0.0,
    ) -> None:
        self._delay_s = delay_s
        self._jitter_s = jitter_s
        self._bytes_per_s = bytes_per_s
        self._loss = loss
        self._rng = rng
        self._sent_at = 0.0  # when the last byte left the slowest part of the way
        self._arrived_at = 0.0

    def arrival(self, size: int, now: float) -> float:
        """When `size` bytes that are sent now have arrived: never before what was sent earlier."""
        self._sent_at = max(self._sent_at, now)
        if self._bytes_per_s is not None:
            self._sent_at += size / self._bytes_per_s
        late = self._sent_at + self._delay_s + self._rng.uniform(0, self._jitter_s)
        late += sum(self._sent_again_s() for _ in range(-(-size // _SEGMENT)))
        self._arrived_at = max(self._arrived_at, late)
        return self._arrived_at

    def _sent_again_s(self) -> float:
        """What one packet waits for being sent again, each time twice as long."""
        waited, timeout = 0.0, _RTO_S + 2 * self._delay_s
        while self._rng.random() < self._loss:
            waited += timeout
            timeout *= 2
        return waited


class Network:
    """The way between one or more clients and a server, as good or bad as it is told to be.

    Each piece takes `delay_ms` and up to `jitter_ms` more, in each direction; a direction of a
    connection carries `bytes_per_s`; a packet is lost with the probability `loss`, and sent again.
    What is set later holds for later connections.
    """

    def __init__(
        self,
        *,
        delay_ms: float = 0,
        jitter_ms: float = 0,
        bytes_per_s: float | None = None,
        loss: float = 0.0,
        seed: int = 1,
    ) -> None:
        if delay_ms < 0 or jitter_ms < 0 or (bytes_per_s is not None and bytes_per_s <= 0):
            raise ValueError("delay_ms and jitter_ms may not be below 0, bytes_per_s must be above")
        if not 0 <= loss < 1:
            raise ValueError("loss is a probability below 1")
        self.delay_ms = delay_ms
        self.jitter_ms = jitter_ms
        self.bytes_per_s = bytes_per_s
        self.loss = loss
        self.is_dark = False  #: True: whoever connects hears nothing, and is not refused
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
            if self.is_dark:
                connection.forget(up=True, down=True)
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

    def drop(self, late_s: float = 0.0) -> None:
        """Break every connection: both ends get a reset. With `late_s` the server's end gets what
        was on its way so much later, and then an end: behind the client's next connection."""
        for connection in self._connections:
            if late_s:
                connection.leave(late_s)
            else:
                connection.drop()

    def forget(self, *, up: bool = True, down: bool = True) -> None:
        """Leave every connection half open: nothing arrives any more, and nobody is told. `up` is
        what goes to the server."""
        for connection in self._connections:
            connection.forget(up=up, down=down)

    def cut(self, after_bytes: int) -> None:
        """Break every connection as soon as its client has got so many bytes more."""
        for connection in self._connections:
            connection.bytes_left = after_bytes

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
        delay_s, jitter_s = self.delay_ms / 1000, self.jitter_ms / 1000
        return Delays(delay_s, jitter_s, self.bytes_per_s, self._rng, self.loss)


class _Connection:
    """One client's connection and ours to the server, and the two directions between them."""

    def __init__(self, delays: Callable[[], Delays], flows: asyncio.Event) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.task = task
        self.bytes_left: int | None = None  # for the client; None: any number
        self._is_void = {True: False, False: False}  # up, down: what is sent goes nowhere
        self._not_before = 0.0  # what goes up arrives then at the earliest
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
            await asyncio.gather(
                self._pass(reader, far_writer, up=True), self._pass(far_reader, writer, up=False)
            )
        except (OSError, ExceptionGroup):  # one end is gone: so is the other
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
            if self.task is not asyncio.current_task():
                self.task.cancel()

    def forget(self, *, up: bool, down: bool) -> None:
        """Let what is sent from now on go nowhere."""
        self._is_void[True] |= up
        self._is_void[False] |= down

    def leave(self, late_s: float) -> None:
        """Reset the client's side; the server's gets all that was sent, and an end, later."""
        self._not_before = asyncio.get_running_loop().time() + late_s
        self._is_void[False] = True
        _reset(self._writers[0])

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool
    ) -> None:
        """One direction, up to its end, which is passed on too."""
        way = _Way(self._delays())
        async with asyncio.TaskGroup() as group:
            group.create_task(self._take(reader, way, up=up))
            group.create_task(self._give(way, writer, up=up))

    async def _take(self, reader: asyncio.StreamReader, way: _Way, *, up: bool) -> None:
        data = b"-"
        while data:
            data = await reader.read(_CHUNK)
            if not self._is_void[up]:
                await way.put(data)

    async def _give(self, way: _Way, writer: asyncio.StreamWriter, *, up: bool) -> None:
        now = asyncio.get_running_loop().time
        while True:
            data = await way.get()
            await self._flows.wait()
            if up and (late := self._not_before - now()) > 0:
                await asyncio.sleep(late)
            if self._is_void[up]:
                continue
            if not data:
                break
            if not up and self.bytes_left is not None:
                data = data[: self.bytes_left]
                self.bytes_left -= len(data)
            writer.write(data)
            await writer.drain()
            if not up and self.bytes_left == 0:
                # A reset would throw away what has just been written.
                writer.close()
                await writer.wait_closed()
                raise ConnectionResetError("cut, as it was told")
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
        with contextlib.suppress(OSError, ValueError):  # it is closed (ValueError: uvloop)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
