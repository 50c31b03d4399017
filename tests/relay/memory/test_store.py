from __future__ import annotations

from pathlib import Path

import pytest

from relay.devices.registry import Registry
from relay.memory.records import Exchange, Fact, FactChange, Summary
from relay.memory.store import PAGE, MemoryStore, News
from relay.store.database import Database

DAY = 86_400


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: Database, clock: Clock) -> MemoryStore:
    return MemoryStore(database, clock)


def said(number: int, at: int = 1_800_000_000) -> Exchange:
    return Exchange(at, f"질문 {number}", f"대답 {number}")


async def talk(store: MemoryStore, device: str, *turns: Exchange) -> None:
    await store.keep([News(device, turn) for turn in turns])


async def test_what_is_kept_is_loaded_newest_turns_oldest_first(store: MemoryStore) -> None:
    await talk(store, "a", *map(said, range(5)))
    await store.keep([News("a", FactChange(Fact(1, "하나"))), News("a", FactChange(Fact(2, "둘")))])
    kept = await store.load("a", 3)
    assert [turn.heard for turn in kept.turns] == ["질문 2", "질문 3", "질문 4"]
    assert kept.facts == (Fact(1, "하나"), Fact(2, "둘"))
    assert kept.summary is None


async def test_a_fact_takes_the_place_of_others(store: MemoryStore) -> None:
    await store.set_facts("a", [Fact(1, "하나"), Fact(2, "둘"), Fact(3, "셋")])
    await store.keep([News("a", FactChange(Fact(4, "넷"), ("하나", "둘")))])
    await store.keep([News("a", FactChange(Fact(5, "셋")))])
    assert (await store.load("a", 1)).facts == (Fact(4, "넷"), Fact(5, "셋"))


async def test_each_doll_has_its_own(store: MemoryStore) -> None:
    await talk(store, "a", said(1))
    await store.set_facts("a", [Fact(1, "비밀")])
    await store.summarise("a", Summary(1, 1, "비밀"), 1)
    kept = await store.load("b", 10)
    assert (kept.turns, kept.facts, kept.summary) == ((), (), None)
    await store.delete_all("b")
    assert (await store.amount("a")).turns == 1


async def test_what_a_doll_remembers_goes_with_the_doll(
    store: MemoryStore, database: Database
) -> None:
    await talk(store, "a", said(1))
    await Registry(database).remove("a")
    await talk(store, "a", said(2))  # was still to be written
    assert (await store.amount("a")).turns == 0


async def test_what_was_said_before_a_deletion_is_not_written_after_it(
    store: MemoryStore, database: Database
) -> None:
    await talk(store, "a", said(1))
    before = None
    for _ in range(2):  # in the same second
        await store.delete_all("a")
        await store.keep([News("a", said(2), before), News("a", FactChange(Fact(1, "옛")), before)])
        kept = await store.load("a", 9)
        assert (kept.turns, kept.facts) == ((), ())
        before = (await Registry(database).find("a")).forgotten
    await store.keep([News("a", said(3), before)])
    assert [turn.heard for turn in (await store.load("a", 9)).turns] == ["질문 3"]


async def test_an_owner_may_keep_the_facts(store: MemoryStore) -> None:
    await store.set_facts("a", [Fact(1, "하나")])
    await store.delete_all("a", keep_facts=True)
    assert (await store.load("a", 1)).facts == (Fact(1, "하나"),)


async def test_connected_dolls_notice_what_an_owner_does(
    store: MemoryStore, database: Database
) -> None:
    registry = Registry(database)
    before, generation = await registry.find("a"), await registry.generation()
    await store.set_facts("a", [])
    await store.delete_all("a")
    after = await registry.find("a")
    assert after.memory_revision == before.memory_revision + 2
    assert (before.forgotten, after.forgotten) == (None, 1_800_000_000)
    assert await registry.generation() == generation + 2
    assert (await registry.find("b")).memory_revision == before.memory_revision


async def test_a_summary_of_what_was_changed_meanwhile_is_thrown_away(store: MemoryStore) -> None:
    revision = await store.revision("a")
    assert revision is not None
    assert await store.summarise("a", Summary(1, 7, "짧게"), revision)
    await store.delete_all("a")
    assert not await store.summarise("a", Summary(2, 8, "지운 것"), revision)
    assert (await store.load("a", 1)).summary is None
    assert await store.revision("nobody") is None


