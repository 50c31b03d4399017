"""The database opens, keeps, waits for others, and says what is wrong with it."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from relay.store.database import Database, StoreError
from relay.store.tables import counters


async def count(database: Database) -> int:
    async with database.reading() as connection:
        return int((await connection.execute(select(counters.c.value))).scalar_one())


async def add_one(database: Database) -> None:
    async with database.writing() as connection:
        value = (await connection.execute(select(counters.c.value).with_for_update())).scalar_one()
        await asyncio.sleep(0)  # somebody else may come in between, if anybody can
        await connection.execute(update(counters).values(value=value + 1))


async def test_what_was_written_is_there_when_it_is_opened_again(url: str, tmp_path: Path) -> None:
    first = await Database.open(tmp_path / "data", url)
    await add_one(first)
    await first.close()
    again = await Database.open(tmp_path / "data", url)
    assert await count(again) == 1
    await again.close()


async def test_a_block_that_raises_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.writing() as connection:
            await connection.execute(update(counters).values(value=7))
            raise ZeroDivisionError
    assert await count(database) == 0


async def test_writers_of_several_processes_take_turns(url: str, tmp_path: Path) -> None:
    databases = [await Database.open(tmp_path / "data", url) for _ in range(3)]
    await asyncio.gather(*(add_one(database) for database in databases for _ in range(10)))
    assert await count(databases[0]) == 30
    for database in databases:
        await database.close()


async def test_relays_that_start_together_make_the_tables_once(url: str, tmp_path: Path) -> None:
    opened = await asyncio.gather(*(Database.open(tmp_path / "data", url) for _ in range(4)))
    for database in opened:
        assert await count(database) == 0
        await database.close()


async def test_the_file_is_nobody_elses_to_read(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "data"
    umask = os.umask(0o022)
    try:
        database = await Database.open(folder)
        await add_one(database)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for file in folder.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        assert {file.name for file in folder.iterdir()} >= {"doll.db", "doll.db-wal"}
        await database.close()
    finally:
        os.umask(umask)


async def test_sqlite_writes_ahead_and_minds_foreign_keys(tmp_path: Path) -> None:
    database = await Database.open(tmp_path)
    async with database.reading() as connection:
        for pragma, wanted in (
            ("journal_mode", "wal"),
            ("foreign_keys", 1),
            ("busy_timeout", 5000),
        ):
            assert (await connection.execute(text(f"PRAGMA {pragma}"))).scalar() == wanted
    await database.close()


async def test_a_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    database, other = await Database.open(tmp_path), await Database.open(tmp_path)
    async with database.writing() as connection:
        await connection.execute(update(counters).values(value=7))
        assert await count(other) == 0
    assert await count(other) == 7
    await database.close()
    await other.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("not a url", "relay.database: this is no database URL"),
        ("mysql://root:hunter2@localhost/doll", "mysql is not supported"),
        ("postgresql://u:hunter2@127.0.0.1:9/doll", "the database cannot be used"),
    ],
)
async def test_a_url_that_cannot_be_used_is_told_without_its_password(
    url: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(StoreError) as error:
        await Database.open(tmp_path, url)
    assert said in str(error.value)
    assert "hunter2" not in str(error.value)
    assert "\n" not in str(error.value)


async def test_postgres_without_its_driver_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(StoreError, match=r"pip install 'talking-doll\[postgres\]'"):
        await Database.open(tmp_path, "postgresql://localhost/doll")


async def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "doll.db"
    file.write_bytes(b"my diary " * 1000)
    with pytest.raises(StoreError, match="not a database"):
        await Database.open(tmp_path)
    assert file.read_bytes() == b"my diary " * 1000


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"relay\.data: .*file/doll\.db cannot be used"):
        await Database.open(tmp_path / "file")
