"""A small HTTP/1.1 server that can also be slow, hang and break off: for fakes of providers.

The protocol is h11's; around it are plain asyncio streams, because a server framework would not let
a handler stay silent, cut the connection or send what is not HTTP's idea of an answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Any

import h11

MAX_BODY_BYTES = 20 * 1024 * 1024
"""What Gemini takes in one request."""

MAX_CONNECTIONS = 1_000
IDLE_S = 300.0
"""For the whole of the next request to come."""

_READ_BYTES = 65_536


class Step(Enum):
    """What a server does instead of sending the next bytes."""

    HANG = "hang"  #: keep the connection open and say nothing more
    DROP = "drop"  #: cut the connection


@dataclass(frozen=True, slots=True)
class Pause:
    """Send nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Until:
    """Send nothing before this moment: steps that keep to a clock do not add up their lateness."""

    at: float  #: the loop's time

    @property
    def seconds(self) -> float:
        """From now."""
        return max(0.0, self.at - asyncio.get_running_loop().time())


@dataclass(frozen=True)
class Request:
    """One request, with the names of its headers in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body, decoded. Raises ValueError."""
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded


@dataclass(frozen=True)
class Reply:
    """One answer. `status` None: nothing is sent at all before the first step."""

    status: int | None = 200
    content_type: str = "application/json; charset=UTF-8"
    body: tuple[bytes | Step | Pause | Until, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Journal:
    """What a server has seen."""

    keep: int | None = None  #: so many of the newest requests; None is all, for tests
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    disconnects: int = 0  #: clients that went away while an answer was still to come
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, request: Request) -> None:
        """Keep a request."""
        self.requests.append(request)
        if self.keep is not None:
            del self.requests[: -self.keep or None]

    def gone(self) -> None:
        """A client went away too early."""
        self.disconnects += 1
        self.disconnected.set()


Handler = Callable[[Request], Awaitable[Reply]]


@asynccontextmanager
async def serving(handler: Handler, journal: Journal, port: int = 0) -> AsyncIterator[str]:
    """Serve on a local port (0: any that is free); yields the base URL. Raises OSError."""
    connections: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        journal.connections += 1
        try:
            if len(connections) <= MAX_CONNECTIONS:
                await _Connection(reader, writer, journal).run(handler)
        except (OSError, TimeoutError, h11.ProtocolError, asyncio.CancelledError):
            pass
        finally:
            connections.discard(task)
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", port)
    host, bound = server.sockets[0].getsockname()[:2]
    try:
        yield f"http://{host}:{bound}"
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


class _Connection:
    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, journal: Journal
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._journal = journal
        self._http = h11.Connection(h11.SERVER)

    async def run(self, handler: Handler) -> None:
        while True:
            async with asyncio.timeout(IDLE_S):
                request = await self._request()
            if request is None:
                return
            self._journal.note(request)
            if not await self._answer(await handler(request)):
                return
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                return
            self._http.start_next_cycle()

    async def _request(self) -> Request | None:
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(_READ_BYTES))
            elif isinstance(event, h11.Request):
                head = event
                if self._http.they_are_waiting_for_100_continue:
                    go_on = h11.InformationalResponse(status_code=100, headers=[])
                    await self._send(go_on)
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_BODY_BYTES:
                    await self._answer(Reply(413, "text/plain", (b"The request is too large.",)))
                    return None
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                headers = {name.decode(): value.decode("latin-1") for name, value in head.headers}
                method, target = head.method.decode(), head.target.decode("latin-1")
                return Request(method, target, headers, bytes(body))
            else:
                return None

    async def _answer(self, reply: Reply) -> bool:
        """Send it; False when the connection is of no more use."""
        if reply.status is not None:
            headers = [("content-type", reply.content_type), *reply.headers]
            reason = HTTPStatus(reply.status).phrase.encode()
            head = h11.Response(status_code=reply.status, headers=headers, reason=reason)
            await self._send(head)
        for step in reply.body:
            if step is Step.HANG:
                await self._client_leaves()
                return False
            if step is Step.DROP:
                self._writer.transport.abort()
                return False
            if isinstance(step, Pause | Until):
                if await self._client_leaves(step.seconds):
                    return False
            elif isinstance(step, bytes):
                await self._send(h11.Data(data=step))
        await self._send(h11.EndOfMessage())
        return True

    async def _send(self, event: h11.Event) -> None:
        if self._writer.is_closing():  # uvloop knows at once, and takes a write for a bug
            raise ConnectionResetError
        self._writer.write(self._http.send(event) or b"")
        await self._writer.drain()

    async def _client_leaves(self, within_s: float | None = None) -> bool:
        """Wait until the client goes away, at most so long. What it sends meanwhile is kept."""
        try:
            async with asyncio.timeout(within_s):
                while data := await self._reader.read(_READ_BYTES):
                    self._http.receive_data(data)
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        self._journal.gone()
        return True
