"""Open tasks by name, and the number of each running case in parts, so that searches read few rows.

Triggers write the parts with the row of the case: no verb sends a statement for them, and what a
program of before starts meanwhile is found, too. The cases that are there already are spelled out
behind the migration, step by step (`engine/store/numbers.py`).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

#: longest number that is spelled out, and longest name in an index
_LONGEST, _NAME = 64, 200
_PLACES = ", ".join(f"({place})" for place in range(1, _LONGEST + 1))
_LENGTH = "length(lower(NEW.business_key))"
_PARTS = f"""
SELECT NEW.tenant, substr(lower(NEW.business_key), place.column1), NEW.id
FROM (VALUES {_PLACES}) AS place WHERE place.column1 <= {_LENGTH} AND {_LENGTH} <= {_LONGEST}
UNION ALL SELECT NEW.tenant, '', NEW.id WHERE {_LENGTH} > {_LONGEST}"""  # noqa: S608
_INSERT = f"INSERT INTO case_number (tenant, part, root_id) {_PARTS} ON CONFLICT DO NOTHING"
_DELETE = f"""
DELETE FROM case_number WHERE tenant = NEW.tenant AND root_id = NEW.id AND part IN
(SELECT substr(lower(NEW.business_key), place.column1) FROM (VALUES {_PLACES}) AS place
WHERE place.column1 <= {_LENGTH} UNION ALL SELECT '')"""  # noqa: S608
_IS_NUMBERED = "NEW.parent_id IS NULL AND NEW.business_key IS NOT NULL"
_BEGINS = f"{_IS_NUMBERED} AND NEW.state = 'running'"
_ENDS = f"{_IS_NUMBERED} AND NEW.state <> 'running' AND OLD.state = 'running'"


def upgrade() -> None:
    """Create the indexes, the table, and what fills it."""
    _index("ix_user_task_name", "user_task", ["tenant", "name", "due_at", "id"],
           f"state = 'open' AND length(name) <= {_NAME}")  # fmt: skip
    _index("ix_user_task_long_name", "user_task", ["tenant", "id"],
           f"state = 'open' AND length(name) > {_NAME}")  # fmt: skip
    _index("ix_user_task_free", "user_task", ["tenant", "due_at", "id"],
           "state = 'open' AND assignee IS NULL")  # fmt: skip
    _index("ix_instance_calling", "instance", ["tenant", "process_id", "id"],
           "parent_id IS NOT NULL AND state = 'running'")  # fmt: skip
    op.create_table(
        "case_number",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column(
            "part",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("root_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "part", "root_id", name="pk_case_number"),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "sqlite":
        _triggers_of_sqlite()
    else:
        _triggers_of_postgres()
    op.execute("INSERT INTO meta (name, value) VALUES ('numbers_behind', '/')")


def _triggers_of_sqlite() -> None:
    op.execute(
        f"CREATE TRIGGER case_begins AFTER INSERT ON instance WHEN {_BEGINS} BEGIN {_INSERT}; END"
    )
    op.execute(
        f"CREATE TRIGGER case_ends AFTER UPDATE OF state ON instance WHEN {_ENDS}"
        f" BEGIN {_DELETE}; END"
    )


def _triggers_of_postgres() -> None:
    for name, act, when, what in (
        ("case_begins", "INSERT", _BEGINS, _INSERT),
        ("case_ends", "UPDATE OF state", _ENDS, _DELETE),
    ):
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {what}; RETURN NULL; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {name} AFTER {act} ON instance FOR EACH ROW WHEN ({when})"
            f" EXECUTE FUNCTION {name}()"
        )


def _index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
