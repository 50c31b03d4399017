"""Who may write to the doll in Telegram, and a character given in words of its owner's own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.add_column("devices", sa.Column("instruction", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "telegram_people",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("linked", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_telegram_people"),
    )
    op.create_table(
        "telegram_codes",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_telegram_codes"),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("telegram_codes", "telegram_people"):
        op.drop_table(table)
    op.drop_column("devices", "instruction")
