"""The business tables: who asked, what was said, promised, priced and done. All their SQL is here.

Each write is keyed by the idempotency key of its caller, so that a second attempt finds the row of
the first. Transactions are short and never open during network calls; inline handlers may not come
here. Connections stay open between them, so a server's are not made anew for each write. The schema
has a number of its own in `records_schema`, apart from that of the engine.
"""

from __future__ import annotations

import atexit
import functools
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningInsert

if TYPE_CHECKING:
    from engine.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")
Row = dict[str, Any]
Make = Callable[[sa.Connection], Row]
#: names of columns, and whether the value that is looked for is NULL
_Shape = tuple[tuple[str, bool], ...]

#: counts up with each change of the tables; every change but the first has an entry in _CHANGES
SCHEMA = 1
_CHANGES: dict[int, Sequence[str]] = {}
#: any number, the same for all nodes: two of them never change the tables at once
_LOCK = 7_116_931_046
_BUSY_S = 10
#: idle connections that are kept for each database
_KEPT = 4
#: databases that are kept open; an installation has one
_MOST = 8
#: option of an execution that only reads
_READS = "caseway_reads"

metadata = sa.MetaData()


def _table(name: str, *columns: sa.Column[Any], unique: Sequence[Sequence[str]] = ()) -> sa.Table:
    """Return a table with tenant, id and the key of the write that made the row."""
    return sa.Table(
        f"records_{name}",
        metadata,
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(300), nullable=False),
        *columns,
        sa.UniqueConstraint("tenant", "key", name=f"uq_records_{name}_key"),
        *(
            sa.UniqueConstraint("tenant", *names, name=f"uq_records_{name}_{names[-1]}")
            for names in unique
        ),
    )


def _text(name: str, *, needed: bool = False, index: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=not needed, index=index)


schema = sa.Table("records_schema", metadata, sa.Column("number", sa.Integer, primary_key=True))

#: a case and its number; `id` is the number
case = _table(
    "case", sa.Column("year", sa.Integer), sa.Column("seq", sa.Integer), _text("root_id"),
    _text("state"), _text("outcome"), _text("subject"), _text("language"), _text("customer_id"),
    _text("opened_at"), _text("closed_at"), unique=[("year", "seq")],
)  # fmt: skip
#: a person or organisation that asks; state: known | provisional
customer = _table(
    "customer", _text("name"), _text("email"), _text("phone"), _text("tier"), _text("language"),
    _text("preferred_channel"), _text("state"), _text("created_at"),
)  # fmt: skip
#: an address by which a customer is known; kind: email | phone | name
identity = _table(
    "identity", _text("kind", needed=True), _text("value", needed=True, index=True),
    _text("customer_id", needed=True),
)  # fmt: skip
#: what came in and went out; direction: in | out; state: taken | queued | sent | refused
message = _table(
    "message", _text("direction"), _text("case_number", index=True), _text("token", index=True),
    _text("message_id", index=True), _text("channel"), _text("address"), _text("template"),
    _text("expects"), _text("subject"), _text("text"), _text("state"), _text("file"), _text("at"),
)  # fmt: skip
#: a price; state: offered | accepted | void
quote = _table(
    "quote", _text("case_number", index=True), _text("content"), _text("total"), _text("state"),
    _text("accepted_by"), _text("accepted_at"), _text("document_hash"), _text("created_at"),
)  # fmt: skip
#: who can work; skills, teams and days are lists as JSON, shifts are local times such as 09:00
staff = _table(
    "staff", _text("name"), _text("email"), _text("skills"), _text("teams"), _text("days"),
    _text("shift_from"), _text("shift_to"), _text("zone"), _text("capacity_hours"),
    sa.Column("active", sa.Boolean),
)  # fmt: skip
#: who does what; state: assigned | returned | done | cancelled
work_order = _table(
    "work_order", _text("case_number", index=True), _text("root_id"), _text("title"),
    _text("skill"), _text("user", index=True), _text("hours"), _text("state"), _text("report"),
    _text("spent_hours"), _text("assigned_at"), _text("ended_at"),
)  # fmt: skip
#: a question how it was; score 1 to 5
survey = _table(
    "survey", _text("case_number", index=True), _text("sent_at"),
    sa.Column("score", sa.Integer), _text("comment"), _text("answered_at"),
)  # fmt: skip
#: what somebody was promised; state: open | kept | broken
promise = _table(
    "promise", _text("case_number", index=True), _text("text"), _text("due_on"), _text("state"),
    _text("made_at"),
)  # fmt: skip


