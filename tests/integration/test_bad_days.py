"""The disk is full, the file is locked, the answer to a COMMIT is lost, the clock jumps."""

from __future__ import annotations

import contextlib
import select
import socket
import sqlite3
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from engine.clock import VirtualClock
from engine.errors import Conflict, OutcomeUnknown, Unavailable
from engine.model import InstanceState
from engine.registry import Registry
from engine.runtime import Engine
from engine.settings import Settings
from engine.store import drivers
from engine.worker import Done, conclude, drain
from tests.drawing import (
    catch,
    diagram,
    end,
    path,
    process,
    service,
    start,
    timer,
    user,
)
from tests.integration.conftest import MakeEngine, claim, kinds

CALLED = diagram(process("p", start("s"), service("t", "h"), end("e"), path("s", "t", "e")))
WAITS = diagram(
    process(
        "waits", start("s"), catch("t", timer("Duration", "=span")), end("e"), path("s", "t", "e")
    )
)
#: kept small: the database is to be full soon
_PIECE = {"text": "x" * 20_000}
_FEW_PAGES, _MANY_PAGES = 40, 1_000_000


def _pragma(engine: Engine, said: str) -> None:
    with engine.database.writing() as connection:
        connection.run_text(f"PRAGMA {said}")


def _pages(engine: Engine) -> int:
    with engine.database.db.connect() as connection:
        return int(connection.exec_driver_sql("PRAGMA page_count").scalar() or 0)


@pytest.fixture
def on_sqlite(database_url: str) -> None:
    """Leave PostgreSQL out."""
    if not database_url.startswith("sqlite"):
        pytest.skip("about the file of SQLite")


@pytest.mark.usefixtures("on_sqlite")
def test_a_full_disk_is_named_and_loses_nothing(engine: Engine) -> None:
    # given a case whose handler has returned, and a disk that is nearly full
    engine.deploy({"p.bpmn": CALLED}, by="ann")
    first = engine.start("p", start_key="first")
    (item,) = claim(engine)
    _pragma(engine, f"max_page_count={_pages(engine) + _FEW_PAGES}")
    # when cases are started until it is full
    acknowledged: list[str] = []

    def fill() -> None:
        for n in range(100):
            case = engine.start("p", {**_PIECE, "n": str(n) * 20_000}, start_key=f"k{n}")
            acknowledged.append(case.id)

    with pytest.raises(Unavailable, match=r"disk .* full.*nothing was stored"):
        fill()
    with pytest.raises(Unavailable, match="full"):
        engine.settle(item, {"text": "y" * 200_000})
    # then reading goes on, and all that was acknowledged is there
    assert {case.id for case in engine.cases(limit=500)} == {first.id, *acknowledged}
    # and with more room the same calls succeed, none of them twice
    _pragma(engine, f"max_page_count={_MANY_PAGES}")
    assert engine.settle(item, {"text": "y" * 200_000})
    assert not engine.settle(item, {})
    again = engine.start("p", start_key=f"k{len(acknowledged)}")
    assert again.created
    assert not engine.start("p", start_key="k0").created
    assert engine.case(first.id).state == InstanceState.COMPLETED
    for case in engine.cases(limit=500):
        kinds(engine, case.id)


@pytest.mark.usefixtures("on_sqlite")
def test_a_database_that_may_only_be_read_is_named(engine: Engine) -> None:
    # given
    engine.deploy({"p.bpmn": CALLED}, by="ann")
    case = engine.start("p")
    _pragma(engine, "query_only=ON")
    # when
    with pytest.raises(Unavailable, match=r"may only be read.*nothing was stored"):
        engine.start("p")
    # then
    assert engine.cases() == [case]
    # and it is written again once that is over: with a connection that may
    engine.close()
    assert engine.start("p").created


