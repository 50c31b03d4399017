"""What the dolls remember, and until when one is recorded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COLUMNS = ("memory_revision", "forgotten", "recorder_until")


def upgrade() -> None:
    """Make the tables."""
    op.add_column(
        "devices",
        sa.Column("memory_revision", sa.BigInteger(), nullable=False, server_default="0"),
    )
    op.add_column("devices", sa.Column("forgotten", sa.BigInteger()))
    op.add_column("devices", sa.Column("recorder_until", sa.BigInteger()))
    op.create_table(
        "turns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("heard", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        _of_a_device("turns"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_turns_device_id_id", "turns", ["device_id", "id"])
    op.create_index("ix_turns_at", "turns", ["at"])
    op.create_table(
        "facts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_facts"),
        _of_a_device("facts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_facts_device_id", "facts", ["device_id"])
    op.create_table(
        "summaries",
        sa.Column("device_id", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("up_to", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", name="pk_summaries"),
        _of_a_device("summaries"),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("summaries", "facts", "turns"):
        op.drop_table(table)
    for column in _COLUMNS:
        op.drop_column("devices", column)


def _of_a_device(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["device_id"],
        ["devices.id"],
        name=f"fk_{table}_device_id_devices",
        ondelete="CASCADE",
        onupdate="CASCADE",
    )
