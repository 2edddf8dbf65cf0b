"""What a search walks: the names of open tasks, and the number of each running case in parts."""

from __future__ import annotations

import sqlalchemy as sa

from engine.store.shape import index_where, metadata, tenant, text
from engine.store.tables_cases import instance, user_task

#: the longest name of a task that stands in an index: PostgreSQL refuses entries over 2,704 bytes
NAME_LENGTH = 200

# The number of a running case from each of its characters on, in lower case: a text stands in a
# number if one of its parts begins with it. Triggers write and delete the rows with those of
# `instance`, so that no verb sends a statement for them and programs of before write them, too. A
# number that is too long to be spelled out has one part, "".
case_number = sa.Table(
    "case_number",
    metadata,
    tenant(),
    # compared byte by byte: what begins with a text is one range
    sa.Column(
        "part",
        sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
        nullable=False,
        primary_key=True,
    ),
    text("root_id", key=True),
    sqlite_with_rowid=False,
)

# few different names, each of them in the order of the work list
index_where(
    "name", user_task, f"state = 'open' AND length(name) <= {NAME_LENGTH}",
    "tenant", "name", "due_at", "id",
)  # fmt: skip
index_where(
    "long_name", user_task, f"state = 'open' AND length(name) > {NAME_LENGTH}", "tenant", "id"
)
# what groups may claim, however many tasks people have already
index_where(
    "free", user_task, "state = 'open' AND assignee IS NULL", "tenant", "due_at", "id"
)  # fmt: skip
# the board asks for the called ones, too
index_where(
    "calling", instance, "parent_id IS NOT NULL AND state = 'running'",
    "tenant", "process_id", "id",
)  # fmt: skip
