"""What months cost and save: the same history as one table and by month, on one PostgreSQL server.

`python -m tests.bench.monthly [CASES A MONTH]` prints each figure of both, and their ratio: the
median of rounds that alternate. The server is a throw-away one that syncs its log.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import psycopg
import sqlalchemy as sa

from engine.runtime import Engine
from engine.settings import Settings
from engine.store import month, partitions
from tests.bench import drawings
from tests.postgres import Cluster, cluster

MONTHS = 8
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
#: what is started
PROCESS = "scripts"
#: cases that are started in one round, rounds
_STARTS, _ROUNDS = 60, 15
#: how long others write before the table is divided; seconds
_QUIET_S = 3.0


def main(cases: int) -> None:
    """Measure and print."""
    with (
        cluster(durable=True) as server,
        _opened(server, "one_table") as one,
        _opened(server, "by_month") as monthly,
    ):
        pair = (one, monthly)
        _say("a start with ten scripts, ms", [_starts(pair, turn) for turn in range(_ROUNDS)])
        for engine in pair:
            _fill(engine, cases)
        _say("the history of a case, ms", [_reads(pair, turn) for turn in range(_ROUNDS)])
        before = tuple(_size(engine) / 1e6 for engine in pair)
        moved = [_archives(pair, number) for number in range(MONTHS // 2)]
        _say("archiving a month, s", moved)
        cleaned = tuple(_timed(clean) for clean in (lambda: _vacuum(one), monthly.keep_months))
        _say(f"cleaning up after {MONTHS // 2} months, s", [cleaned])
        _say("MB of the history before", [before])
        _say("MB of the history after", [tuple(_size(engine) / 1e6 for engine in pair)])
        _divide(one)


@contextmanager
def _opened(server: Cluster, name: str) -> Iterator[Engine]:
    with psycopg.connect(server.url().replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Settings(data_dir=Path(folder), database_url=server.url(name)))
        if name == "one_table":
            with mock.patch.object(partitions, "ready", return_value=partitions.Kept()):
                engine.migrate()
        else:
            engine.migrate()
            _begin_in(engine, FIRST)
        engine.deploy({"s.bpmn": drawings.scripts()}, by="bench")
        yield engine
        engine.close()


def _begin_in(engine: Engine, first: datetime) -> None:
    """Let the months begin when the first case did."""
    bound, before = month.first_id(first), month.BEFORE
    with engine.database.db.begin() as connection:
        month.send(
            connection,
            f"ALTER TABLE history DETACH PARTITION {before}",
            f"ALTER TABLE history ATTACH PARTITION {before}"
            f" FOR VALUES FROM (MINVALUE) TO ('{bound}')",
        )
        for number in range(MONTHS):
            month.make(connection, month.later(first, number))


def _fill(engine: Engine, cases: int) -> None:
    """Store copies of a case that was really run, so many in each month."""
    template = engine.start(PROCESS, {"a": 1}).id
    for number in range(MONTHS):
        begin = month.later(FIRST, number)
        given = {"template": template, "cases": cases, "ms": int(begin.timestamp() * 1000),
                 "at": begin + timedelta(days=1)}  # fmt: skip
        with engine.database.db.begin() as connection:
            for table, texts, moments in (
                ("instance", ("id", "root_id"), ("started_at", "ended_at")),
                ("history", ("root_id", "instance_id"), ("at",)),
            ):
                connection.execute(sa.text(_copying(connection, table, texts, moments)), given)
    with engine.database.db.begin() as connection:
        connection.exec_driver_sql("ANALYZE")


def _copying(
    connection: sa.Connection, table: str, texts: tuple[str, ...], moments: tuple[str, ...]
) -> str:
    names = [column["name"] for column in sa.inspect(connection).get_columns(table)]
    hexed = "lpad(to_hex(CAST(:ms AS bigint) + n * 60000), 12, '0')"
    fresh = f"substr({hexed}, 1, 8) || '-' || substr({hexed}, 9) || substr(r.root_id, 14)"
    values = [
        fresh if name in texts else "CAST(:at AS timestamptz)" if name in moments else f"r.{name}"
        for name in names
    ]
    return (
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)}"
        f" FROM generate_series(1, CAST(:cases AS int)) n, {table} r WHERE r.root_id = :template"
    )


# ------------------------------------------------------------------ one round


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _both(
    pair: tuple[Engine, Engine], turn: int, act: Callable[[Engine], object], scale: float = 1.0
) -> tuple[float, ...]:
    """Time something on both, each of them first every other turn."""
    order = pair if turn % 2 else pair[::-1]
    took = {id(engine): _timed(lambda e=engine: act(e)) * scale for engine in order}  # type: ignore[misc]
    return tuple(took[id(engine)] for engine in pair)


def _starts(pair: tuple[Engine, Engine], turn: int) -> tuple[float, ...]:
    def start(engine: Engine) -> None:
        for _ in range(_STARTS):
            engine.start(PROCESS, {"a": 1})

    return _both(pair, turn, start, 1000 / _STARTS)


def _reads(pair: tuple[Engine, Engine], turn: int) -> tuple[float, ...]:
    def read(engine: Engine) -> None:
        for case in cases[engine]:
            assert engine.history(case)

    cases = {engine: [case.id for case in engine.cases(limit=200)] for engine in pair}
    return _both(pair, turn, read, 1000 / 200)


def _archives(pair: tuple[Engine, Engine], number: int) -> tuple[float, ...]:
    before = month.later(FIRST, number) + timedelta(days=2)

    def archive(engine: Engine) -> None:
        while engine.archive(before) is not None:
            pass

    return _both(pair, number, archive)


def _divide(engine: Engine) -> None:
    """Divide the one table while two threads start cases, and say what they noticed of it."""
    stop = threading.Event()
    took: list[float] = []

    def write() -> None:
        while not stop.is_set():
            took.append(_timed(lambda: engine.start(PROCESS, {"a": 1})) * 1000)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    time.sleep(_QUIET_S)
    before = len(took)
    began = time.perf_counter()
    while not engine.keep_months().done:
        time.sleep(0.1)
    lasted, during = time.perf_counter() - began, took[before:]
    stop.set()
    for writer in writers:
        writer.join()
    with engine.database.db.connect() as connection:
        rows = connection.execute(sa.text("SELECT count(*) FROM history")).scalar_one()
    print(
        f"{rows} rows divided in {lasted:.2f} s; of {len(during)} starts meanwhile the slowest took"
        f" {max(during):.0f} ms, of {before} before it {max(took[:before]):.0f} ms"
    )


def _vacuum(engine: Engine) -> None:
    url = engine.database.db.url.set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as server:
        server.execute("VACUUM history")


def _size(engine: Engine) -> int:
    whole = (
        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class"
        " WHERE relkind = 'r' AND relname LIKE 'history%'"
    )
    with engine.database.db.connect() as connection:
        return int(connection.execute(sa.text(whole)).scalar_one())


def _say(what: str, rounds: list[tuple[float, ...]]) -> None:
    one, monthly = (statistics.median(side) for side in zip(*rounds, strict=True))
    ratio = statistics.median([after / before for before, after in rounds])
    print(f"{what:40} {one:10.3f} {monthly:10.3f}   x {ratio:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