def _again(method: Callable[P, R]) -> Callable[P, R]:
    """Do it once more if its connection was lost, as one is that the server has ended meanwhile.

    Safe after a lost COMMIT too: each write finds that it was made already.
    """

    @functools.wraps(method)
    def repeated(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except sa.exc.DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return method(*args, **kwargs)

    return repeated


class Records:
    """The business tables of one database and tenant. Safe to share by threads."""

    _open: dict[tuple[str, str], Records] = {}  # noqa: RUF012 - one for each database
    _opening = threading.Lock()
    #: pools of the process that this one was forked from: never used, and never closed here
    _inherited: list[sa.Pool] = []  # noqa: RUF012

    def __init__(self, url: str, tenant: str = "default") -> None:
        parsed = sa.engine.make_url(url)
        self._sqlite = parsed.get_backend_name() == "sqlite"
        self.tenant = tenant
        # as many connections as threads ask at once; the last used one first, so few are used
        pool: dict[str, Any] = {"pool_size": _KEPT, "max_overflow": -1, "pool_use_lifo": True}
        if self._sqlite:
            options = {"isolation_level": None, "timeout": _BUSY_S, "check_same_thread": False}
            self._db = sa.create_engine(parsed, connect_args=options, **pool)
            sa.event.listen(self._db, "connect", _pragmas)
            sa.event.listen(self._db, "begin", _begin)
            self._reading_db = self._db.execution_options(**{_READS: True})
        else:
            self._db = sa.create_engine(parsed.set(drivername="postgresql+psycopg"), **pool)
            self._reading_db = self._db.execution_options(isolation_level="AUTOCOMMIT")

    @classmethod
    def of(cls, settings: Settings) -> Records:
        """Return the tables of an installation, brought up to date at the first call."""
        known = (settings.url, settings.tenant)
        with cls._opening:
            if known not in cls._open:
                settings.data_dir.mkdir(parents=True, exist_ok=True)
                opened = cls(*known)
                opened.migrate()
                cls._open[known] = opened
                if len(cls._open) > _MOST:
                    cls._open.pop(next(iter(cls._open))).close()
            return cls._open[known]

    @classmethod
    def close_all(cls) -> None:
        """Close the idle connections of this process; who asks again opens new ones."""
        with cls._opening:
            for opened in cls._open.values():
                opened.close()
            cls._open.clear()

    def close(self) -> None:
        """Close the idle connections."""
        self._db.dispose()

    @classmethod
    def _after_fork(cls) -> None:
        """Leave the connections to the process that has opened them: two would speak on one."""
        cls._opening = threading.Lock()
        for opened in cls._open.values():
            cls._inherited.append(opened._db.pool)
            opened._db.dispose(close=False)

    def migrate(self) -> None:
        """Bring the tables up to date; a database of a newer Caseway is refused."""
        with self.writing() as connection:
            self._alone(connection, _LOCK)
            metadata.create_all(connection)
            found = connection.scalar(sa.select(sa.func.max(schema.c.number)))
            if found is not None and found > SCHEMA:
                raise ValueError(f"records_schema is {found}, this Caseway knows {SCHEMA}")
            for number in range((found or SCHEMA) + 1, SCHEMA + 1):
                for statement in _CHANGES[number]:
                    connection.execute(sa.text(statement))
            if found != SCHEMA:
                connection.execute(sa.insert(schema).values(number=SCHEMA))

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Yield a connection in a short transaction; an exception undoes it."""
        with self._db.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Yield a connection for queries, each of which sees what is stored at its moment."""
        with self._reading_db.connect() as connection:
            yield connection

    @staticmethod
    def fresh_id() -> str:
        """Return an id for a row that no activation makes."""
        return secrets.token_hex(16)

    def _alone(self, connection: sa.Connection, lock: int) -> None:
        """Wait until no other transaction holds this lock; SQLite has one writer anyway."""
        if not self._sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))

    # -------------------------------------------------------------- by id, by key

    @_again
    def once(self, table: sa.Table, key: str, make: Make) -> Row:
        """Return the row that was written with this key; make it if there is none yet."""
        return self.all_once([(table, key, make)])[0]

    def all_once(self, rows: Sequence[tuple[sa.Table, str, Make]]) -> list[Row]:
        """Return several rows as `once` does, in one transaction."""
        if not all(key for _, key, _ in rows):
            raise ValueError("a write needs the key of its work item")
        try:
            with self.writing() as connection:
                return [self._once(connection, *row) for row in rows]
        except sa.exc.IntegrityError:
            # another process has written it, or taken its number, since this one looked
            with self.writing() as connection:
                return [self._once(connection, *row) for row in rows]

    def _once(self, connection: sa.Connection, table: sa.Table, key: str, make: Make) -> Row:
        known = self.first(connection, table, key=key)
        return known or self._insert(connection, table, key=key, **make(connection))

    def _insert(self, connection: sa.Connection, table: sa.Table, **values: Any) -> Row:
        made = connection.execute(_inserting(table), {"tenant": self.tenant, **values})
        return dict(made.one()._mapping)

    def first(self, connection: sa.Connection, table: sa.Table, **where: Any) -> Row | None:
        """Return the first row with these values."""
        found = self.rows(connection, table, **where)
        return found[0] if found else None

    def rows(self, connection: sa.Connection, table: sa.Table, **where: Any) -> list[Row]:
        """Return all rows with these values, in the order of their ids."""
        found = connection.execute(_selecting(table, _shape(where)), self._given(where))
        return [dict(row._mapping) for row in found]

    def _given(self, where: Mapping[str, Any]) -> Row:
        found = {"tenant": self.tenant, **where}
        return {f"at_{name}": value for name, value in found.items()}

    @_again
    def get(self, table: sa.Table, **where: Any) -> Row | None:
        """Return the first row with these values, as they are stored now."""
        with self.reading() as connection:
            return self.first(connection, table, **where)

    @_again
    def all(self, table: sa.Table, **where: Any) -> list[Row]:
        """Return all rows with these values, as they are stored now."""
        with self.reading() as connection:
            return self.rows(connection, table, **where)

    @_again
    def change(self, table: sa.Table, where: Mapping[str, Any], **values: Any) -> int:
        """Set values in the rows found; return how many there are."""
        with self.writing() as connection:
            return self._change(connection, table, where, **values)

    def _change(
        self, connection: sa.Connection, table: sa.Table, where: Mapping[str, Any], **values: Any
    ) -> int:
        update = _updating(table, _shape(where), tuple(values))
        set_to = {f"to_{name}": value for name, value in values.items()}
        return connection.execute(update, {**self._given(where), **set_to}).rowcount

    # -------------------------------------------------------------- cases

    def number_case(self, key: str, now: datetime, given: str | None = None) -> str:
        """Return the number of a case, such as 2026-000123: the given one, or the next free."""
        if given is not None:
            year, _, seq = given.partition("-")
            known = self.get(case, id=given)
            if known is None:
                self.once(case, key, lambda _: self._opened(given, int(year), int(seq), now))
            return given

        def next_free(connection: sa.Connection) -> Row:
            self._alone(connection, _LOCK)
            highest = connection.scalar(
                sa.select(sa.func.max(case.c.seq))
                .where(case.c.tenant == self.tenant, case.c.year == now.year)
            )  # fmt: skip
            seq = (highest or 0) + 1
            return self._opened(f"{now.year}-{seq:06d}", now.year, seq, now)

        number: str = self.once(case, key, next_free)["id"]
        return number

    def _opened(self, number: str, year: int, seq: int, now: datetime) -> Row:
        return {
            "id": number, "year": year, "seq": seq, "state": "open", "opened_at": now.isoformat()
        }  # fmt: skip

    @_again
    def close_case(self, number: str, outcome: str, now: datetime) -> Row:
        """End a case and let go of its assigned work; a second call changes nothing."""
        with self.writing() as connection:
            found = self.first(connection, case, id=number)
            if found is None:
                raise ValueError(f"there is no case {number!r}")
            if found["state"] != "closed":
                ended = {"state": "closed", "outcome": outcome, "closed_at": now.isoformat()}
                self._change(connection, case, {"id": number}, **ended)
                self._change(
                    connection, work_order, {"case_number": number, "state": "assigned"},
                    state="cancelled", ended_at=now.isoformat(),
                )  # fmt: skip
                found |= ended
            return found

    # -------------------------------------------------------------- customers

    @_again
    def known_by(self, identities: Sequence[tuple[str, str]]) -> list[Row]:
        """Return the customers that have one of these (kind, value), each once."""
        found: dict[str, Row] = {}
        with self.reading() as connection:
            for kind, value in identities:
                for one in self.rows(connection, identity, kind=kind, value=value):
                    row = self.first(connection, customer, id=one["customer_id"])
                    if row is not None:
                        found.setdefault(row["id"], row)
        return list(found.values())

    @_again
    def ordered_by(self, customer_id: str, since: datetime) -> list[Decimal]:
        """Return the totals of what a customer has accepted since a moment."""
        with self.reading() as connection:
            totals = connection.scalars(
                sa.select(quote.c.total)
                .where(
                    quote.c.tenant == self.tenant, quote.c.state == "accepted",
                    quote.c.accepted_at >= since.isoformat(), case.c.tenant == self.tenant,
                    case.c.id == quote.c.case_number, case.c.customer_id == customer_id,
                )
            )  # fmt: skip
            return [Decimal(total) for total in totals]

    def add_customer(
        self, key: str, values: Row, identities: Sequence[tuple[str, str]], new_id: str
    ) -> Row:
        """Store a customer with the addresses it is known by."""
        known_as = _identities(key, new_id, identities)
        rows = [(customer, key, lambda _: {"id": new_id, **values}), *known_as]
        return _again(self.all_once)(rows)[0]

    def add_identities(
        self, key: str, customer_id: str, identities: Sequence[tuple[str, str]]
    ) -> None:
        """Let a customer be known by further addresses."""
        _again(self.all_once)(_identities(key, customer_id, identities))

    # -------------------------------------------------------------- staff and work orders

    def employ(self, user: str, values: Row) -> None:
        """Store a member of the staff, or change one; `handlers.staff.employ` makes the values."""
        self.once(staff, user, lambda _: {"id": user, **values})
        self.change(staff, {"id": user}, **values)

    @_again
    def assign(self, key: str, order: Row, choose: Callable[[list[Row]], str | None]) -> Row | None:
        """Assign a work order to whom `choose` takes of the staff; None if it takes nobody.

        Each member of the staff comes with `load`, the hours assigned and not done. Choosing and
        assigning are one transaction, so that two orders never share the same free hours.
        """
        with self.writing() as connection:
            self._alone(connection, _LOCK + 1)
            known = self.first(connection, work_order, key=key)
            if known is not None:
                return known
            people = self.rows(connection, staff, active=True)
            for person in people:
                open_orders = self.rows(connection, work_order, user=person["id"], state="assigned")
                person["load"] = sum((Decimal(o["hours"]) for o in open_orders), Decimal(0))
            user = choose(people)
            if user is None:
                return None
            row = {**order, "user": user, "state": "assigned"}
            return self._insert(connection, work_order, key=key, id=key[-64:], **row)


