"""The owner's personas in a database that several machines share.

There the database is the truth. Each process has a copy of it as files in a folder of its own, so
that all who look for a persona find it where they always do; `follow` brings the copy up to date
when another process has changed something.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from pathlib import Path
from typing import Final, Self

import structlog
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from relay.devices.registry import bump
from relay.files import replacing
from relay.persona.loader import MAX_FILE_BYTES
from relay.persona.shelf import PersonaShelf
from relay.store.database import Database
from relay.store.tables import counters, personas

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

#: The counter that says that a folder's personas were taken over, once.
_ADOPTED: Final = "personas"

_log = structlog.get_logger(__name__)


class SharedPersonas:
    """One for a process. Calls may raise SQLAlchemyError and OSError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._own = tempfile.TemporaryDirectory(prefix="personas-")
        self._have: dict[str, int] = {}  # revisions, by name
        self._one_at_a_time = asyncio.Lock()
        self.folder = Path(self._own.name)  #: the copy; what is written there is lost
        self.shelf = PersonaShelf(self.folder)

    @classmethod
    async def open(cls, database: Database) -> Self:
        """With the copy as the database is now."""
        opened = cls(database)
        try:
            await opened.pull()
        except BaseException:
            await opened.close()
            raise
        return opened

    async def pull(self) -> None:
        """Bring the copy up to date."""
        async with self._one_at_a_time:
            async with self._database.reading() as connection:
                query = select(personas.c.name, personas.c.revision)
                there = {row.name: row.revision for row in await connection.execute(query)}
                new = [name for name, revision in there.items() if self._have.get(name) != revision]
                rows = []
                if new:
                    wanted = select(personas).where(personas.c.name.in_(new))
                    rows = list(await connection.execute(wanted))
            gone = [name for name in self._have if name not in there]
            texts = {row.name: row.text for row in rows if _is_usable(row.name, row.text)}
            await asyncio.to_thread(self._write, texts, gone)
            self._have = {name: self._have[name] for name in self._have if name in there}
            self._have |= {row.name: row.revision for row in rows}

    async def follow(self, changed: bool) -> None:
        """After a look at the registry, whose `generation` grows with each change here too."""
        if changed:
            await self.pull()

    async def save(self, name: str, text: str) -> None:
        """Keep it as the owner's own, if it can be used. Raises PersonaError."""
        await asyncio.to_thread(self.shelf.check, text, name)
        async with self._database.writing() as connection:
            await _put(connection, name, text)
        await self.pull()

    async def remove(self, name: str) -> bool:
        """Delete the owner's own; whether there was one."""
        async with self._database.writing() as connection:
            gone = await connection.execute(delete(personas).where(personas.c.name == name))
            if gone.rowcount:
                await bump(connection)
        await self.pull()
        return bool(gone.rowcount)

    async def adopt(self, folder: Path) -> None:
        """Take over the personas of a folder, the first time that any relay asks for it; say
        afterwards which of them are not in the database."""
        shelf = PersonaShelf(folder)
        own = [listed for listed in await asyncio.to_thread(shelf.list) if listed.own]
        try:
            async with self._database.writing() as connection:
                query = select(counters.c.value).where(counters.c.name == _ADOPTED)
                if (await connection.execute(query)).scalar() is None:
                    await connection.execute(insert(counters).values(name=_ADOPTED, value=1))
                    for one in own:
                        if not one.problem and one.id not in self._have:
                            text = await asyncio.to_thread(shelf.text, one.id)
                            await _put(connection, one.id, text)
                            _log.info("persona taken over", persona=one.id)
        except IntegrityError:
            pass  # another relay has begun in the same moment
        await self.pull()
        if unused := [one.id for one in own if one.id not in self._have]:
            _log.warning("personas are not used: doll persona import", personas=unused)

    async def close(self) -> None:
        """Delete the copy."""
        await asyncio.to_thread(self._own.cleanup)

    def _write(self, texts: dict[str, str], gone: list[str]) -> None:
        for name, text in texts.items():
            with replacing(self.folder / f"{name}.toml") as partial:
                partial.write_text(text, encoding="utf-8", newline="")
        for name in gone:
            (self.folder / f"{name}.toml").unlink(missing_ok=True)


async def _put(connection: AsyncConnection, name: str, text: str) -> None:
    await bump(connection)
    query = select(counters.c.value).where(counters.c.name == "generation")
    revision = (await connection.execute(query)).scalar_one()
    values = {"text": text, "changed": int(time.time()), "revision": revision}
    mine = personas.c.name == name
    changed = await connection.execute(update(personas).where(mine).values(**values))
    if not changed.rowcount:
        await connection.execute(insert(personas).values(name=name, **values))


def _is_usable(name: str, text: str) -> bool:
    """Whether that may become a file: others can write to the database too."""
    return _NAME.fullmatch(name) is not None and len(text) <= MAX_FILE_BYTES
