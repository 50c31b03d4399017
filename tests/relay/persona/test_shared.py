"""Personas in a database that several processes have."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy import insert

from relay.persona import PersonaError, load
from relay.persona.shared import SharedPersonas
from relay.store.database import Database
from relay.store.tables import personas

TEXT = 'name = "{name}"\nlanguages = ["ko"]\ncharacter = "Quiet."\n'


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(tmp_path / "data")
    yield opened
    await opened.close()


@pytest.fixture
async def two(database: Database) -> AsyncIterator[tuple[SharedPersonas, SharedPersonas]]:
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(2):
            made.append(await SharedPersonas.open(database))
            stack.push_async_callback(made[-1].close)
        yield made[0], made[1]


async def test_what_one_saves_the_other_has_after_its_next_look(
    two: tuple[SharedPersonas, SharedPersonas],
) -> None:
    here, there = two
    for name in ("보리", "콩"):  # twice within a second
        await here.save("own", TEXT.format(name=name))
        assert load("own", here.folder).name == name
        await there.follow(True)
        assert load("own", there.folder).name == name
    assert await there.remove("own")
    assert not await there.remove("own")
    await here.follow(True)
    with pytest.raises(PersonaError):
        load("own", here.folder)


async def test_one_that_is_deleted_and_made_again_is_the_new_one(
    two: tuple[SharedPersonas, SharedPersonas],
) -> None:
    here, there = two
    await here.save("own", TEXT.format(name="보리"))
    await there.follow(True)
    await here.remove("own")
    await here.save("own", TEXT.format(name="콩"))
    await there.follow(True)
    assert load("own", there.folder).name == "콩"


async def test_nothing_is_read_while_nothing_has_changed(
    two: tuple[SharedPersonas, SharedPersonas],
) -> None:
    here, there = two
    await here.save("own", TEXT.format(name="보리"))
    await there.follow(False)
    assert not list(there.folder.iterdir())


async def test_one_that_cannot_be_used_is_not_kept(
    two: tuple[SharedPersonas, SharedPersonas],
) -> None:
    here, _ = two
    with pytest.raises(PersonaError):
        await here.save("own", "name = ")
    with pytest.raises(PersonaError):
        await here.save("../own", TEXT.format(name="보리"))
    assert not list(here.folder.iterdir())


async def test_a_folder_is_taken_over_once_and_what_is_deleted_stays_deleted(
    database: Database, tmp_path: Path, two: tuple[SharedPersonas, SharedPersonas]
) -> None:
    folder = tmp_path / "personas"
    folder.mkdir()
    (folder / "own.toml").write_text(TEXT.format(name="보리"), encoding="utf-8")
    (folder / "broken.toml").write_text("name = ", encoding="utf-8")
    here, there = two
    await here.adopt(folder)
    assert load("own", here.folder).name == "보리"
    assert not (here.folder / "broken.toml").exists()
    await here.remove("own")
    await there.adopt(folder)
    assert not list(there.folder.iterdir())


@pytest.mark.parametrize(("name", "text"), [("../evil", "x"), ("big", "x" * 70_000)])
async def test_what_others_wrote_into_the_database_becomes_no_file_elsewhere(
    database: Database, two: tuple[SharedPersonas, SharedPersonas], name: str, text: str
) -> None:
    async with database.writing() as connection:
        row = {"name": name, "text": text, "changed": 1, "revision": 1}
        await connection.execute(insert(personas).values(**row))
    here, _ = two
    await here.pull()
    assert not list(here.folder.iterdir())
    assert not (here.folder.parent / "evil.toml").exists()


async def test_the_copy_goes_with_its_process(database: Database) -> None:
    shared = await SharedPersonas.open(database)
    await shared.close()
    assert not shared.folder.exists()
