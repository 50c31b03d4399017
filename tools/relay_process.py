"""A relay of its own in a child process: for the demo, for measurements and for tests."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from relay.cluster.child import STOP_S
from relay.config import RelaySettings
from tools.pairing import opened

Event = dict[str, Any]

#: Reading the speech models takes seconds; on a slow disk, the first time, up to a minute.
_START_TIMEOUT_S = 120.0


class RelayFailedError(Exception):
    """The relay did not start, or ended by itself; the text holds its last lines."""


class RelayProcess:
    """A running relay: where it listens, and the events of its log."""

    def __init__(
        self, process: asyncio.subprocess.Process, on_event: Callable[[Event], None], data: Path
    ) -> None:
        self._data = data
        self._process = process
        self._on_event = on_event
        self._last_lines: deque[str] = deque(maxlen=20)
        self._listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read())

    @property
    def pid(self) -> int:
        """The relay's process."""
        return self._process.pid

    async def url(self) -> str:
        """Where dolls connect, as soon as it listens. Raises RelayFailedError."""
        async with asyncio.timeout(_START_TIMEOUT_S):
            return await asyncio.shield(self._listening)

    async def tokens(self, *device_ids: str) -> dict[str, str]:
        """Make these dolls the relay's own; what each of them has to show."""
        async with opened(RelaySettings(data=self._data)) as registry:
            return {device_id: await registry.issue(device_id) for device_id in device_ids}

    async def _read(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            text = line.decode(errors="replace").rstrip()
            self._last_lines.append(text)
            try:
                event = json.loads(text)
            except ValueError:
                continue
            if isinstance(event, dict):
                if event.get("event") == "listening" and not self._listening.done():
                    self._listening.set_result(event["url"])
                self._on_event(event)
        if not self._listening.done():
            self._listening.set_exception(RelayFailedError("\n".join(self._last_lines)))

    async def over(self) -> int:
        """Wait until the process has ended; its exit code."""
        return await self._process.wait()

    def kill(self) -> None:
        """End the process at once, as a lack of memory does."""
        self._process.kill()

    def terminate(self) -> None:
        """Ask it to end, as an init system does."""
        self._process.terminate()

    @property
    def last_lines(self) -> str:
        """What it wrote last."""
        return "\n".join(self._last_lines)

    async def stop(self) -> None:
        """End the process, gently first: its dolls may hear their answers to the end."""
        for send in (self._process.terminate, self._process.kill):
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    send()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STOP_S):
                        await self._process.wait()
        await self._reader
        if self._listening.done() and not self._listening.cancelled():
            self._listening.exception()  # seen, whoever waited for it


@asynccontextmanager
async def running_relay(
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
    command: Sequence[str] = ("-m", "tools.cli", "relay"),
    data: Path | None = None,
) -> AsyncIterator[RelayProcess]:
    """Run `doll relay` on a free local port until the block ends, with a database of its own, or
    with what an earlier one has left in the folder `data`."""
    with tempfile.TemporaryDirectory(prefix="relay-") as folder:
        own = {"DOLL_RELAY__DATA": str(data or folder), "DOLL_RELAY__DATABASE": ""}
        async with _running(arguments, {**(environment or {}), **own}, on_event, command) as relay:
            yield relay


@asynccontextmanager
async def _running(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    on_event: Callable[[Event], None],
    command: Sequence[str],
) -> AsyncIterator[RelayProcess]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        *("--port", "0", "--log-format", "json"),
        *arguments,
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        env={**os.environ, **environment},
        limit=1 << 20,
    )
    relay = RelayProcess(process, on_event, Path(environment["DOLL_RELAY__DATA"]))
    try:
        yield relay
    finally:
        await relay.stop()
