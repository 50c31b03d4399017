"""A PostgreSQL server of the test's own: Debian's programs, a temporary folder, a Unix socket."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self


def find_postgres() -> Path | None:
    """The folder that has `initdb` and `pg_ctl`: on the path, or where Debian puts them."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


class PostgresServer:
    """Runs while the block does. It is started as another user if we are root, as it insists on."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="doll-pg-"))
        self._user: str | None = None
        if os.geteuid() == 0:
            self._user = "postgres" if _exists("postgres") else "nobody"
            shutil.chown(self._folder, self._user)

    def __enter__(self) -> Self:
        data = str(self._folder / "data")
        self._run("initdb", "-D", data, "-U", "doll", "-A", "trust", "--no-sync", "-E", "UTF8")
        options = f"-k {self._folder} -c listen_addresses='' -c fsync=off -c max_connections=60"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def create(self, name: str) -> str:
        """Make a database; its URL."""
        self._run("createdb", "-h", str(self._folder), "-U", "doll", name)
        return f"postgresql://doll@/{name}?host={self._folder}"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            user=self._user,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            check=False,
            timeout=60,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {(done.stdout or b'').decode()[-500:]}")


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
