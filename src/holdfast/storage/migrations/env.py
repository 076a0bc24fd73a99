"""How alembic runs the steps: on the connection that it was given, all in one transaction."""

from __future__ import annotations

from alembic import context

from holdfast.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite can roll back table changes too, once its driver is told to leave transactions alone (engine.py).
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
