from __future__ import annotations

import asyncio
import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from relay.quota.log import Log, Sent
from relay.quota.sqlite import SqliteStore, project_of
from relay.quota.state import State, encode
from relay.quota.store import StoreError
from tests.relay.quota.test_store import count

KEY = "AIzaSyD-this-is-a-secret-0123456789"


async def test_what_was_written_survives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "quota.sqlite3"
    for expected in (1, 2):
        store = await SqliteStore.open(path, KEY)
        assert await store.change("model", count) == expected
        await store.close()


async def test_the_key_is_nowhere_in_the_file_and_the_file_is_the_owners(tmp_path: Path) -> None:
    path = tmp_path / "quota.sqlite3"
    store = await SqliteStore.open(path, KEY)
    await store.change("model", count)
    files = [tmp_path / f"quota.sqlite3{end}" for end in ("", "-wal", "-shm")]
    assert all(KEY.encode() not in file.read_bytes() for file in files)
    if sys.platform != "win32":
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    await store.close()


async def test_the_same_key_has_another_name_in_another_file(tmp_path: Path) -> None:
    projects = set()
    for name in ("a", "b"):
        store = await SqliteStore.open(tmp_path / name, KEY)
        await store.change("model", count)
        await store.close()
        with sqlite3.connect(tmp_path / name) as connection:
            projects |= set(connection.execute("SELECT project FROM ledger"))
    assert len(projects) == 2


async def test_a_file_that_many_make_at_once_is_made_once(tmp_path: Path) -> None:
    stores = await asyncio.gather(
        *(SqliteStore.open(tmp_path / "quota.sqlite3", KEY) for _ in range(8))
    )
    assert sorted(
        await asyncio.gather(*(store.change("model", count) for store in stores))
    ) == list(range(1, 9))
    for store in stores:
        await store.close()


async def test_a_file_that_is_no_database_is_told_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "quota.sqlite3"
    path.write_bytes(b"what is this? " * 100)
    with pytest.raises(StoreError, match=r"quota\.store"):
        await SqliteStore.open(path, KEY)


async def test_a_file_of_another_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "quota.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="another version"):
        await SqliteStore.open(path, KEY)


async def test_a_file_of_the_first_version_goes_on_with_what_it_had(tmp_path: Path) -> None:
    path = tmp_path / "quota.sqlite3"
    old = State(time=5.0, log=Log([Sent(4.0, 8, "doll")]), refusals=3)
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE project_salt (salt BLOB NOT NULL);"
            "CREATE TABLE ledger (project TEXT NOT NULL, model TEXT NOT NULL, state BLOB NOT NULL,"
            " PRIMARY KEY (project, model)) WITHOUT ROWID;"
        )
        connection.execute("INSERT INTO project_salt VALUES (?)", (b"salt",))
        row = (project_of(KEY, b"salt"), "model", encode(old))
        connection.execute("INSERT INTO ledger VALUES (?, ?, ?)", row)
        connection.execute("PRAGMA user_version = 1")
    for expected in (4, 5):
        store = await SqliteStore.open(path, KEY)
        assert await store.change("model", count) == expected
        assert await store.change("model", lambda state, _: (len(state.log), False)) == 1
        await store.close()


async def test_a_place_that_cannot_be_written_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"quota\.store"):
        await SqliteStore.open(tmp_path / "file" / "quota.sqlite3", KEY)


async def test_a_file_that_another_program_holds_fails_and_does_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.quota.sqlite.BUSY_S", 0.01)
    path = tmp_path / "quota.sqlite3"
    store = await SqliteStore.open(path, KEY)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        await store.change("model", count)
    other.execute("ROLLBACK")
    assert await store.change("model", count) == 1
    other.close()
    await store.close()


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "quota.sqlite3", KEY)
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.change("model", count)
