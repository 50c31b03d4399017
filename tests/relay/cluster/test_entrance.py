from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
import uvloop

from relay.cluster.entrance import Door, Entrance
from relay.web.tls import Certificate
from tools.certificate.make import make


class Worker:
    """Serves what it is given by saying its name; `load` as a worker tells it."""

    def __init__(self, name: bytes, tls: ssl.SSLContext | None = None) -> None:
        self.name = name
        self.load = 0
        self.refuses = False
        self._there, here = socket.socketpair()
        self.door = Door(here, [])
        self.door.open(lambda: _Greeter(self.name), tls)

    def give(self, connection: socket.socket) -> bool:
        if self.refuses:
            return False
        socket.send_fds(self._there, [b"."], [connection.fileno()])
        self.load += 1
        return True

    def close(self) -> None:
        self.door.close()
        self._there.close()


class _Greeter(asyncio.Protocol):
    def __init__(self, name: bytes) -> None:
        self._name = name

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        there = cast("asyncio.WriteTransport", transport)  # which uvloop's TLS only looks like
        there.write(self._name)
        there.close()


class Port:
    """An entrance with workers that come and go."""

    def __init__(self) -> None:
        self.workers: list[Worker] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.setblocking(False)
        self.entrance = Entrance([self._listening], lambda: self.workers)
        self.entrance.open()

    async def ask(self, tls: ssl.SSLContext | None = None) -> bytes:
        """Who serves the next connection; nothing if it is closed unserved."""
        reader, writer = await asyncio.open_connection(*self._listening.getsockname(), ssl=tls)
        try:
            return await reader.read()
        finally:
            writer.close()

    def close(self) -> None:
        self.entrance.close()
        self._listening.close()
        for worker in self.workers:
            worker.close()


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    port = Port()
    yield port
    port.close()


async def test_each_connection_goes_to_the_worker_with_the_fewest(port: Port) -> None:
    few, many = Worker(b"few"), Worker(b"many")
    many.load = 4
    port.workers = [many, few]
    assert [await port.ask() for _ in range(4)] == [b"few"] * 4
    answers = await asyncio.gather(*(port.ask() for _ in range(20)))
    assert sorted(answers) == [b"few"] * 10 + [b"many"] * 10
    assert few.door.taken == 14


async def test_one_that_cannot_take_it_is_passed_over(port: Port) -> None:
    full, other = Worker(b"full"), Worker(b"other")
    full.refuses, other.load = True, 100
    port.workers = [full, other]
    assert await port.ask() == b"other"


async def test_a_connection_that_nobody_can_take_is_closed_and_the_next_one_is_served(
    port: Port,
) -> None:
    worker = Worker(b"one")
    worker.refuses = True
    port.workers = [worker]
    assert await port.ask() == b""
    worker.refuses = False
    assert await port.ask() == b"one"


async def test_whoever_comes_while_no_worker_is_there_waits_for_the_first(port: Port) -> None:
    asking = asyncio.create_task(port.ask())
    while not port.entrance._again:  # it has looked, and found nobody
        await asyncio.sleep(0)
    assert not asking.done()
    port.workers = [Worker(b"first")]
    assert await asking == b"first"


async def test_a_worker_speaks_tls_itself_and_survives_who_does_not(tmp_path: Path) -> None:
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    for path, pem in zip(files, make(("127.0.0.1",), dt.datetime.now(dt.UTC)), strict=True):
        path.write_bytes(pem)

    async def both() -> bytes:
        port = Port()
        port.workers = [Worker(b"secret", Certificate(*files).context)]
        try:
            with pytest.raises(ssl.SSLCertVerificationError):
                await port.ask(ssl.create_default_context())
            return await port.ask(ssl.create_default_context(cafile=files[0]))
        finally:
            port.close()

    assert await both() == b"secret"
    assert await asyncio.to_thread(uvloop.run, both()) == b"secret"


async def test_a_door_whose_parent_is_gone_stays_shut(port: Port) -> None:
    worker = Worker(b"one")
    worker._there.close()
    await asyncio.sleep(0)
    worker.door.close()
    worker.door.close()  # twice is once
    assert worker.door.taken == 0
