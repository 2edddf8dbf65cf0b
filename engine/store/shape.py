"""The building blocks of the tables: column shorthands, names of constraints, partial indexes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from engine.store.columns import Json, Moment

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
    }
)


def text(name: str, *, null: bool = False, key: bool = False) -> sa.Column[Any]:
    """Return a text column."""
    return sa.Column(name, sa.Text, nullable=null, primary_key=key)


def number(name: str, *, null: bool = False, key: bool = False) -> sa.Column[Any]:
    """Return a column for whole numbers."""
    return sa.Column(
        name, sa.BigInteger, nullable=null, primary_key=key, autoincrement=False if key else "auto"
    )


def moment(name: str, *, null: bool = False) -> sa.Column[Any]:
    """Return a column for an aware UTC time."""
    return sa.Column(name, Moment, nullable=null)


def json(name: str, *, null: bool = False) -> sa.Column[Any]:
    """Return a column for a value in the engine's JSON."""
    return sa.Column(name, Json, nullable=null)


def tenant() -> sa.Column[Any]:
    """Return the column that leads every key."""
    return text("tenant", key=True)


def index_where(
    name: str, table: sa.Table, condition: str, *columns: str, unique: bool = False
) -> None:
    """Add an index on the rows that fulfil a condition; what is over costs it nothing."""
    where = sa.text(condition)
    sa.Index(
        f"ix_{table.name}_{name}",
        *(table.c[column] for column in columns),
        unique=unique,
        sqlite_where=where,
        postgresql_where=where,
    )