@pytest.mark.usefixtures("on_sqlite")
def test_a_file_that_another_program_keeps_locked_is_waited_for_then_named(
    make_engine: MakeEngine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a program that has begun to write and does not end, and little patience
    monkeypatch.setattr(drivers, "_BUSY_MS", 30)
    engine = make_engine()
    engine.deploy({"p.bpmn": CALLED}, by="ann")
    case = engine.start("p")
    (item,) = claim(engine)
    other = sqlite3.connect(str(make_url(database_url).database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    # when
    with pytest.raises(Unavailable, match="another process has been writing for too long"):
        engine.settle(item, {})
    # then it can be read, and goes on as soon as the other one ends
    assert engine.case(case.id).state == InstanceState.RUNNING
    other.execute("ROLLBACK")
    other.close()
    assert engine.settle(item, {})
    assert engine.case(case.id).state == InstanceState.COMPLETED


#: what the server says when it has carried out a COMMIT: a tag with its length before it
_COMMITTED = b"C\0\0\0\x0bCOMMIT\0"


class DropsAnswers:
    """Stands between an engine and PostgreSQL; drops the answer to a COMMIT when told to."""

    def __init__(self, server: Path, folder: Path) -> None:
        self._server = server
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen()
        #: the next COMMIT is carried out, but nobody hears of it
        self.drops = False
        #: how many answers were dropped; counted before the client sees its connection end
        self.dropped = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener is closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """Carry what is said between one client and the server; both ends are closed after it."""
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
            server.connect(str(self._server))
            other = {client: server, server: client}
            while True:
                readable, _, _ = select.select([client, server], [], [])
                for source in readable:
                    if not (sent := source.recv(65536)):
                        return
                    if self.drops and _COMMITTED in sent:
                        self.drops = False
                        self.dropped += 1
                        return
                    other[source].sendall(sent)

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()


@pytest.fixture
def proxied(database_url: str, tmp_path: Path) -> Iterator[tuple[DropsAnswers, str]]:
    """Return a way to PostgreSQL that loses answers, and the URL that leads over it."""
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite answers within the process")
    url = make_url(database_url)
    host = url.query.get("host") or url.host or ""
    if not str(host).startswith("/"):
        pytest.skip("the server has no socket in a folder")
    folder = tmp_path / "way"
    folder.mkdir()
    proxy = DropsAnswers(Path(str(host)) / ".s.PGSQL.5432", folder)
    over = url.set(host=None).update_query_dict({"host": str(folder)})
    yield proxy, over.render_as_string(hide_password=False)
    proxy.close()


@pytest.fixture
def distant(
    proxied: tuple[DropsAnswers, str], make_engine: MakeEngine, clock: VirtualClock, tmp_path: Path
) -> Iterator[Engine]:
    """Return an engine behind the proxy."""
    make_engine()  # brings the schema up to date
    settings = Settings(data_dir=tmp_path, database_url=proxied[1])
    made = Engine(settings, clock=clock)
    yield made
    made.close()


def test_a_commit_without_an_answer_is_told_as_unknown_and_may_be_repeated(
    proxied: tuple[DropsAnswers, str], distant: Engine
) -> None:
    # given
    proxy, _ = proxied
    both = diagram(
        process("p", start("s"), service("t", "h"), user("u"), end("e"), path("s", "t", "u", "e"))
    )
    distant.deploy({"p.bpmn": both}, by="ann")
    unknown = r"nobody knows whether it was stored.*the same"
    # when the answers to a start, a result and a completion are lost
    proxy.drops = True
    with pytest.raises(OutcomeUnknown, match=unknown):
        distant.start("p", start_key="k")
    case = distant.start("p", start_key="k")
    (item,) = claim(distant)
    proxy.drops = True
    with pytest.raises(OutcomeUnknown, match=unknown):
        distant.settle(item, {"r": 1})
    repeated = distant.settle(item, {"r": 1})
    (task,) = distant.tasks()
    proxy.drops = True
    with pytest.raises(OutcomeUnknown, match=unknown):
        distant.complete(task.id, {}, by="ann")
    with pytest.raises(Conflict):
        distant.complete(task.id, {}, by="ann")
    # then each was stored once
    assert proxy.dropped == 3
    assert case.created is False
    assert repeated is False
    assert [one.id for one in distant.cases()] == [case.id]
    told = kinds(distant, case.id)
    assert (told.count("work.settled"), told.count("task.completed")) == (1, 1)
    assert told[-1] == "instance.completed"


def test_a_claim_without_an_answer_costs_no_attempt(
    proxied: tuple[DropsAnswers, str], distant: Engine
) -> None:
    # given
    distant.deploy({"p.bpmn": CALLED}, by="ann")
    case = distant.start("p")
    proxied[0].drops = True
    # when a claim is carried out, and nobody hears of it
    with pytest.raises(OutcomeUnknown):
        claim(distant)
    assert claim(distant) == []
    # then its worker gives it back, which need not wait for the end of the lease
    assert distant.disown("w", []) == 1
    (item,) = claim(distant)
    assert (item.attempt, item.lost) == (1, False)
    assert distant.settle(item, {})
    assert "work.tried" not in kinds(distant, case.id)


def test_a_worker_whose_result_was_stored_unheard_of_does_not_fail_it(
    proxied: tuple[DropsAnswers, str], distant: Engine
) -> None:
    # given
    distant.deploy({"p.bpmn": CALLED}, by="ann")
    case = distant.start("p")
    (item,) = claim(distant)
    proxied[0].drops = True
    # when
    registry = Registry.of(settings=distant.settings)
    taken = conclude(distant, item, Done({"r": 1}), registry, waits_s=(0.0, 0.0))
    # then it is known as somebody's already, and nobody calls it a failure
    assert taken is False
    assert "work.failed" not in kinds(distant, case.id)
    assert distant.case(case.id).state == InstanceState.COMPLETED
    assert distant.variables(case.id) == {"r": 1}


def _at(database_url: str, tmp_path: Path, moment: datetime) -> Engine:
    """Return an engine of a machine that was started again at this moment by its clock."""
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    return Engine(settings, clock=VirtualClock(moment))


def _do_all(engine: Engine, until: datetime | None = None) -> None:
    drain(engine, until, registry=Registry.of(settings=engine.settings))


def test_a_clock_an_hour_back_only_makes_wait(
    engine: Engine, clock: VirtualClock, database_url: str, tmp_path: Path
) -> None:
    # given a timer, and a row that a worker holds
    engine.deploy({"w.bpmn": WAITS, "p.bpmn": CALLED}, by="ann")
    waits = engine.start("waits", {"span": "PT10M"})
    called = engine.start("p")
    (held,) = claim(engine, kinds=("service",))
    # when the machine comes back with a clock that is an hour behind
    back = _at(database_url, tmp_path, clock.now() - timedelta(hours=1))
    fresh = back.start("p")
    # then new work is done at once, with a history in order
    (item,) = claim(back, 5)
    assert item.root_id == fresh.id
    assert back.settle(item, {})
    assert back.case(fresh.id).state == InstanceState.COMPLETED
    # and what was due by the old clock is done when that hour is over: once
    assert back.settle(held, {})
    assert back.case(called.id).state == InstanceState.COMPLETED
    _do_all(back, clock.now() + timedelta(minutes=11))
    assert kinds(back, waits.id).count("timer.fired") == 1
    assert back.case(waits.id).state == InstanceState.COMPLETED
    back.close()


def test_a_clock_a_day_ahead_fires_early_but_once(
    engine: Engine, clock: VirtualClock, database_url: str, tmp_path: Path
) -> None:
    # given
    engine.deploy({"w.bpmn": WAITS, "p.bpmn": CALLED}, by="ann")
    waits = engine.start("waits", {"span": "PT10M"})
    called = engine.start("p")
    (held,) = claim(engine, kinds=("service",))
    # when a second machine is a day ahead: it believes that the lease is over
    ahead = _at(database_url, tmp_path, clock.now() + timedelta(days=1))
    (again,) = claim(ahead, kinds=("service",))
    # then the result of the first comes too late, and each thing happens once
    assert again.id == held.id
    assert not engine.settle(held, {"by": "first"})
    assert ahead.settle(again, {"by": "second"})
    assert ahead.variables(called.id)["by"] == "second"
    _do_all(ahead)
    clock.advance(3600)
    assert claim(engine, 5) == []
    assert kinds(engine, waits.id).count("timer.fired") == 1
    ahead.close()


def test_timers_that_came_due_while_nothing_ran_fire_once_each_in_their_order(
    engine: Engine, clock: VirtualClock, database_url: str, tmp_path: Path
) -> None:
    # given timers of a whole day, and a service that was down for two
    engine.deploy({"w.bpmn": WAITS}, by="ann")
    spans = [(7 * n) % 60 for n in range(60)]
    cases = {engine.start("waits", {"span": f"PT{span}H"}).id: span for span in spans}
    back = _at(database_url, tmp_path, clock.now() + timedelta(days=3))
    # when
    fired: list[int] = []
    while items := claim(back):
        fired += [cases[item.root_id] for item in items]
        assert all(back.run(item) for item in items)
    # then
    assert fired == sorted(spans)
    assert back.stats()["running_cases"] == 0
    back.close()
