"""The tables, as the newest migration leaves them.

Times are whole seconds of Unix time, so that both databases compare them in the same way. A change
here needs a migration beside it (`relay/store/migrations/versions/`); a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

devices = Table(
    "devices",
    metadata,
    Column("id", String(64), primary_key=True),  # the Device-Id that it sends, usually its MAC
    Column("client_id", String(64), nullable=False, server_default=""),
    Column("name", String(40), nullable=False, unique=True),
    Column("persona", String(255), nullable=False, server_default=""),  # empty: the relay's
    Column("language", String(8), nullable=False, server_default=""),  # empty: the persona's
    Column("settings", Text, nullable=False, server_default="{}"),  # JSON
    Column("created", BigInteger, nullable=False),
    Column("last_seen", BigInteger),
    Column("firmware", String(64), nullable=False, server_default=""),
    Column("board", String(64), nullable=False, server_default=""),
    Column("revoked", BigInteger),  # since when it may not come in
    Column("rotate", Boolean, nullable=False, server_default=false()),  # a new token is wanted
    # Grows when its owner changes or deletes what it remembers.
    Column("memory_revision", BigInteger, nullable=False, server_default="0"),
    Column("forgotten", BigInteger),  # when its memory was deleted; older values are stale
    Column("recorder_until", BigInteger),  # its turns are recorded until then
    Column("instruction", Text, nullable=False, server_default=""),  # in place of its character
)

tokens = Table(
    "tokens",
    metadata,
    Column("hash", String(64), primary_key=True),  # SHA-256 of the token, hex
    Column(
        "device_id",
        ForeignKey("devices.id", ondelete="CASCADE", onupdate="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("created", BigInteger, nullable=False),
    # The doll has not shown yet that it has it; until then the one before counts as well.
    Column("fresh", Boolean, nullable=False, server_default=false()),
)

pairings = Table(
    "pairings",
    metadata,
    Column("ticket", String(32), primary_key=True),  # known only to who speaks for the device
    Column("device_id", String(64), nullable=False, index=True),
    Column("client_id", String(64), nullable=False),
    Column("source", String(64), nullable=False),  # the address that it came from
    Column("code", String(6), nullable=False, unique=True),
    Column("expires", BigInteger, nullable=False),
    Column("confirmed", Boolean, nullable=False, server_default=false()),
)

guesses = Table(
    "guesses",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
)

#: Counters by name. `generation` grows with each change that connected dolls must follow.
counters = Table(
    "counters",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

#: Of people: the owner's password, as `admin`.
credentials = Table(
    "credentials",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("hash", String(255), nullable=False),  # Argon2id
    Column("changed", BigInteger, nullable=False),
)

#: Browsers that are signed in.
logins = Table(
    "logins",
    metadata,
    Column("hash", String(64), primary_key=True),  # SHA-256 of what the cookie holds, hex
    Column("created", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),
)

#: What was said, a row for each question and its answer.
turns = Table(
    "turns",
    metadata,
    Column("id", Integer, primary_key=True),  # grows; never given twice
    Column(
        "device_id",
        ForeignKey("devices.id", ondelete="CASCADE", onupdate="CASCADE"),
        nullable=False,
    ),
    Column("at", BigInteger, nullable=False, index=True),
    Column("heard", Text, nullable=False),
    Column("said", Text, nullable=False),  # as far as it was spoken
    Column("course", Text),  # how it went in time, as JSON; None where nobody knows
    Index("ix_turns_device_id_id", "device_id", "id"),
    sqlite_autoincrement=True,
)

#: What a doll has noted about its owner.
facts = Table(
    "facts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "device_id",
        ForeignKey("devices.id", ondelete="CASCADE", onupdate="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("at", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    sqlite_autoincrement=True,
)

#: What was said before the turns that still stand in the prompt, in short.
summaries = Table(
    "summaries",
    metadata,
    Column(
        "device_id",
        ForeignKey("devices.id", ondelete="CASCADE", onupdate="CASCADE"),
        primary_key=True,
    ),
    Column("at", BigInteger, nullable=False),
    Column("up_to", BigInteger, nullable=False),  # the newest turn that is in it
    Column("text", Text, nullable=False),
)

#: People who have shown a code, and may write to the doll in Telegram.
telegram_people = Table(
    "telegram_people",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # Telegram's own
    Column("name", String(64), nullable=False),  # as they call themselves
    Column("linked", BigInteger, nullable=False),
)

#: Codes that nobody has shown yet; each is good once.
telegram_codes = Table(
    "telegram_codes",
    metadata,
    Column("hash", String(64), primary_key=True),  # SHA-256 of the code, hex
    Column("expires", BigInteger, nullable=False),
)

#: The owner's own personas, where the database is shared by several machines.
personas = Table(
    "personas",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("text", Text, nullable=False),  # TOML
    Column("changed", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),  # the `generation` that brought this text
)
