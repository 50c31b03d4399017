"""Opens the database, brings it up to date, and hands out transactions.

SQLite runs in threads of aiosqlite, PostgreSQL over asyncpg; neither holds up the event loop.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event, make_url, text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from relay.store.migrate import NewerDatabaseError, upgrade

#: The database's name in the data folder.
FILE = "doll.db"

_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON")

#: How long a transaction waits for another process to finish its own.
BUSY_S = 5.0

_AGAIN_S = 0.05

#: The clock of no file system that SQLite's log can be on ticks more slowly.
_TICK_S = 1.0


class StoreError(Exception):
    """The database cannot be used; the text is one line and names what to do. No secrets."""


class Database:
    """One for the whole relay. `open` it, and `close` it in the end."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        file = engine.url.database if engine.dialect.name == "sqlite" else None
        self._log = Path(f"{file}-wal") if file else None  # every transaction writes to it
        self.is_sqlite = engine.dialect.name == "sqlite"

    @classmethod
    async def open(cls, data: Path, url: str = "") -> Database:
        """Open `url`, or without one the SQLite file in the folder `data`, which is made if needed.

        Tables are made, or brought up to what this version needs. Raises StoreError.
        """
        if url:
            return await cls._opened(_engine(_parsed(url)), "relay.database")
        file = data / FILE
        try:
            _make(file)
        except OSError as error:
            raise StoreError(f"relay.data: {file} cannot be used: {error.strerror}") from None
        url_of_file = URL.create("sqlite+aiosqlite", database=str(file))
        return await cls._opened(_engine(url_of_file), str(file))

    @classmethod
    async def _opened(cls, engine: AsyncEngine, place: str) -> Database:
        database = cls(engine)
        try:
            await _brought_up(engine)
        except NewerDatabaseError as error:
            await engine.dispose()
            raise StoreError(f"{place}: {error}") from None
        except (SQLAlchemyError, OSError, sqlite3.Error) as error:
            await engine.dispose()
            raise StoreError(f"{place}: the database cannot be used: {_reason(error)}") from None
        return database

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads. Raises SQLAlchemyError."""
        async with self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes; it is undone if the block raises. Raises SQLAlchemyError.

        SQLite's is `immediate`: one that reads first and writes later would fail at once when
        another process has written in between, whatever the busy timeout.
        """
        async with self._engine.connect() as connection:
            await connection.execution_options(doll_writes=True)
            async with connection.begin():
                yield connection

    async def scrub(self, *tables: str) -> bool:
        """Take out of the files what was deleted; whether that could be done.

        SQLite: the file is written anew, and its write-ahead log emptied. Others wait for that, a
        second for each 100 MB or so; False if one of them read all the while, and deleted text may
        stand in the log until it is next emptied. PostgreSQL: the rows of `tables` (of all, if none
        is named) are freed at once; when it writes over them, and what its own log and backups
        hold, is its administrator's business. Raises SQLAlchemyError.
        """
        async with self._engine.connect() as connection:
            if not self.is_sqlite:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.execute(text(f"VACUUM {', '.join(tables)}"))
                return True
            await connection.execution_options(doll_bare=True)
            await connection.execute(text("VACUUM"))
            return await _empty_log(connection)

    def stamp(self) -> tuple[int, int, int] | None:
        """Unchanged as long as nothing is written, by any process. None where that cannot be told:
        with PostgreSQL, and for a second after each transaction, since two of them within one tick
        of the file system's clock leave the same times."""
        if self._log is None:
            return None
        try:
            status = self._log.stat()
        except OSError:
            return None
        if abs(time.time() - status.st_mtime) < _TICK_S:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns

    async def empty_log(self) -> bool:
        """Empty SQLite's write-ahead log, which may hold what was deleted; whether that was done.
        Raises SQLAlchemyError."""
        if not self.is_sqlite:
            return True
        async with self._engine.connect() as connection:
            await connection.execution_options(doll_bare=True)
            return await _empty_log(connection)

    async def close(self) -> None:
        """Close all connections. May be called again."""
        await self._engine.dispose()


async def _brought_up(engine: AsyncEngine) -> None:
    """Bring the tables up to date. Raises what `upgrade` does.

    Of several processes that open a new SQLite file together, one changes it to write-ahead. The
    others are told that it is locked, at once: for that there is no busy timeout.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + BUSY_S
    while True:
        try:
            async with engine.connect() as connection:
                return await upgrade(connection)
        except (OperationalError, sqlite3.OperationalError) as error:
            if "locked" not in str(error) or loop.time() > until:
                raise
        await asyncio.sleep(_AGAIN_S)


def _make(file: Path) -> None:
    """Make the file for its owner only. SQLite's own files beside it take over its mode."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))


def _parsed(given: str) -> URL:
    try:
        url = make_url(given)
    except ArgumentError:
        raise StoreError(
            "relay.database: this is no database URL; write postgresql://user:password@host/name"
        ) from None
    match url.get_backend_name():
        case "postgresql":
            try:
                import asyncpg  # type: ignore[import-untyped]  # noqa: F401
            except ImportError:
                raise StoreError(
                    "relay.database: PostgreSQL needs its driver: "
                    "pip install 'talking-doll[postgres]'"
                ) from None
            return url.set(drivername="postgresql+asyncpg")
        case other:
            raise StoreError(
                f"relay.database: {other} is not supported; write a postgresql:// URL, or nothing "
                "for SQLite in relay.data"
            )


def _engine(url: URL) -> AsyncEngine:
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_size=4, max_overflow=4, pool_pre_ping=True)
    engine = create_async_engine(
        url,
        connect_args={"timeout": BUSY_S},
        pool_size=2,  # a thread each
        max_overflow=2,
    )
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _: object) -> None:
    """Settle what SQLite leaves open: WAL lets others read while one writes, and what is deleted is
    written over with zeros."""
    connection.isolation_level = None  # transactions are begun by `_begin`, not by the driver
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("doll_bare", False):
        return  # VACUUM is no part of a transaction
    writes = connection.get_execution_options().get("doll_writes", False)
    connection.execute(text("BEGIN IMMEDIATE" if writes else "BEGIN"))


async def _empty_log(connection: AsyncConnection) -> bool:
    result = await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    busy = bool(result.scalar())
    return not busy


def _reason(error: BaseException) -> str:
    """The driver's own words, first line only: the rest may hold statements and values."""
    inner = getattr(error, "orig", None) or error
    return str(inner).splitlines()[0][:200] if str(inner) else type(inner).__name__
