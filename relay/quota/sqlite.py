"""Ledgers in an SQLite file: on disk before a request is sent, and safe for several processes.

Each change is one transaction that begins with the write lock, so what was read is still true when
it is written. `synchronous=FULL` waits for the disk: a power cut forgets nothing that was granted.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from relay.errors import ProviderError
from relay.quota.clock import Clock, system_clock
from relay.quota.copy import Copy, Page
from relay.quota.store import Change, StoreError
from relay.worker import Worker

T = TypeVar("T")

VERSION = 2  #: of the tables, kept in the file
BUSY_S = 5.0  #: so long one process waits for another's transaction, which takes milliseconds
_WAITING = 2000  # dolls that ask in the same moment

_TABLES = """
CREATE TABLE project_salt (salt BLOB NOT NULL);
CREATE TABLE ledger (
    project TEXT NOT NULL, model TEXT NOT NULL, state BLOB NOT NULL,
    PRIMARY KEY (project, model)
) WITHOUT ROWID;
"""
#: From version 1 to 2: the log of a ledger in pages of its own.
_JOURNAL = """
ALTER TABLE ledger ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
CREATE TABLE journal (
    project TEXT NOT NULL, model TEXT NOT NULL, number INTEGER NOT NULL, requests BLOB NOT NULL,
    PRIMARY KEY (project, model, number)
) WITHOUT ROWID;
"""
_STEPS = (_TABLES, _JOURNAL)


class SqliteStore:
    """The ledgers of one project in a file that others may use at the same time.

    Work runs in a thread of its own; `open` and `close` belong to it too.
    """

    def __init__(
        self, worker: Worker, connection: sqlite3.Connection, project: str, clock: Clock
    ) -> None:
        self._worker = worker
        self._connection = connection
        self._project = project
        self._clock = clock
        self._copies: dict[str, Copy] = {}

    @classmethod
    async def open(cls, path: Path, key: str, *, clock: Clock = system_clock) -> SqliteStore:
        """Open the file, or make it, readable by its owner alone.

        `key` says whose allowance it is; what is stored of it is a hash salted with a number that
        is nowhere else. Raises StoreError.
        """
        worker = Worker("quota store", _WAITING)
        try:
            connection, project = await worker.run(_open, path, key)
        except BaseException:
            await worker.close()
            raise
        return cls(worker, connection, project, clock)

    async def change(self, model: str, change: Change[T]) -> T:
        """See Store.change."""
        return await self._run(self._change, model, change)

    async def models(self) -> list[str]:
        """See Store.models."""
        return await self._run(self._models)

    async def close(self) -> None:
        """See Store.close."""
        await self._worker.close()
        self._connection.close()

    async def _run(self, function: Callable[..., T], *args: object) -> T:
        try:
            return await self._worker.run(function, *args)
        except ProviderError as error:  # closed, or too many wait
            raise StoreError(error.message) from None

    def _change(self, model: str, change: Change[T]) -> T:
        copy = self._copies.setdefault(model, Copy())
        with _told(), copy.taken_back():
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                state = copy.state(*self._read(model, copy))
                # The lock is held: no other process can have an earlier reading and write later.
                result, write = change(state, self._clock())
                if write:
                    page = copy.page(state)
                    self._write(model, page)
            if write:
                copy.kept(page)
            return result

    def _read(self, model: str, copy: Copy) -> tuple[bytes | None, int, list[tuple[int, bytes]]]:
        key = (self._project, model)
        row = self._connection.execute(
            "SELECT state, number FROM ledger WHERE project = ? AND model = ?", key
        ).fetchone()
        head, number = row or (None, 0)
        pages = self._connection.execute(
            "SELECT number, requests FROM journal"
            " WHERE project = ? AND model = ? AND number > ? ORDER BY number",
            (*key, copy.seen(number)),
        )
        return head, number, pages.fetchall()

    def _write(self, model: str, page: Page) -> None:
        key = (self._project, model)
        self._connection.execute(
            "INSERT INTO ledger (project, model, state, number) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET state = excluded.state, number = excluded.number",
            (*key, page.head, page.number),
        )
        if page.requests is not None:
            self._connection.execute(
                "INSERT INTO journal VALUES (?, ?, ?, ?)", (*key, page.number, page.requests)
            )
        self._connection.execute(
            "DELETE FROM journal WHERE project = ? AND model = ? AND number < ?",
            (*key, page.oldest),
        )

    def _models(self) -> list[str]:
        with _told():
            rows = self._connection.execute(
                "SELECT model FROM ledger WHERE project = ? ORDER BY model", (self._project,)
            )
            return [model for (model,) in rows]


def project_of(key: str, salt: bytes) -> str:
    """What stands for a key in a store: which project, and not which key."""
    return hmac.new(salt, key.encode(), hashlib.sha256).hexdigest()[:32]


def _open(path: Path, key: str) -> tuple[sqlite3.Connection, str]:
    with _told():
        path = path.expanduser()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        # Only the worker's thread uses it, and in the end the one that closes it.
        connection = sqlite3.connect(
            path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            return connection, project_of(key, _prepare(connection, path))
        except BaseException:
            connection.close()
            raise


def _prepare(connection: sqlite3.Connection, path: Path) -> bytes:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version not in range(VERSION + 1):
            raise StoreError(
                f"{path} was written by another version of the relay ({version}, not {VERSION}): "
                "move it away, or set quota.store to another file."
            )
        for step in _STEPS[version:]:
            for statement in step.split(";"):
                connection.execute(statement)
        if version == 0:
            connection.execute("INSERT INTO project_salt VALUES (?)", (secrets.token_bytes(16),))
        connection.execute(f"PRAGMA user_version = {VERSION}")
        (salt,) = connection.execute("SELECT salt FROM project_salt").fetchone()
    return bytes(salt)


@contextmanager
def _told() -> Iterator[None]:
    """Failures of the file in one sentence."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"The quota's file (quota.store) cannot be used: {error}.") from error
