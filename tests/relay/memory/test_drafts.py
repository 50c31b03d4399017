"""A turn that is being spoken is written down as it comes, against the death of the relay."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from relay.memory.conversation import Conversation
from relay.memory.records import Draft, Exchange, Fact, FactChange
from relay.memory.store import MemoryStore, News
from relay.store.database import Database

AT = 1_800_000_000
FACT = Fact(AT, "하나")


def draft(number: int, said: str, *, over: bool = False) -> News:
    return News("a", Draft(number, Exchange(AT, "질문", said), over))


def nothing_of(number: int) -> News:
    return News("a", Draft(number, None, over=True))


async def remembered(store: MemoryStore) -> list[str]:
    return [turn.said for turn in (await store.load("a", 10)).turns]


async def after_a_death(database: Database) -> list[str]:
    """What the next relay finds."""
    return await remembered(MemoryStore(database))


async def test_whoever_comes_after_the_death_of_a_relay_knows_what_was_being_said(
    database: Database,
) -> None:
    store = MemoryStore(database)
    await store.keep([draft(1, "첫째…")])
    assert await after_a_death(database) == ["첫째…"]
    await store.keep([draft(1, "첫째. 둘째…")])
    assert await after_a_death(database) == ["첫째. 둘째…"]


async def test_while_it_is_spoken_it_is_no_turn_yet(database: Database) -> None:
    store = MemoryStore(database)
    await store.keep([draft(1, "첫째…")])
    assert await remembered(store) == []


async def test_what_was_heard_in_the_end_takes_its_place(database: Database) -> None:
    store = MemoryStore(database)
    await store.keep([draft(1, "첫째…"), draft(1, "첫째. 둘째…")])
    await store.keep([draft(1, "첫째. 둘째.", over=True)])
    assert await remembered(store) == await after_a_death(database) == ["첫째. 둘째."]


async def test_a_turn_of_which_nothing_was_heard_leaves_nothing(database: Database) -> None:
    store = MemoryStore(database)
    await store.keep([draft(1, "첫째…")])
    await store.keep([nothing_of(1)])
    assert await after_a_death(database) == []
    await store.keep([draft(2, "첫째…"), nothing_of(2), nothing_of(3)])
    assert await after_a_death(database) == []


async def test_an_end_whose_beginning_was_never_written_is_written(database: Database) -> None:
    store = MemoryStore(database)
    await store.keep([draft(1, "전부.", over=True)])
    assert await remembered(store) == ["전부."]


async def test_two_turns_of_a_doll_are_told_apart(database: Database) -> None:
    """One that is let go and the next one overlap for a moment."""
    store = MemoryStore(database)
    await store.keep([draft(1, "하나…"), draft(2, "둘…")])
    await store.keep([draft(1, "하나.", over=True)])
    assert await after_a_death(database) == ["하나.", "둘…"]


async def test_what_its_owner_has_deleted_meanwhile_does_not_come_back(database: Database) -> None:
    store = MemoryStore(database)
    await store.keep([draft(1, "첫째…")])
    await MemoryStore(database).delete_all("a")
    await store.keep([draft(1, "첫째. 둘째.", over=True)])
    assert await after_a_death(database) == []


async def test_what_could_not_be_written_is_written_the_next_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore(database)

    async def full(*_: object) -> None:
        raise OperationalError("insert", {}, Exception("database or disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr("relay.memory.store._add", full)
        with pytest.raises(OperationalError):
            await store.keep([draft(1, "첫째…"), News("a", FactChange(FACT))])
    await store.keep([draft(1, "첫째…"), News("a", FactChange(FACT))])
    await store.keep([draft(1, "첫째.", over=True)])
    assert await after_a_death(database) == ["첫째."]


def test_a_conversation_gives_all_of_one_turn_the_same_number() -> None:
    kept: list[object] = []
    talk = Conversation(keep=kept.append)
    number = talk.hold("질문", "첫째…")
    assert talk.hold("질문", "첫째. 둘째…", number) == number
    assert talk.history() == ()
    talk.add("질문", "첫째. 둘째.", number)
    assert [line.text for line in talk.history()] == ["질문", "첫째. 둘째."]
    other = talk.hold("질문", "다른…")
    talk.drop(other)
    talk.drop(None)
    assert [(each.number, each.over) for each in kept if isinstance(each, Draft)] == [
        (number, False),
        (number, False),
        (number, True),
        (other, False),
        (other, True),
    ]
