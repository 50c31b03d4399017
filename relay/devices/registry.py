"""Which dolls may come in, kept in the database that all processes of the relay share.

A token is 256 random bits, handed out once; the database has its hash. Any process may change what
is here, the `doll` command as well: `generation` grows with each change that connected dolls have
to follow, and `relay.devices.watch` looks at it.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog
from sqlalchemy import delete, exists, func, insert, or_, select, update
from sqlalchemy.engine import Row
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from relay.devices.records import (
    About,
    DeviceRecord,
    RegistryError,
    checked_instruction,
    checked_language,
    checked_name,
    checked_settings,
    digest,
)
from relay.store.database import Database
from relay.store.tables import counters, devices, pairings, tokens
from relay.wire.headers import identifier

log = structlog.get_logger()

#: What a doll is called that nobody has named; a number goes behind it.
_SOMEBODY = "doll"

#: A longer text in the header is no token of ours.
_MAX_TOKEN_CHARS = 256

#: How many devices one question to the database names; SQLite and PostgreSQL take 32,766.
_AT_ONCE = 1000


class Registry:
    """The dolls of a relay. Every call is one transaction and may raise SQLAlchemyError."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now
        self._stamp: tuple[int, int, int] | None = None  # of the database, when …
        self._generation = 0  # … this was read

    async def check(self, device_id: str, token: str) -> DeviceRecord | None:
        """The doll that shows this token, or None if it may not come in.

        All hashes are compared in constant time. A doll that shows the new one of two tokens has
        stored it, and the old one is good for nothing any more.
        """
        if not token or len(token) > _MAX_TOKEN_CHARS:
            return None
        shown = digest(token)
        query = (
            select(devices, tokens.c.hash, tokens.c.fresh)
            .join(tokens, tokens.c.device_id == devices.c.id)
            .where(devices.c.id == device_id, devices.c.revoked.is_(None))
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        found = [row for row in rows if secrets.compare_digest(row.hash, shown)]
        if not found:
            return None
        if found[0].fresh:
            try:
                await self.settle(device_id, token)
            except SQLAlchemyError as error:  # a full disk keeps nobody out
                log.warning("token not settled", device=device_id, why=type(error).__name__)
        return _record(found[0])

    async def issue(
        self, device_id: str, *, name: str = "", persona: str = "", suggestion: str = ""
    ) -> str:
        """A token for a doll, which is registered if it is new; any other that it has had ends.

        Without a name it keeps its own, or is called after `suggestion`. Raises RegistryError.
        """
        async with self._database.writing() as connection:
            await self.admit(
                connection, device_id, name=name, persona=persona, suggestion=suggestion
            )
            return await self.give_token(connection, device_id)

    async def rotate(self, device_id: str) -> str:
        """A new token for a doll that is connected. The old one is good until the doll shows the
        new one, or `settle` says that it has it. Raises RegistryError."""
        async with self._database.writing() as connection:
            await self._must_know(connection, device_id)
            mine = tokens.c.device_id == device_id
            used = exists().where(mine, ~tokens.c.fresh).correlate(None)
            await connection.execute(delete(tokens).where(mine, tokens.c.fresh, used))
            return await self._new_token(connection, device_id)

    async def settle(self, device_id: str, token: str) -> None:
        """The doll has stored this token: its others end, and what it was paired by is done."""
        mine = tokens.c.device_id == device_id
        async with self._database.writing() as connection:
            kept = await connection.execute(
                update(tokens).where(mine, tokens.c.hash == digest(token)).values(fresh=False)
            )
            if not kept.rowcount:
                return
            ended = await connection.execute(
                delete(tokens).where(mine, tokens.c.hash != digest(token))
            )
            if ended.rowcount:  # it was a rotation
                await connection.execute(
                    update(devices).where(devices.c.id == device_id).values(rotate=False)
                )
            await connection.execute(
                delete(pairings).where(pairings.c.device_id == device_id, pairings.c.confirmed)
            )
            await bump(connection)

    async def seen(self, dolls: Mapping[str, About]) -> None:
        """These dolls, by id, are here, and this is what they say about themselves."""
        now = self.now_s()
        async with self._database.writing() as connection:
            for device_id, about in dolls.items():
                said = {"client_id": about.client_id, "firmware": about.firmware}
                news = {
                    key: value for key, value in {**said, "board": about.board}.items() if value
                }
                await connection.execute(
                    update(devices).where(devices.c.id == device_id).values(last_seen=now, **news)
                )

    async def all(self) -> list[DeviceRecord]:
        """All dolls, the oldest first."""
        async with self._database.reading() as connection:
            query = select(devices).order_by(devices.c.created, devices.c.name)
            return [_record(row) for row in await connection.execute(query)]

    async def find(self, name_or_id: str) -> DeviceRecord:
        """A doll by its name or its id. Raises RegistryError."""
        query = select(devices).where(or_(devices.c.id == name_or_id, devices.c.name == name_or_id))
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        if not rows:
            raise RegistryError("unknown_device", name=name_or_id[:64])
        return _record(min(rows, key=lambda row: bool(row.id != name_or_id)))

    async def known(self, device_id: str) -> DeviceRecord | None:
        """The doll of just this id, be it revoked or not."""
        async with self._database.reading() as connection:
            query = select(devices).where(devices.c.id == device_id)
            row = (await connection.execute(query)).first()
        return None if row is None else _record(row)

    async def good(self, ids: Iterable[str]) -> dict[str, tuple[DeviceRecord, frozenset[str]]]:
        """Those of these dolls that may be here, and the hashes of their tokens."""
        wanted = list(ids)
        found: dict[str, tuple[DeviceRecord, set[str]]] = {}
        async with self._database.reading() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                query = (
                    select(devices, tokens.c.hash)
                    .join(tokens, tokens.c.device_id == devices.c.id)
                    .where(
                        devices.c.id.in_(wanted[start : start + _AT_ONCE]),
                        devices.c.revoked.is_(None),
                    )
                )
                for row in await connection.execute(query):
                    found.setdefault(row.id, (_record(row), set()))[1].add(row.hash)
        return {key: (record, frozenset(hashes)) for key, (record, hashes) in found.items()}

    async def change(
        self,
        device_id: str,
        *,
        name: str | None = None,
        persona: str | None = None,
        language: str | None = None,
        settings: Mapping[str, Any] | None = None,
        instruction: str | None = None,
    ) -> DeviceRecord:
        """Change what is given; it counts from the doll's next turn. Raises RegistryError."""
        values: dict[str, Any] = {}
        if persona is not None:
            values["persona"] = persona
        if language is not None:
            values["language"] = checked_language(language)
        if settings is not None:
            values["settings"] = checked_settings(settings)
        if instruction is not None:
            values["instruction"] = checked_instruction(instruction)
        async with self._database.writing() as connection:
            row = await self._must_know(connection, device_id)
            if name is not None:
                values["name"] = await self._free_name(connection, device_id, name)
            if values:
                where = devices.c.id == device_id
                await connection.execute(update(devices).where(where).values(**values))
                await bump(connection)
                row = await self._must_know(connection, device_id)
        return _record(row)

    async def revoke(self, device_id: str) -> None:
        """The doll may not come in any more, and leaves at once. What is known of it is kept: it
        may be paired again. Raises RegistryError."""
        async with self._database.writing() as connection:
            await self._must_know(connection, device_id)
            await connection.execute(delete(tokens).where(tokens.c.device_id == device_id))
            await connection.execute(
                update(devices)
                .where(devices.c.id == device_id)
                .values(revoked=self.now_s(), rotate=False)
            )
            await connection.execute(delete(pairings).where(pairings.c.device_id == device_id))
            await bump(connection)

    async def remove(self, device_id: str) -> None:
        """Forget the doll and all that the database holds of it. Raises RegistryError."""
        async with self._database.writing() as connection:
            await self._must_know(connection, device_id)
            await connection.execute(delete(devices).where(devices.c.id == device_id))
            await connection.execute(delete(pairings).where(pairings.c.device_id == device_id))
            await bump(connection)

    async def ask_rotation(self, device_id: str) -> None:
        """The doll gets a new token: now if it is here, or when it comes. Raises RegistryError."""
        async with self._database.writing() as connection:
            await self._must_know(connection, device_id)
            await connection.execute(
                update(devices).where(devices.c.id == device_id).values(rotate=True)
            )
            await bump(connection)

    async def record_until(self, device_id: str, until: int | None) -> None:
        """Have the doll's turns recorded until then (Unix time), or not any more. Raises
        RegistryError."""
        async with self._database.writing() as connection:
            await self._must_know(connection, device_id)
            await connection.execute(
                update(devices).where(devices.c.id == device_id).values(recorder_until=until)
            )
            await bump(connection)

    async def generation(self) -> int:
        """Grows whenever something was changed that a connected doll must follow."""
        stamp = self._database.stamp()
        if stamp is not None and stamp == self._stamp:
            return self._generation
        query = select(counters.c.value).where(counters.c.name == "generation")
        async with self._database.reading() as connection:
            self._generation = int((await connection.execute(query)).scalar_one())
        self._stamp = stamp
        return self._generation

    # What pairing does as part of its own transaction.

    async def admit(
        self,
        connection: AsyncConnection,
        device_id: str,
        *,
        client_id: str = "",
        name: str = "",
        persona: str = "",
        suggestion: str = "",
    ) -> DeviceRecord:
        """Register a doll, or let one that is known in again. Raises RegistryError."""
        if identifier(device_id) is None:
            raise RegistryError("no_device_id")
        row = (await connection.execute(select(devices).where(devices.c.id == device_id))).first()
        values: dict[str, Any] = {"revoked": None, "rotate": False}
        if client_id:
            values["client_id"] = client_id
        if persona:
            values["persona"] = persona
        if name:
            values["name"] = await self._free_name(connection, device_id, name)
        if row is not None:
            await connection.execute(
                update(devices).where(devices.c.id == device_id).values(**values)
            )
        else:
            if not name:
                values["name"] = await self._some_name(connection, suggestion or _SOMEBODY)
            values |= {"id": device_id, "created": self.now_s()}
            await connection.execute(insert(devices).values(**values))
        await bump(connection)
        return _record(await self._must_know(connection, device_id))

    async def give_token(self, connection: AsyncConnection, device_id: str) -> str:
        """The only token that counts from now on for a doll that is registered."""
        await connection.execute(delete(tokens).where(tokens.c.device_id == device_id))
        await bump(connection)
        return await self._new_token(connection, device_id)

    def now_s(self) -> int:
        """The time, as it is kept."""
        return int(self._now())

    async def _new_token(self, connection: AsyncConnection, device_id: str) -> str:
        token = secrets.token_urlsafe(32)
        await connection.execute(
            insert(tokens).values(
                hash=digest(token), device_id=device_id, created=self.now_s(), fresh=True
            )
        )
        return token

    async def _must_know(self, connection: AsyncConnection, device_id: str) -> Row[Any]:
        row = (await connection.execute(select(devices).where(devices.c.id == device_id))).first()
        if row is None:
            raise RegistryError("unknown_device", name=device_id[:64])
        return row

    async def _free_name(self, connection: AsyncConnection, device_id: str, name: str) -> str:
        name = checked_name(name)
        query = select(devices.c.id).where(devices.c.name == name, devices.c.id != device_id)
        if (await connection.execute(query)).first() is not None:
            raise RegistryError("name_taken", name=name)
        return name

    async def _some_name(self, connection: AsyncConnection, suggestion: str) -> str:
        """The suggestion, with a number behind it if it is taken."""
        base = checked_name(suggestion)[:30]
        query = select(devices.c.name).where(devices.c.name.startswith(base, autoescape=True))
        taken = set((await connection.execute(query)).scalars())
        number = 1
        name = base
        while name in taken:
            number += 1
            name = f"{base} {number}"
        return name


async def bump(connection: AsyncConnection) -> None:
    """Let the other processes notice what this transaction changes."""
    await connection.execute(
        update(counters)
        .where(counters.c.name == "generation")
        .values(value=func.coalesce(counters.c.value, 0) + 1)
    )


def _record(row: Row[Any]) -> DeviceRecord:
    return DeviceRecord(
        id=row.id,
        client_id=row.client_id,
        name=row.name,
        persona=row.persona,
        language=row.language,
        settings=json.loads(row.settings),
        created=row.created,
        last_seen=row.last_seen,
        firmware=row.firmware,
        board=row.board,
        revoked=row.revoked,
        rotate=row.rotate,
        memory_revision=row.memory_revision,
        forgotten=row.forgotten,
        recorder_until=row.recorder_until,
        instruction=row.instruction,
    )
