"""The history of ended cases moves into files, is read there, and always is in just one place."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine.clock import VirtualClock
from engine.errors import SettingsError, Unavailable
from engine.model import HistoryRow
from engine.runtime import Engine
from engine.store import parquet
from engine.store.tables import archive, blob, history
from tests.integration import drawings
from tests.integration.conftest import MakeEngine
from tests.integration.test_decisions import OLD, YOUNG, called, rules

pytest.importorskip("arro3.io", reason="the extra `archive` is not installed")
DAY = 86400
LONG = "x" * 5000


class _Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def clock(clock: VirtualClock) -> VirtualClock:
    """Return a clock that is ahead of the ids, which come from the system."""
    clock.move_to(clock.now() + timedelta(days=36500))
    return clock


def _ended(engine: Engine, count: int = 1) -> list[str]:
    """Return cases that have ended, each with a long and a short variable."""
    engine.deploy({"a.bpmn": drawings.scripts(2)}, by="ann")
    found = [engine.start("p", {"a": 1, "secret": LONG, "n": n}).id for n in range(count)]
    assert all(engine.case(id).ended_at for id in found)
    return found


def _archive(engine: Engine, clock: VirtualClock, days: float = 30) -> list[int]:
    """Archive all that is old enough; return the cases of each file."""
    moved, after = [], ""
    while one := engine.archive(clock.now() - timedelta(days=days), after=after):
        moved.append(one.cases)
        after = one.last
    return moved


def _files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "archive").rglob("*.*"))


def _count(engine: Engine, table: sa.Table) -> int:
    with engine.database.db.connect() as connection:
        query = sa.select(sa.func.count()).select_from(table)
        return int(connection.execute(query).scalar_one())


def _all(engine: Engine, case: str) -> tuple[list[HistoryRow], Any, Any, Any]:
    view = engine.case_view(case)
    pages: list[HistoryRow] = []
    while more := engine.history(case, after=len(pages), limit=3):
        pages += more
    story = [engine.story(case, limit=limit) for limit in (2, 50)]
    return pages, view.passages, story, engine.variables(case)


def test_a_case_reads_the_same_from_the_archive(
    make_engine: MakeEngine, clock: VirtualClock, tmp_path: Path
) -> None:
    # given cases that ended long ago and one that ended lately
    engine = make_engine()
    old = _ended(engine, 3)
    clock.advance(31 * DAY)
    late = engine.start("p", {"a": 2}).id
    before = {case: _all(engine, case) for case in (*old, late)}

    # when what is old is archived
    assert _archive(engine, clock) == [3]

    # then nobody sees a difference, and the database holds the late case alone
    assert {case: _all(engine, case) for case in (*old, late)} == before
    assert _count(engine, history) == len(before[late][0])
    assert _count(engine, blob) == 0
    assert len(_files(tmp_path)) == 1
    assert _archive(engine, clock) == []


def test_a_file_has_no_more_rows_than_the_setting_says(
    make_engine: MakeEngine, clock: VirtualClock, tmp_path: Path
) -> None:
    engine = make_engine()
    rows = len(engine.history(_ended(engine, 5)[0]))
    bounded = make_engine(archive_rows=2 * rows)
    clock.advance(31 * DAY)

    assert _archive(bounded, clock) == [2, 2, 1]
    assert len(_files(tmp_path)) == 3


def test_any_reader_of_parquet_understands_the_file(
    make_engine: MakeEngine, clock: VirtualClock, tmp_path: Path
) -> None:
    import arro3.io

    engine = make_engine()
    (case,) = _ended(engine)
    rows = engine.history(case)
    clock.advance(31 * DAY)
    _archive(engine, clock)

    (file,) = _files(tmp_path)
    table = arro3.io.read_parquet(file).read_all()
    assert table.column_names == list(parquet.Line._fields)
    assert table.column("seq").to_pylist() == [row.seq for row in rows]
    assert table.column("at").to_pylist()[0] == rows[0].at


@pytest.mark.parametrize("place", range(1, 35))
def test_a_process_that_ends_anywhere_loses_and_doubles_nothing(
    make_engine: MakeEngine, clock: VirtualClock, tmp_path: Path, place: int
) -> None:
    # given a process that ends at this statement, or after this commit, of archiving
    engine = make_engine(archive_rows=30)
    cases = _ended(engine, 4)
    clock.advance(31 * DAY)
    before = {case: _all(engine, case) for case in cases}
    left = place

    def passing(text: str) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise _Killed

    dying = make_engine(archive_rows=30)
    dying.database.trace = passing
    try:
        _archive(dying, clock)
    except _Killed:
        pass
    else:
        pytest.skip(f"archiving has fewer than {place} statements")
    finally:
        dying.database.trace = None

    # then every case is whole, before and after somebody archives the rest
    assert {case: _all(engine, case) for case in cases} == before
    _archive(engine, clock)
    clock.advance(2 * 3600)
    engine.tidy_archive()
    assert {case: _all(engine, case) for case in cases} == before
    assert _count(engine, history) == 0
    assert len(_files(tmp_path)) == _count(engine, archive)


def test_a_case_that_changes_meanwhile_stays(
    make_engine: MakeEngine,
    clock: VirtualClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given an erasure between the reading and the moving of a case
    engine = make_engine()
    (case,) = _ended(engine)
    clock.advance(31 * DAY)
    write = parquet.write

    def erase_and_write(*given: Any) -> parquet.Written:
        engine.erase(case, ["secret"], by="ann")
        return write(*given)

    monkeypatch.setattr(parquet, "write", erase_and_write)

    # when it is archived
    assert _archive(engine, clock) == [0]

    # then the file that holds the secret is gone, and the case can be archived next time
    assert _files(tmp_path) == []
    assert LONG not in str(_all(engine, case))
    monkeypatch.setattr(parquet, "write", write)
    assert _archive(engine, clock) == [1]


def test_erasing_reaches_the_file(
    make_engine: MakeEngine, clock: VirtualClock, tmp_path: Path
) -> None:
    # given two cases in one file
    engine = make_engine()
    case, other = _ended(engine, 2)
    clock.advance(31 * DAY)
    _archive(engine, clock)
    (first,) = _files(tmp_path)
    before, kept = engine.history(case), _all(engine, other)

    # when a variable of one of them is erased
    assert engine.erase(case, ["secret"], by="ann", why="asked for") == 1

    # then a new file has taken the place of the old one, without the value
    (second,) = _files(tmp_path)
    assert second != first
    after = engine.history(case)
    assert [row.seq for row in after] == list(range(1, len(before) + 2))
    assert after[-1].kind == "history.erased"
    assert [row.seq for row in after if row.erased] == [
        row.seq for row in before if row.name == "secret"
    ]
    assert LONG not in str(after)
    assert engine.variables(case)["n"] == 0
    assert _all(engine, other) == kept


def test_past_decisions_are_compared_from_the_file_too(
    make_engine: MakeEngine, clock: VirtualClock
) -> None:
    # given cases that decided, one of them archived
    engine = make_engine()
    engine.deploy({"p.bpmn": called(), "risk.dmn": rules(YOUNG, OLD)}, by="ann")
    old = engine.start("p", {"age": 19}, business_key="old", by="ann")
    engine.cancel(old.id, by="ann")
    clock.advance(31 * DAY)
    engine.start("p", {"age": 20}, business_key="new", by="ann")
    changed = {"risk.dmn": rules(["< 21", '"high"'], [">= 21", '"low"'])}
    before = engine.what_if(changed)

    assert _archive(engine, clock) == [1]

    assert engine.what_if(changed) == before
    assert [one.business_key for one in before[0].different] == ["new", "old"]


def test_what_was_kept_long_enough_goes_from_the_archive_too(
    make_engine: MakeEngine, clock: VirtualClock, tmp_path: Path
) -> None:
    engine = make_engine(history_days=60)
    _ended(engine, 2)
    clock.advance(31 * DAY)
    _archive(engine, clock)

    clock.advance(30 * DAY)
    assert engine.reap() == 2
    assert engine.tidy_archive() == 1

    assert _files(tmp_path) == []
    assert _count(engine, archive) == 0


def test_a_file_that_is_away_or_damaged_is_named(
    make_engine: MakeEngine, clock: VirtualClock, tmp_path: Path
) -> None:
    engine = make_engine()
    (case,) = _ended(engine)
    clock.advance(31 * DAY)
    _archive(engine, clock)
    (file,) = _files(tmp_path)

    content = file.read_bytes()
    file.write_bytes(content[:-9])
    with pytest.raises(SettingsError, match=f"{file.name} is not the file that was written"):
        engine.history(case)
    file.unlink()
    with pytest.raises(Unavailable, match=file.name):
        engine.story(case)
