"""The dolls' memory in the database. Each call is one transaction and may raise SQLAlchemyError."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, func, insert, not_, or_, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from relay.devices.registry import bump
from relay.memory.course import decode, encode
from relay.memory.records import Draft, Exchange, Fact, FactChange, KeptExchange, Summary
from relay.store.database import Database
from relay.store.tables import devices, facts, summaries, turns

#: Rows that one transaction deletes or reads: the others wait for it no longer than that takes.
PAGE = 1_000

_DAY_S = 86_400
_NO_DOLL = -1


@dataclass(frozen=True, slots=True)
class News:
    """Something that a doll has to remember from now on."""

    device_id: str
    what: Exchange | Draft | FactChange
    forgotten: int | None = None  #: of the doll's record, as it was when this was said


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database holds of one doll, as far as a prompt may need it."""

    turns: tuple[KeptExchange, ...]  #: the newest, oldest first
    facts: tuple[Fact, ...]  #: oldest first
    summary: Summary | None


@dataclass(frozen=True, slots=True)
class Amount:
    """How much there is of one doll."""

    turns: int
    facts: int
    first: int | None  #: when the oldest turn was


class MemoryStore:
    """For all dolls."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now
        self._drafts: dict[int, int] = {}  # of turns that are being spoken: the number, and the row

    async def keep(self, news: Sequence[News]) -> None:
        """Write what is new, all of it or nothing.

        What was said before the owner has had a doll's memory deleted is not written any more, nor
        what belongs to a doll that has been removed.
        """
        drafts = dict(self._drafts)  # as they are once this is written
        async with self._database.writing() as connection:
            ids = {item.device_id for item in news}
            query = (
                select(devices.c.id, devices.c.forgotten)
                .where(devices.c.id.in_(ids))
                .order_by(devices.c.id)
                .with_for_update(key_share=True)  # a deletion comes before this, or after it
            )
            forgotten = {row.id: row.forgotten for row in await connection.execute(query)}
            for item in news:
                if forgotten.get(item.device_id, _NO_DOLL) == item.forgotten:
                    await _keep(connection, item, drafts)
                elif isinstance(item.what, Draft):
                    drafts.pop(item.what.number, None)
        self._drafts = drafts

    async def load(self, device_id: str, turns_at_most: int) -> Kept:
        """What a prompt may need. A turn that is being spoken here is not over yet, and not in it;
        one that was being spoken when a relay died is."""
        being_spoken = turns.c.id.in_(tuple(self._drafts.values()))
        newest = (
            select(turns)
            .where(turns.c.device_id == device_id, not_(being_spoken))
            .order_by(turns.c.id.desc())
            .limit(turns_at_most)
        )
        known = select(facts).where(facts.c.device_id == device_id).order_by(facts.c.id)
        short = select(summaries).where(summaries.c.device_id == device_id)
        async with self._database.reading() as connection:
            rows = (await connection.execute(newest)).all()
            noted = (await connection.execute(known)).all()
            summary = (await connection.execute(short)).first()
        return Kept(
            tuple(_kept(row) for row in reversed(rows)),
            tuple(Fact(row.at, row.text) for row in noted),
            Summary(summary.at, summary.up_to, summary.text) if summary else None,
        )

    async def between(
        self, device_id: str, after: int, before: int, at_most: int
    ) -> list[KeptExchange]:
        """The newest turns between two others, by id, oldest first."""
        query = (
            select(turns)
            .where(turns.c.device_id == device_id, turns.c.id > after, turns.c.id < before)
            .order_by(turns.c.id.desc())
            .limit(at_most)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return [_kept(row) for row in reversed(rows)]

    async def summarise(self, device_id: str, summary: Summary, revision: int) -> bool:
        """Keep a summary, unless its owner has changed the memory since `revision`: it may hold
        what was deleted meanwhile. Whether it is kept."""
        async with self._database.writing() as connection:
            query = select(devices.c.memory_revision).where(devices.c.id == device_id)
            if (await connection.execute(query.with_for_update())).scalar() != revision:
                return False
            await connection.execute(delete(summaries).where(summaries.c.device_id == device_id))
            await connection.execute(
                insert(summaries).values(
                    device_id=device_id, at=summary.at, up_to=summary.up_to, text=summary.text
                )
            )
        return True

    async def revision(self, device_id: str) -> int | None:
        """Grows with each change of a doll's owner; None of a doll that is not known."""
        query = select(devices.c.memory_revision).where(devices.c.id == device_id)
        async with self._database.reading() as connection:
            return (await connection.execute(query)).scalar()

    async def amount(self, device_id: str) -> Amount:
        """How much is kept."""
        of_turns = select(func.count(), func.min(turns.c.at)).where(turns.c.device_id == device_id)
        of_facts = select(func.count()).where(facts.c.device_id == device_id)
        async with self._database.reading() as connection:
            count, first = (await connection.execute(of_turns)).one()
            known = (await connection.execute(of_facts)).scalar_one()
        return Amount(count, known, first)

    async def all_turns(self, device_id: str) -> AsyncIterator[KeptExchange]:
        """Everything that was said, oldest first, in one transaction for each page."""
        after = 0
        while True:
            query = (
                select(turns)
                .where(turns.c.device_id == device_id, turns.c.id > after)
                .order_by(turns.c.id)
                .limit(PAGE)
            )
            async with self._database.reading() as connection:
                rows = (await connection.execute(query)).all()
            for row in rows:
                yield _kept(row)
            if len(rows) < PAGE:
                return
            after = rows[-1].id

    # What an owner does. Connected dolls follow it, by the generation and their own revision.

    async def set_facts(self, device_id: str, wanted: Sequence[Fact]) -> None:
        """Know these facts, and no others."""
        async with self._database.writing() as connection:
            await connection.execute(delete(facts).where(facts.c.device_id == device_id))
            for fact in wanted:
                await _add(connection, device_id, fact)
            await _changed(connection, device_id)

    async def delete_turn(self, device_id: str, turn_id: int) -> bool:
        """Forget one turn, and the summary if it may be in that. Whether there was one."""
        mine = and_(turns.c.device_id == device_id, turns.c.id == turn_id)
        of_it = and_(summaries.c.device_id == device_id, summaries.c.up_to >= turn_id)
        async with self._database.writing() as connection:
            found = await connection.execute(delete(turns).where(mine))
            await connection.execute(delete(summaries).where(of_it))
            await _changed(connection, device_id)
        return bool(found.rowcount)

    async def delete_all(self, device_id: str, *, keep_facts: bool = False) -> None:
        """Forget what was said, the summary, and the facts unless `keep_facts`.

        What the relay has still to write of it is not written any more. Call `Database.scrub`
        afterwards, so that nothing of it is left in the files.
        """
        tables = [turns, summaries] if keep_facts else [turns, summaries, facts]
        this = devices.c.id == device_id
        async with self._database.writing() as connection:
            query = select(devices.c.forgotten).where(this).with_for_update()
            before = (await connection.execute(query)).scalar() or 0
            for table in tables:
                await connection.execute(delete(table).where(table.c.device_id == device_id))
            forgotten = max(int(self._now()), before + 1)  # never the same twice
            await connection.execute(update(devices).where(this).values(forgotten=forgotten))
            await _changed(connection, device_id)

    async def expire(self, days: int) -> int:
        """Delete what was said, and told in short, more than so many days ago; how many turns."""
        before = int(self._now()) - days * _DAY_S
        old = select(turns.c.id).where(turns.c.at < before).limit(PAGE)
        gone = 0
        while True:
            async with self._database.writing() as connection:
                found = (
                    await connection.execute(delete(turns).where(turns.c.id.in_(old)))
                ).rowcount
                if not found:
                    await connection.execute(delete(summaries).where(summaries.c.at < before))
            gone += found
            if not found:
                return gone


