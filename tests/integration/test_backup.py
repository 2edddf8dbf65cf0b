"""Backups are taken while cases run, and what is restored goes on as if nothing had happened."""

from __future__ import annotations

import gzip
import os
import shutil
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from engine import clock
from engine.errors import BadInput, Conflict, EngineError, NotFound, SchemaTooNew
from engine.registry import Registry
from engine.runtime import Engine
from engine.settings import Settings
from engine.store import dividing, dump, month, partitions
from engine.worker import drain
from tests.chaos import evidence
from tests.chaos.drawing import CASE, LETTER, drawing
from tests.chaos.handlers import callee
from tests.chaos.invariants import broken
from tests.chaos.journal import Journal
from web.backup import backup, check, restore

HANDLERS = Path(callee.__file__).parent
#: cases that are begun before a backup, whatever the machine's speed
BEFORE = 6
#: number of the case that comes after it
LATE = 1_000_000


@pytest.fixture(autouse=True)
def one_callee(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of the system that the handlers call."""
    path = tmp_path / "callee.db"
    callee.prepare(path)
    monkeypatch.setenv(callee.FILE, str(path))
    return path


@pytest.fixture
def installation(tmp_path: Path, empty_database_url: str) -> Settings:
    """Return the settings of the installation that is saved."""
    url = "" if empty_database_url.startswith("sqlite") else empty_database_url
    return Settings(data_dir=tmp_path / "one", database_url=url, handlers_dir=HANDLERS, lease_s=2)


@pytest.fixture
def elsewhere(tmp_path: Path, installation: Settings) -> Iterator[Settings]:
    """Return the settings of an empty place of the same kind."""
    with another_database(installation.database_url) as url:
        yield Settings(
            data_dir=tmp_path / "two", database_url=url, handlers_dir=HANDLERS, lease_s=2
        )


@contextmanager
def another_database(url: str) -> Iterator[str]:
    """Yield the URL of one more database on the same server; "" for SQLite."""
    if not url:
        yield ""
        return
    name = f"test_{uuid.uuid4().hex}"
    parsed = make_url(url)
    libpq = parsed.set(drivername="postgresql", database="postgres")
    with psycopg.connect(libpq.render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"'.encode())
        yield parsed.set(database=name).render_as_string(hide_password=False)
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@contextmanager
def opened(settings: Settings) -> Iterator[Engine]:
    """Yield the engine of an installation, closed afterwards as its processes would be."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = Engine(settings, registry=Registry.load(settings))
    engine.migrate()
    try:
        yield engine
    finally:
        engine.close()


def begin(engine: Engine, journal: Journal, number: int) -> None:
    """Start a case and send it its letter, and write down what was answered."""
    started = engine.start(CASE, {"number": number}, start_key=f"case-{number}")
    journal.started(f"case-{number}", number, started.id, started.created)
    write(engine, journal, number)


def write(engine: Engine, journal: Journal, number: int) -> None:
    """Send a case its letter; a second one counts for nothing."""
    letter = f"letter-{number}"
    sent = engine.correlate(LETTER, key=str(number), payload={"letter": letter}, message_id=letter)
    journal.sent(letter, sent.outcome)


@contextmanager
def under_load(engine: Engine, journal: Journal, *, begun: int) -> Iterator[None]:
    """Start cases and do their work all the while, after so many cases at least."""
    enough, stop = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def guarded(act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as error:
            failures.append(error)
            enough.set()
            raise

    def starting() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            begin(engine, journal, number)
            if number == begun:
                enough.set()

    def working() -> None:
        assert engine.registry is not None
        while not stop.is_set():
            drain(engine, registry=engine.registry, limit=20)

    threads = [threading.Thread(target=guarded, args=(act,)) for act in (starting, working)]
    for thread in threads:
        thread.start()
    try:
        assert enough.wait(60)
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures


def as_of(restored: Engine, journal: Path, system: Path, folder: Path) -> tuple[Path, Path]:
    """Return journal and callee as they were when the backup was taken.

    What was acknowledged after it is not in it; clients and callee are set back as well, since the
    question is whether the restored installation itself loses or doubles anything.
    """
    known = {case.id for case in restored.cases(limit=1000)}
    keys = {
        f"{row.root_id}/{row.element_id}/{row.token}"
        for root_id in known
        for row in restored.history(root_id, limit=1000)
        if row.kind in ("work.settled", "work.failed", "error.thrown")
    }
    copies = folder / "journal.db", folder / "set_back.db"
    for source, copy in zip((journal, system), copies, strict=True):
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(copy)) as new:
            old.backup(new)
    with closing(sqlite3.connect(copies[0])) as told, told:
        rows = told.execute("SELECT DISTINCT start_key, instance_id FROM start_ack").fetchall()
        for start_key, instance_id in rows:
            if instance_id not in known:
                told.execute("DELETE FROM start_ack WHERE start_key = ?", (start_key,))
        # the clients send their letters again
        told.execute("DELETE FROM message_ack")
    with closing(sqlite3.connect(copies[1])) as called, called:
        for (key,) in called.execute("SELECT DISTINCT key FROM attempt").fetchall():
            if key not in keys:
                called.execute("DELETE FROM attempt WHERE key = ?", (key,))
                called.execute("DELETE FROM effect WHERE key = ?", (key,))
    return copies


def finish(engine: Engine, journal: Journal, system: Path) -> None:
    """Do all there is, people included, until every case has ended."""
    assert engine.registry is not None
    callee.mend(system)
    with closing(sqlite3.connect(journal.path)) as told:
        numbers = [number for (number,) in told.execute("SELECT DISTINCT number FROM start_ack")]
    for number in numbers:
        write(engine, journal, number)
    end = time.monotonic() + 60
    while engine.cases(state="running", limit=1):
        assert time.monotonic() < end
        drain(engine, registry=engine.registry)
        time.sleep(0.05)
        for incident in engine.incidents(limit=1000):
            engine.retry(incident.id, by="ann")
        for task in engine.tasks(limit=1000):
            engine.complete(task.id, {}, by="ann")
            journal.completed(task.id, "ann", 200)


@pytest.mark.usefixtures("one_callee")
def test_what_was_saved_under_load_runs_on_with_nothing_lost_or_doubled(
    installation: Settings, elsewhere: Settings, one_callee: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    journal = Journal(tmp_path / "told.db")
    with opened(installation) as engine:
        engine.deploy({"chaos.bpmn": drawing()}, by="ann")
        (installation.data_dir / "attachments").mkdir()
        (installation.data_dir / "attachments" / "photo").write_bytes(b"a broken pump")

        with under_load(engine, journal, begun=BEFORE):
            acknowledged = journal.count("start_ack")
            backup(installation, tmp_path / "kept")
            # more come while nobody saves any more: the backup must not have them by halves
            begin(engine, journal, LATE)
        late = engine.start(CASE, {"number": LATE}, start_key=f"case-{LATE}").id
    journal.close()

    restore(elsewhere, tmp_path / "kept")

    with opened(elsewhere) as restored:
        told, system = as_of(restored, journal.path, one_callee, tmp_path)
        monkeypatch.setenv(callee.FILE, str(system))
        known = Journal(told)
        assert known.count("start_ack") >= acknowledged >= BEFORE
        assert late not in {case.id for case in restored.cases(limit=1000)}
        finish(restored, known, system)
        known.close()
        found = evidence.gather(elsewhere.url, system, told)
        assert broken(found, at_end=True) == []
        found.close()
    photo = elsewhere.data_dir / "attachments" / "photo"
    assert photo.read_bytes() == b"a broken pump"


def saved(settings: Settings, target: Path) -> str:
    """Deploy, start one case, save it all; return the id of the case."""
    with opened(settings) as engine:
        engine.deploy({"chaos.bpmn": drawing()}, by="ann")
        case = engine.start(CASE, {"number": 1}, start_key="case-1").id
        backup(settings, target)
    return case


def test_a_restored_installation_can_be_saved_and_restored_again(
    installation: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    case = saved(installation, tmp_path / "first")
    restore(elsewhere, tmp_path / "first")

    backup(elsewhere, tmp_path / "second")
    _, aside = restore(elsewhere, tmp_path / "second", force=True)
    backup(elsewhere, tmp_path / "third")

    assert aside.startswith(dump.ASIDE)
    third = check(tmp_path / "third")
    assert not [name for name in (*third.files, *third.folders) if dump.ASIDE in name]
    with opened(elsewhere) as engine:
        assert engine.case(case).id == case


def test_a_running_installation_is_not_restored_over_even_with_force(
    installation: Settings, tmp_path: Path
) -> None:
    saved(installation, tmp_path / "kept")
    with opened(installation) as engine:
        engine.next_due()

        with pytest.raises(Conflict, match="open in another process"):
            restore(installation, tmp_path / "kept", force=True)

        assert engine.cases(limit=1)


def test_an_installation_that_has_anything_is_kept_unless_forced(
    installation: Settings, tmp_path: Path
) -> None:
    old = saved(installation, tmp_path / "kept")
    with opened(installation) as engine:
        later = engine.start(CASE, {"number": 2}, start_key="case-2").id

    with pytest.raises(Conflict, match="not empty"):
        restore(installation, tmp_path / "kept")
    restore(installation, tmp_path / "kept", force=True)

    with opened(installation) as engine:
        assert [case.id for case in engine.cases(limit=10)] == [old]
        with pytest.raises(NotFound):
            engine.case(later)


def test_a_backup_overwrites_nothing_and_leaves_nothing_half_written(
    installation: Settings, tmp_path: Path
) -> None:
    saved(installation, tmp_path / "kept")
    before = (tmp_path / "kept").read_bytes()

    with pytest.raises(Conflict, match="overwrites nothing"):
        backup(installation, tmp_path / "kept")
    with pytest.raises(BadInput, match="inside the data folder"):
        backup(installation, installation.data_dir / "kept")

    assert (tmp_path / "kept").read_bytes() == before
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o600
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


def test_without_a_database_there_is_nothing_to_save(
    installation: Settings, tmp_path: Path
) -> None:
    with pytest.raises(NotFound):
        backup(installation, tmp_path / "kept")

    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("spoilt", ["cut short", "a bit flipped", "no backup at all"])
def test_a_damaged_backup_is_refused_before_anything_changes(
    installation: Settings, elsewhere: Settings, tmp_path: Path, spoilt: str
) -> None:
    saved(installation, tmp_path / "kept")
    whole = gzip.decompress((tmp_path / "kept").read_bytes())
    at = 1000  # the database is the first file: behind its head
    (tmp_path / "kept").write_bytes(
        {
            "cut short": (tmp_path / "kept").read_bytes()[:-2000],
            "a bit flipped": gzip.compress(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]),
            "no backup at all": b"just a text",
        }[spoilt]
    )

    for act in (check, lambda file: restore(elsewhere, file)):
        with pytest.raises(BadInput, match=r"damaged|not complete"):
            act(tmp_path / "kept")

    assert dump.is_empty(elsewhere.url)
    assert os.listdir(elsewhere.data_dir) == []


def test_a_backup_of_a_newer_version_is_refused(
    installation: Settings, elsewhere: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(installation, tmp_path / "kept")
    monkeypatch.setattr("engine.store.migrate.SCHEMA", 1)

    with pytest.raises(SchemaTooNew, match="this Caseway knows schema 1"):
        restore(elsewhere, tmp_path / "kept")


@pytest.mark.postgres
def test_a_backup_goes_back_to_where_it_comes_from(tmp_path: Path, empty_postgres_url: str) -> None:
    saved(Settings(data_dir=tmp_path / "one", handlers_dir=HANDLERS), tmp_path / "kept")

    with pytest.raises(BadInput, match="goes back to where it comes from"):
        restore(
            Settings(data_dir=tmp_path / "two", database_url=empty_postgres_url), tmp_path / "kept"
        )


@pytest.mark.postgres
def test_without_the_programs_of_postgresql_one_sentence_says_so(
    tmp_path: Path, empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(
        data_dir=tmp_path / "one", database_url=empty_postgres_url, handlers_dir=HANDLERS, lease_s=2
    )
    with opened(settings):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(EngineError, match="pg_dump is not installed here"):
            backup(settings, tmp_path / "kept")
    assert shutil.which("pg_dump") is None


@pytest.mark.postgres
@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_a_history_that_was_being_divided_by_month_is_divided_where_it_is_restored(
    tmp_path: Path, empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    # given an installation of the version before, saved after so many steps of the division, with
    # rows on both sides of the bound
    settings = Settings(
        data_dir=tmp_path / "one", database_url=empty_postgres_url, handlers_dir=HANDLERS
    )
    with monkeypatch.context() as before:
        before.setattr(partitions, "ready", lambda database: partitions.Kept())
        with opened(settings) as engine:
            engine.deploy({"chaos.bpmn": drawing()}, by="ann")
            cases = [engine.start(CASE, {"number": 1}).id]
            for _ in range(steps):
                with engine.database.db.begin() as connection:
                    step = dividing.next_step(connection)
                    assert step is not None
                    step(connection)
            before.setattr(clock, "_last", 0x03B9_0000_0000 << 12)  # ids of the year 2099
            cases.append(engine.start(CASE, {"number": 2}).id)
            told = {case: engine.history(case) for case in cases}
            backup(settings, tmp_path / "kept")

    # when it is restored elsewhere and opened
    with another_database(settings.database_url) as url:
        other = Settings(data_dir=tmp_path / "two", database_url=url, handlers_dir=HANDLERS)
        restore(other, tmp_path / "kept")
        with opened(other) as restored:
            # then it is by month, and all is there
            names = [part.name for part in partitions.parts(restored.database)]
            assert (names[0], names[-1]) == (month.BEFORE, month.REST)
            assert {case: restored.history(case) for case in cases} == told
            restored.start(CASE, {"number": 3})

            # and can be saved and restored again, over what is there
            backup(other, tmp_path / "again")
        restore(other, tmp_path / "again", force=True)
        with opened(other) as again:
            assert [part.name for part in partitions.parts(again.database)] == names
            assert {case: again.history(case) for case in cases} == told
