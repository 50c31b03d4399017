"""Brings the tables up to date when the relay starts: Alembic, in this process.

Most starts find nothing to do and do not even import it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

if TYPE_CHECKING:
    from alembic.config import Config

#: The newest revision in `migrations/versions`; a test compares them.
HEAD = "0006"

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x646F6C6C  # PostgreSQL's advisory lock: two relays that start together take turns


class NewerDatabaseError(Exception):
    """The database was written by a later version of the relay."""


async def upgrade(connection: AsyncConnection) -> None:
    """Run the migrations that are missing. Raises NewerDatabaseError, or SQLAlchemyError."""
    if await connection.run_sync(_revision) == HEAD:
        await connection.rollback()
        return
    await connection.rollback()
    await connection.execution_options(doll_writes=True)
    async with connection.begin():
        if connection.dialect.name == "postgresql":
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        await connection.run_sync(_upgrade)


def _revision(connection: Connection) -> str | None:
    """What the database says it is; None if it is new."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = make_config(connection)
    revision = _revision(connection)
    if revision is not None:
        try:
            ScriptDirectory.from_config(config).get_revision(revision)
        except CommandError:
            raise NewerDatabaseError(
                f"a later version of the relay has written it (revision {revision}); "
                "update this relay, or restore a backup"
            ) from None
    command.upgrade(config, "head")


def make_config(connection: Connection) -> Config:
    """Alembic's configuration, for this connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
