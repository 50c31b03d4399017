"""How a doll that nobody knows becomes one of the relay's: it gets a code, its owner confirms it.

pending = await pairing.begin(device_id, client_id, source)   # say pending.code
record = await pairing.confirm("482 913", source="cli")       # the owner, in whichever process
token = await pairing.deliver(pending.ticket)                 # once it is confirmed
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from relay.devices.codes import may_wait, new_code, read_code, wait_before_guess
from relay.devices.records import DeviceRecord, RegistryError
from relay.devices.registry import Registry, bump
from relay.devices.settings import PairingSettings
from relay.store.database import Database
from relay.store.tables import counters, guesses, pairings
from relay.wire.headers import identifier


@dataclass(frozen=True, slots=True)
class Pending:
    """A device that waits to be confirmed."""

    ticket: str  #: a secret of who speaks for the device; never shown, never logged
    device_id: str
    code: str  #: six digits
    expires: int  #: seconds of Unix time
    confirmed: bool  #: the owner has; the token can be had


class Pairing:
    """Codes in the database. Every call is one transaction and may raise SQLAlchemyError."""

    def __init__(self, database: Database, registry: Registry, settings: PairingSettings) -> None:
        self._database = database
        self._registry = registry
        self._settings = settings

    async def begin(self, device_id: str, client_id: str, source: str) -> Pending:
        """A code for this device. One that asks again with the same Client-Id keeps its code.

        The Client-Id is what tells a device from another one that uses its Device-Id, so it must
        be nobody else's to know: a random UUID. Without one each call begins anew. `source` is
        the address that it comes from. Raises RegistryError.
        """
        if identifier(device_id) is None:
            raise RegistryError("no_device_id")
        async with self._database.writing() as connection:
            waiting = await self._waiting(connection)
            for row in waiting:
                if client_id and (row.device_id, row.client_id) == (device_id, client_id):
                    return _pending(row)
            if not may_wait(source, (row.source for row in waiting), self._settings):
                raise RegistryError("too_many_pairings")
            pending = Pending(
                ticket=secrets.token_hex(16),
                device_id=device_id,
                code=new_code({row.code for row in waiting}),
                expires=self._registry.now_s() + self._settings.code_s,
                confirmed=False,
            )
            await connection.execute(
                insert(pairings).values(**asdict(pending), client_id=client_id, source=source[:64])
            )
            return pending

    async def of(self, device_id: str, client_id: str) -> Pending | None:
        """What is open for this device; None if nothing is. Begins nothing."""
        query = select(pairings).where(
            pairings.c.device_id == device_id,
            pairings.c.client_id == client_id,
            pairings.c.expires > self._registry.now_s(),
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None or not client_id else _pending(row)

    async def status(self, ticket: str) -> Pending | None:
        """Where it stands; None when it has expired, is done, or was never begun."""
        query = select(pairings).where(
            pairings.c.ticket == ticket, pairings.c.expires > self._registry.now_s()
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _pending(row)

    async def confirm(
        self, code: str, *, source: str, name: str = "", persona: str = "", suggestion: str = ""
    ) -> DeviceRecord:
        """The owner says that the device with this code is theirs: it is registered.

        `source` says who guesses: an address, or "cli". Raises RegistryError.
        """
        async with self._database.writing() as connection:
            waiting = [row for row in await self._waiting(connection) if not row.confirmed]
            now = self._registry.now_s()
            start = now - self._settings.guess_window_s
            await connection.execute(delete(guesses).where(guesses.c.at <= start))
            wrong = (await connection.execute(select(guesses.c.source, guesses.c.at))).all()
            if wait_s := wait_before_guess(
                source, [(row.source, row.at) for row in wrong], now, self._settings
            ):
                raise RegistryError("too_many_guesses", seconds=wait_s)
            typed = read_code(code)
            row = next((row for row in waiting if row.code == typed), None)
            if row is not None:
                record = await self._registry.admit(
                    connection,
                    row.device_id,
                    client_id=row.client_id,
                    name=name,
                    persona=persona,
                    suggestion=suggestion,
                )
                await connection.execute(
                    update(pairings).where(pairings.c.ticket == row.ticket).values(confirmed=True)
                )
                await bump(connection)
                return record
            await connection.execute(insert(guesses).values(source=source[:64], at=now))
        raise RegistryError("no_code")

    async def deliver(self, ticket: str) -> str | None:
        """The token, if the owner has confirmed; else None.

        It may be asked for again until `Registry.settle` or the doll's first visit with it shows
        that it has arrived: each time it is a new one, and the one before ends.
        """
        async with self._database.writing() as connection:
            for row in await self._waiting(connection):
                if row.ticket == ticket and row.confirmed:
                    return await self._registry.give_token(connection, row.device_id)
        return None

    async def is_done(self, device_id: str) -> bool:
        """Whether the doll has its token, and nothing of its pairing is left open."""
        query = select(pairings.c.ticket).where(
            pairings.c.device_id == device_id, pairings.c.confirmed
        )
        async with self._database.reading() as connection:
            return (await connection.execute(query)).first() is None

    async def _waiting(self, connection: AsyncConnection) -> list[Row[Any]]:
        """All that are open. From here to the end of the transaction nobody else changes them."""
        await connection.execute(select(counters).with_for_update())  # SQLite has us alone anyway
        now = self._registry.now_s()
        await connection.execute(delete(pairings).where(pairings.c.expires <= now))
        return list((await connection.execute(select(pairings))).all())


def _pending(row: Row[Any]) -> Pending:
    return Pending(row.ticket, row.device_id, row.code, row.expires, row.confirmed)
