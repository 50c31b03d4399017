"""Who may write to the doll: those whom the settings name, and those who have shown a code.

A code is made by `doll telegram link` beside the relay, and is good once; the database has its
hash. Calls raise SQLAlchemyError.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, insert, select

from relay.devices.records import digest
from relay.memory.records import one_line
from relay.store.database import Database
from relay.store.tables import telegram_codes, telegram_people

#: For so long a code may be shown.
CODE_S: Final = 900

#: 50 random bits: nobody guesses that in a quarter of an hour, at the rate that strangers have.
_CODE_CHARS, _LETTERS = 10, "abcdefghjkmnpqrstuvwxyz23456789"

_MOST_PEOPLE = 100


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has shown a code."""

    id: int  #: Telegram's own
    name: str
    linked: int  #: Unix time


class People:
    """One for the relay, or for a command beside it."""

    def __init__(
        self,
        database: Database,
        allowed: Collection[int | str] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        """`allowed` are ids, and usernames in lower case."""
        self._database = database
        self._allowed = frozenset(allowed)
        self._now = now

    async def may_write(self, user: int, username: str) -> bool:
        """Whether this one may. `username` may be empty."""
        if user in self._allowed or (username and username.lower() in self._allowed):
            return True
        query = select(telegram_people.c.id).where(telegram_people.c.id == user)
        async with self._database.reading() as connection:
            return (await connection.execute(query)).first() is not None

    async def new_code(self) -> str:
        """A code for one person."""
        code = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_CHARS))
        now = int(self._now())
        async with self._database.writing() as connection:
            await connection.execute(delete(telegram_codes).where(telegram_codes.c.expires <= now))
            await connection.execute(
                insert(telegram_codes).values(hash=digest(code), expires=now + CODE_S)
            )
        return code

    async def link(self, code: str, user: int, name: str) -> bool:
        """Let somebody in who shows a code; whether it was one."""
        shown = digest(code.strip().lower())
        now = int(self._now())
        async with self._database.writing() as connection:
            mine = telegram_codes.c.hash == shown, telegram_codes.c.expires > now
            if not (await connection.execute(delete(telegram_codes).where(*mine))).rowcount:
                return False
            known = (await connection.execute(select(telegram_people.c.id))).scalars().all()
            if user in known:
                return True
            if len(known) >= _MOST_PEOPLE:
                return False
            await connection.execute(
                insert(telegram_people).values(id=user, name=one_line(name, 64), linked=now)
            )
        return True

    async def all(self) -> list[Person]:
        """Those who have shown a code, the first one first."""
        async with self._database.reading() as connection:
            rows = await connection.execute(
                select(telegram_people).order_by(telegram_people.c.linked, telegram_people.c.id)
            )
            return [Person(row.id, row.name, row.linked) for row in rows]

    async def remove(self, user: int) -> bool:
        """Let somebody write no more, from their next message on; whether they could."""
        async with self._database.writing() as connection:
            where = telegram_people.c.id == user
            return bool((await connection.execute(delete(telegram_people).where(where))).rowcount)