async def _keep(connection: AsyncConnection, news: News, drafts: dict[int, int]) -> None:
    if isinstance(what := news.what, Draft):
        await _draft(connection, news.device_id, what, drafts)
    elif isinstance(what, FactChange):
        replaced = or_(facts.c.text.in_(what.removed), facts.c.text == what.added.text)
        await connection.execute(delete(facts).where(facts.c.device_id == news.device_id, replaced))
        await _add(connection, news.device_id, what.added)
    else:
        await _insert(connection, news.device_id, what)


async def _draft(
    connection: AsyncConnection, device_id: str, draft: Draft, drafts: dict[int, int]
) -> None:
    row = drafts.get(draft.number)
    this = turns.c.id == row
    if draft.turn is None:
        if row is not None:
            await connection.execute(delete(turns).where(this))
    elif row is None:
        drafts[draft.number] = await _insert(connection, device_id, draft.turn)
    else:  # if it is not there any more, its owner has deleted it meanwhile
        values = _texts(draft.turn)
        await connection.execute(update(turns).where(this).values(**values))
    if draft.over:
        drafts.pop(draft.number, None)


def _texts(turn: Exchange) -> dict[str, str | None]:
    course = None if turn.course is None else encode(turn.course)
    return {"heard": turn.heard, "said": turn.said, "course": course}


def _kept(row: Row[Any]) -> KeptExchange:
    return KeptExchange(row.at, row.heard, row.said, row.id, course=decode(row.course))


async def _insert(connection: AsyncConnection, device_id: str, turn: Exchange) -> int:
    values = {"device_id": device_id, "at": turn.at, **_texts(turn)}
    result = await connection.execute(insert(turns).values(**values).returning(turns.c.id))
    row: int = result.scalar_one()
    return row


async def _add(connection: AsyncConnection, device_id: str, fact: Fact) -> None:
    await connection.execute(insert(facts).values(device_id=device_id, at=fact.at, text=fact.text))


async def _changed(connection: AsyncConnection, device_id: str) -> None:
    await connection.execute(
        update(devices)
        .where(devices.c.id == device_id)
        .values(memory_revision=devices.c.memory_revision + 1)
    )
    await bump(connection)
