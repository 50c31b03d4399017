"""Alembic's entry point: runs the migrations over the connection that the relay has open."""

from __future__ import annotations

from alembic import context

from relay.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by writing it anew
)
with context.begin_transaction():
    context.run_migrations()
