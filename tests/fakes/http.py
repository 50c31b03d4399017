"""A small HTTP/1.1 server on a real socket that can also hang and break off, for fake providers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import h11


class Step(Enum):
    """What a server does instead of sending the next bytes."""

    HANG = "hang"  #: keep the connection open and say nothing more
    DROP = "drop"  #: cut the connection


@dataclass(frozen=True)
class Request:
    """One request, with the names of its headers in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """One answer. `status` None: nothing is sent at all before the first step."""

    status: int | None = 200
    content_type: str = "application/json; charset=UTF-8"
    body: tuple[bytes | Step, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Journal:
    """What a server has seen."""

    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    disconnects: int = 0  #: clients that went away while the server was hanging
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)


Handler = Callable[[Request], Awaitable[Reply]]


@asynccontextmanager
async def serving(handler: Handler, journal: Journal) -> AsyncIterator[str]:
    """Serve on a free local port; yields the base URL."""
    connections: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        journal.connections += 1
        try:
            await _Connection(reader, writer, journal).run(handler)
        except (ConnectionError, h11.RemoteProtocolError, asyncio.CancelledError):
            pass
        finally:
            connections.discard(task)
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield f"http://{host}:{port}"
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
        while (request := await self._request()) is not None:
            self._journal.requests.append(request)
            if not await self._answer(await handler(request)):
                return
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                return
            self._http.start_next_cycle()

    async def _request(self) -> Request | None:
        head: h11.Request | None = None
        body = b""
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(65536))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                headers = {name.decode(): value.decode() for name, value in head.headers}
                return Request(head.method.decode(), head.target.decode(), headers, body)
            else:
                return None

    async def _answer(self, reply: Reply) -> bool:
        """Send it; False when the connection is of no more use."""
        if reply.status is not None:
            headers = [("content-type", reply.content_type), *reply.headers]
            await self._send(h11.Response(status_code=reply.status, headers=headers))
        for step in reply.body:
            if step is Step.HANG:
                await self._hang()
                return False
            if step is Step.DROP:
                self._writer.transport.abort()
                return False
            await self._send(h11.Data(data=step))
        await self._send(h11.EndOfMessage())
        return True

    async def _send(self, event: h11.Event) -> None:
        self._writer.write(self._http.send(event) or b"")
        await self._writer.drain()

    async def _hang(self) -> None:
        try:
            while await self._reader.read(65536):
                pass
        except ConnectionError:
            pass
        self._journal.disconnects += 1
        self._journal.disconnected.set()
