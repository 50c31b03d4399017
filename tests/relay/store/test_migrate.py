"""The migrations lead to the tables that the code uses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection

from relay.store.database import Database, StoreError
from relay.store.migrate import HEAD, make_config
from relay.store.tables import metadata


async def test_the_tables_are_those_of_the_code(database: Database) -> None:
    def difference(connection: Connection) -> object:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, metadata)

    async with database.reading() as connection:
        assert await connection.run_sync(difference) == []


async def test_head_is_the_newest_migration(database: Database) -> None:
    async with database.reading() as connection:
        heads = await connection.run_sync(
            lambda c: ScriptDirectory.from_config(make_config(c)).get_heads()
        )
    assert heads == [HEAD]


async def test_every_migration_can_be_undone_and_done_again(database: Database) -> None:
    from alembic import command

    def down_and_up(connection: Connection) -> None:
        command.downgrade(make_config(connection), "base")
        command.upgrade(make_config(connection), "head")

    async with database.writing() as connection:
        await connection.run_sync(down_and_up)
        found = (await connection.execute(text("SELECT value FROM counters"))).scalar_one()
    assert found == 0


async def test_a_database_of_a_later_version_is_not_touched(url: str, tmp_path: Path) -> None:
    database = await Database.open(tmp_path, url)
    async with database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()
    with pytest.raises(StoreError, match="a later version of the relay has written it"):
        await Database.open(tmp_path, url)


def test_a_start_with_nothing_to_do_does_not_load_the_migrations(tmp_path: Path) -> None:
    script = (
        "import asyncio, pathlib, sys\n"
        "from relay.store.database import Database\n"
        "async def main():\n"
        f"    await (await Database.open(pathlib.Path({str(tmp_path)!r}))).close()\n"
        "asyncio.run(main())\n"
        "print('alembic' in sys.modules)\n"
    )
    said = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert [run.stdout.strip() for run in said] == ["True", "False"]
