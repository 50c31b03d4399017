"""How far the news of a bot have been taken, so that a restart answers nothing twice.

It is written before the news are worked on: a relay that dies meanwhile leaves a message without an
answer, which its sender sees, and does not answer one twice, with a request of the day's for each.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import insert, select, update

from relay.store.database import Database
from relay.store.tables import counters

#: Telegram begins anew at any number after a week without news, so a number that is far below the
#: last one is new. https://core.telegram.org/bots/api#update
_NEAR: Final = 10_000


class Offsets:
    """Of one bot. Calls raise SQLAlchemyError."""

    def __init__(self, database: Database, bot: int) -> None:
        self._database = database
        self._mine = counters.c.name == f"telegram:{bot}"
        self._name = f"telegram:{bot}"
        self._last: int | None = None

    async def load(self) -> None:
        """Know what was taken before."""
        async with self._database.reading() as connection:
            query = select(counters.c.value).where(self._mine)
            self._last = (await connection.execute(query)).scalar()

    def is_new(self, update_id: int) -> bool:
        """Whether this was not taken yet."""
        return self._last is None or not self._last - _NEAR < update_id <= self._last

    async def take(self, update_id: int) -> None:
        """All up to this is taken."""
        async with self._database.writing() as connection:
            changed = await connection.execute(
                update(counters).where(self._mine).values(value=update_id)
            )
            if not changed.rowcount:
                await connection.execute(insert(counters).values(name=self._name, value=update_id))
        self._last = update_id
