"""How each turn went in time, beside what was said in it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; turns of before have none."""
    op.add_column("turns", sa.Column("course", sa.Text()))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("turns", "course")