def _identities(
    key: str, customer_id: str, identities: Sequence[tuple[str, str]]
) -> list[tuple[sa.Table, str, Make]]:
    """Return the rows of addresses for `all_once`."""

    def made(at: str, kind: str, value: str) -> Make:
        row = {"id": at[-64:], "kind": kind, "value": value, "customer_id": customer_id}
        return lambda _: row

    places = [(f"{key}/{kind}", kind, value) for kind, value in identities]
    return [(identity, at, made(at, kind, value)) for at, kind, value in places]


# Statements are made once: to put one together costs more than to execute it.


def _shape(where: Mapping[str, Any]) -> _Shape:
    return tuple((name, value is None) for name, value in where.items())


def _conditions(table: sa.Table, shape: _Shape) -> list[sa.ColumnElement[bool]]:
    return [
        table.c.tenant == sa.bindparam("at_tenant"),
        *(
            table.c[name].is_(None) if null else table.c[name] == sa.bindparam(f"at_{name}")
            for name, null in shape
        ),
    ]


@functools.cache
def _selecting(table: sa.Table, shape: _Shape) -> sa.Select[Any]:
    return sa.select(table).where(*_conditions(table, shape)).order_by(table.c.id)


@functools.cache
def _updating(table: sa.Table, shape: _Shape, names: tuple[str, ...]) -> sa.Update:
    values: dict[str, Any] = {name: sa.bindparam(f"to_{name}") for name in names}
    return sa.update(table).where(*_conditions(table, shape)).values(values)


@functools.cache
def _inserting(table: sa.Table) -> ReturningInsert[Any]:
    return sa.insert(table).returning(*table.c)


def _pragmas(connection: sqlite3.Connection, record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    # as often as the engine does, whose journal it is: see engine/store/drivers.py
    connection.execute("PRAGMA wal_autocheckpoint=4000")


def _begin(connection: sa.Connection) -> None:
    # the write lock at once: a reading transaction that wants to write later could be refused
    if not connection.get_execution_options().get(_READS):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


atexit.register(Records.close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=Records._after_fork)
