"""Real processes on one store, killed without warning."""

from __future__ import annotations

import asyncio
import os
import sys
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

import pytest

from relay.quota.factory import open_store
from relay.quota.state import State
from tests.relay.quota.hammer import KEY, LIMITS, MODEL

SCRIPT = Path(__file__).with_name("hammer.py")
ROOT = Path(__file__).parents[3]
GRANTS = 30  #: after which the processes are killed; more than a minute takes


class Hammer:
    """A process of hammer.py, and the grants that it told before it was killed."""

    def __init__(self, store_url: str) -> None:
        self._store_url = store_url
        self.granted: list[float] = []

    async def __aenter__(self) -> Hammer:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(SCRIPT),
            self._store_url,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if line.strip() != b"ready" and line.endswith(b"\n"):
                self.granted.append(float(line))


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_processes_that_are_killed_never_get_more_than_the_limit_together(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = str(tmp_path / "q.sqlite3") if kind == "sqlite" else request.getfixturevalue("redis_url")
    granted: list[float] = []
    for _ in range(2):
        async with Hammer(url) as first, Hammer(url) as second:
            await _until(lambda: len(first.granted) + len(second.granted) >= GRANTS)
        granted += first.granted + second.granted

    granted.sort()
    assert len(granted) >= 2 * GRANTS
    limit = LIMITS.requests_per_minute or 0
    for index, at in enumerate(granted):
        assert bisect_right(granted, at + 60) - index <= limit
    store = await open_store(url, KEY)
    counted = await store.change(MODEL, lambda state, _: (_day(state), False))
    await store.close()
    # A grant that was written and not told died with its process; it counts all the same.
    assert len(granted) <= counted <= len(granted) + 4


async def _until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not done():
            await asyncio.sleep(0.01)


def _day(state: State) -> int:
    return sum(state.days.values())
