"""What Alembic runs: the migrations on the connection that `engine.store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from engine.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter a column: Alembic copies the table instead
    render_as_batch=True,
    compare_type=True,
    # the partitions of the history come and go by themselves (engine/store/partitions.py)
    include_name=lambda name, kind, _: kind != "table" or not str(name).startswith("history_"),
    transaction_per_migration=False,
)
context.run_migrations()
