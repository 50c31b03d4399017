"""Relays in processes of their own, and a balancer before them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil

WAIT_S = 30.0


class RelayProcess:
    """`tests.fakes.relay` as a process; its log as events."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.events: list[dict[str, Any]] = []
        self._process = process
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def seen(self, event: str, times: int = 1, **fields: object) -> list[dict[str, Any]]:
        """Wait until such a line has been logged so often."""
        async with asyncio.timeout(WAIT_S):
            while len(found := self._all(event, fields)) < times:
                self._news.clear()
                assert self._process.returncode is None, self.events[-5:]
                await self._news.wait()
        return found

    async def port(self) -> int:
        """Where it listens."""
        return int((await self.seen("listening"))[0]["port"])

    def workers(self) -> list[psutil.Process]:
        """Its worker processes."""
        found: list[psutil.Process] = []
        for child in psutil.Process(self._process.pid).children():
            with contextlib.suppress(psutil.Error):  # it has just ended
                if "spawn_main" in " ".join(child.cmdline()):
                    found.append(child)
        return found

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end; its status."""
        async with asyncio.timeout(WAIT_S):
            return await self._process.wait()

    async def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self._process.returncode is None:
                self._process.terminate()
            await self.ended()
        await self._reader

    def _all(self, event: str, fields: dict[str, object]) -> list[dict[str, Any]]:
        wanted = {"event": event, **fields}.items()
        return [line for line in self.events if wanted <= line.items()]

    async def _read(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            with contextlib.suppress(ValueError):
                self.events.append(json.loads(line))
            self._news.set()
        self._news.set()


@asynccontextmanager
async def relay_process(data: Path, **settings: object) -> AsyncIterator[RelayProcess]:
    """A relay whose section `relay` has these settings."""
    own = {f"DOLL_RELAY__{name.upper()}": str(value) for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fakes.relay", "0", str(data)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "DOLL_RELAY__LOG_FORMAT": "json",
            "DOLL_TURN__MAX_FILLERS": "0",
            **own,
        },
    )
    relay = RelayProcess(process)
    try:
        yield relay
    finally:
        await relay.stop()


@asynccontextmanager
async def balancer(ports: Sequence[int], folder: Path) -> AsyncIterator[int]:
    """Round robin over these ports: HAProxy where it is installed, else a few lines of our own."""
    program = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        async with _own_balancer(ports) as port:
            yield port
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    servers = "\n".join(
        f"  server s{at} 127.0.0.1:{at} check inter 100ms fall 1 rise 1" for at in ports
    )
    config = folder / "haproxy.cfg"
    config.write_text(
        "defaults\n  mode tcp\n  retries 3\n  option redispatch 1\n  timeout connect 2s\n"
        "  timeout client 60s\n  timeout server 60s\n"
        f"listen dolls\n  bind 127.0.0.1:{port}\n  balance roundrobin\n{servers}\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(program, "-f", str(config), "-db", "-q"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(WAIT_S):
            while not await _listens(port):
                await asyncio.sleep(0.02)
        yield port
    finally:
        process.kill()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@asynccontextmanager
async def _own_balancer(ports: Sequence[int]) -> AsyncIterator[int]:
    turns = itertools.cycle(ports)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in ports:
            with contextlib.suppress(OSError):
                there, to = await asyncio.open_connection("127.0.0.1", next(turns))
                await asyncio.gather(pump(reader, to), pump(there, writer))
                return
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