async def test_one_turn_is_forgotten_and_the_summary_that_may_tell_it(store: MemoryStore) -> None:
    await talk(store, "a", said(1), said(2))
    first, second = (await store.load("a", 9)).turns
    await store.summarise("a", Summary(1, first.id, "질문 1을 했다."), 0)
    assert await store.delete_turn("a", second.id)
    assert (await store.load("a", 9)).summary is not None
    assert not await store.delete_turn("b", first.id)
    assert await store.delete_turn("a", first.id)
    kept = await store.load("a", 9)
    assert (kept.turns, kept.summary) == ((), None)


async def test_what_is_older_than_so_many_days_expires(store: MemoryStore, clock: Clock) -> None:
    now = int(clock.now)
    await talk(store, "a", *[said(n, now - 31 * DAY) for n in range(PAGE + 5)], said(0, now - DAY))
    await talk(store, "b", said(1, now - 31 * DAY))
    await store.summarise("a", Summary(now - 31 * DAY, 1, "옛날"), 0)
    assert await store.expire(30) == PAGE + 6
    assert (await store.amount("a")).turns == 1
    assert (await store.load("a", 1)).summary is None
    assert await store.expire(30) == 0


async def test_all_turns_are_read_page_by_page_and_in_order(store: MemoryStore) -> None:
    await talk(store, "a", *map(said, range(PAGE + 3)))
    await talk(store, "b", said(0))
    heard = [turn.heard async for turn in store.all_turns("a")]
    assert heard == [f"질문 {number}" for number in range(PAGE + 3)]


async def test_ids_are_not_given_twice(store: MemoryStore) -> None:
    """A summary tells up to which turn it goes: a new turn must not look like one of those."""
    await talk(store, "a", said(1))
    old = (await store.load("a", 1)).turns[0].id
    await store.delete_turn("a", old)
    await talk(store, "a", said(2))
    assert (await store.load("a", 1)).turns[0].id > old


async def test_what_was_deleted_is_in_none_of_the_files(tmp_path: Path) -> None:
    secret, other = "나만의비밀이야기", "남의이야기"
    database = await Database.open(tmp_path)
    reader = await Database.open(tmp_path)  # as a relay that runs
    registry, store = Registry(database), MemoryStore(database)
    for name in ("a", "b"):
        await registry.issue(name, name=name)
    for _ in range(40):
        await talk(store, "a", *[Exchange(1, f"{secret} {n} " * 9, secret) for n in range(10)])
    await talk(store, "b", Exchange(1, other, other))
    await store.set_facts("a", [Fact(1, secret)])
    await store.summarise("a", Summary(1, 9, secret), 1)
    assert (await MemoryStore(reader).amount("a")).turns == 400
    assert secret.encode() in everything(tmp_path)
    await store.delete_all("a")
    assert await database.scrub()
    assert secret.encode() not in everything(tmp_path)
    assert other.encode() in everything(tmp_path)
    assert (tmp_path / "doll.db-wal").stat().st_size == 0
    await reader.close()
    await database.close()


async def test_what_has_expired_is_written_over(tmp_path: Path) -> None:
    database = await Database.open(tmp_path)
    await Registry(database).issue("a", name="a")
    store = MemoryStore(database)
    await talk(store, "a", *[Exchange(1, "오래된비밀", "옛말") for _ in range(500)])
    assert await store.expire(30) == 500
    assert await database.empty_log()
    assert "오래된비밀".encode() not in everything(tmp_path)
    await database.close()


async def test_a_reader_that_stays_keeps_the_log_and_that_is_told(tmp_path: Path) -> None:
    database, other = await Database.open(tmp_path), await Database.open(tmp_path)
    store = MemoryStore(database)
    await Registry(database).issue("a", name="a")
    async with other.reading() as connection:
        await MemoryStore(other).amount("a")
        from sqlalchemy import text

        await connection.execute(text("SELECT count(*) FROM turns"))
        await talk(store, "a", said(1))
        assert not await database.empty_log()
    assert await database.empty_log()
    await other.close()
    await database.close()


def everything(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))
