"""Each question of the fault test finds what it asks for: evidence is spoilt, one way at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.clock import VirtualClock
from engine.registry import Registry
from engine.runtime import Engine
from engine.settings import Settings
from engine.worker import drain
from tests.chaos import evidence
from tests.chaos.drawing import CASE, LETTER, drawing
from tests.chaos.handlers import callee
from tests.chaos.invariants import INVARIANTS, broken
from tests.chaos.journal import Journal

#: one case like any other, one whose `fragile` breaks, one that is refused
NUMBERS = (1, 3, 7)
ONE = "(SELECT id FROM instance WHERE start_key = 'case-1')"
TWO_KEY = "(SELECT key FROM activation WHERE element_id = 'two' LIMIT 1)"


def twin(kind: str, element: str) -> str:
    """Return the SQL that writes an event a second time."""
    columns = "kind, instance_id, element_id, token, actor, name, value, blob"
    return (
        f"INSERT INTO history SELECT root_id, seq + 1000, at, {columns} FROM history"
        f" WHERE kind = '{kind}' AND element_id = '{element}'"
    )


#: what is spoilt -> the invariant that must notice
SPOILT = (
    ("UPDATE start_ack SET instance_id = 'gone' WHERE number = 1", "an acknowledged start"),
    (
        "INSERT INTO instance SELECT 'twin', 'twin', parent_id, process_id, start_key, state,"
        " ended_at, history_seq FROM instance WHERE start_key = 'case-1'",
        "a start key begins one case",
    ),
    ("UPDATE start_ack SET created = 2 WHERE number = 1", "a start key begins one case"),
    ("UPDATE instance SET start_key = NULL", "nothing runs that nobody"),
    ("DELETE FROM history WHERE kind = 'instance.completed'", "each instance has started once"),
    ("UPDATE instance SET state = 'failed' WHERE parent_id IS NOT NULL", "each instance has"),
    ("UPDATE instance SET state = 'running' WHERE start_key = 'case-1'", "every case has ended"),
    ("DELETE FROM history WHERE seq = 5", "the history is numbered"),
    ("UPDATE instance SET history_seq = history_seq + 1", "the history is numbered"),
    (twin("element.completed", "two"), "an element is activated once"),
    (
        "DELETE FROM history WHERE kind = 'element.completed' AND element_id = 'two'",
        "an activated element is left",
    ),
    (twin("work.settled", "two"), "at most one result"),
    (
        "DELETE FROM history WHERE kind = 'work.settled' AND element_id = 'two'",
        "each activated service task was tried",
    ),
    (
        "INSERT INTO attempt SELECT ticket + 1000, key, element_id, attempt + 1, round, pid, begun,"
        " NULL FROM attempt WHERE element_id = 'two'",
        "the result that counts",
    ),
    ("UPDATE attempt SET key = 'other' WHERE element_id = 'two'", "the callee was called for"),
    (f"DELETE FROM effect WHERE key = {TWO_KEY}", "a result that was taken had its effect"),
    (f"UPDATE effect SET number = 99 WHERE key = {TWO_KEY}", "a result that was taken had"),
    ("INSERT INTO effect VALUES ('other', 1)", "the effects at the callee"),
    ("DELETE FROM incident", "exhausted work has exactly one"),
    ("UPDATE incident SET kind = 'fault'", "exhausted work has exactly one"),
    ("UPDATE incident SET resolved_at = NULL", "dead work and open incidents"),
    ("UPDATE attempt SET attempt = 50 WHERE element_id = 'two'", "an attempt is not made more"),
    ("UPDATE user_task SET ended_by = 'bo'", "a user task is completed once"),
    (twin("task.completed", "decide"), "a user task is completed once"),
    (twin("timer.fired", "pause"), "a timer fires once"),
    ("UPDATE history SET at = '2000-01-01T00:00:00.000000Z'", "a timer fires once"),
    (f"UPDATE message SET instance_id = {ONE}", "a message with an id is delivered once"),
    ("DELETE FROM message", "a message that was accepted"),
    ("UPDATE message SET state = 'reserved'", "every message has arrived"),
    ("UPDATE instance SET state = 'running'", "a running case has live work"),
    (
        f"INSERT INTO work VALUES ('w', {ONE}, 'two', 3, 'service', 'ready', 0)",
        "an ended case has no work",
    ),
    ("INSERT INTO candidate VALUES ('*', 't')", "an ended case has no work"),
    (
        "INSERT INTO work VALUES ('w', 'nobody', 'two', 3, 'service', 'ready', 0)",
        "no row of work belongs",
    ),
    ("INSERT INTO refusal VALUES ('start', 422, '')", "no call was refused"),
)


class House:
    """The chaos drawing on an engine of this process, without any fault."""

    def __init__(self, folder: Path) -> None:
        self.callee = folder / "callee.db"
        self.journal = Journal(folder / "journal.db")
        settings = Settings(data_dir=folder / "data", handlers_dir=Path(callee.__file__).parent)
        settings.data_dir.mkdir()
        self.clock = VirtualClock(datetime(2026, 1, 5, 12, tzinfo=UTC))
        self.registry = Registry.load(settings)
        self.engine = Engine(settings, clock=self.clock, registry=self.registry)
        self.engine.migrate()
        self.engine.deploy({"chaos.bpmn": drawing()}, by="test")
        callee.prepare(self.callee)

    def play(self) -> None:
        """Lead every case to its end, over one incident."""
        for number in NUMBERS:
            key = f"case-{number}"
            case = self.engine.start(CASE, {"number": number}, start_key=key, by="ann")
            self.journal.started(key, number, case.id, case.created)
        self.drain()
        for task in self.engine.tasks():
            self.engine.complete(task.id, {}, by="ann")
            self.journal.completed(task.id, "ann", 200)
        for number in NUMBERS:
            letter = f"letter-{number}"
            sent = self.engine.correlate(
                LETTER, key=str(number), payload={"letter": letter}, message_id=letter
            )
            self.journal.sent(letter, sent.outcome)
        callee.mend(self.callee)
        for incident in self.engine.incidents():
            self.engine.retry(incident.id, by="ann")
        self.drain()

    def drain(self) -> None:
        drain(self.engine, self.clock.now() + timedelta(hours=1), registry=self.registry)

    def gather(self) -> sqlite3.Connection:
        """Return the evidence and close everything."""
        self.engine.close()
        self.journal.close()
        return evidence.gather(self.engine.settings.url, self.callee, self.journal.path)


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """Return the evidence of a run in which nothing went wrong; do not write to it."""
    folder = tmp_path_factory.mktemp("chaos")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(callee.FILE, str(folder / "callee.db"))
        environment.delenv(callee.SEED, raising=False)
        house = House(folder)
        house.play()
    found = house.gather()
    yield found
    found.close()


@pytest.fixture
def copied(gathered: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Return a copy of the evidence that may be spoilt."""
    copy = sqlite3.connect(":memory:")
    gathered.backup(copy)
    yield copy
    copy.close()


def test_nothing_is_broken_where_nothing_went_wrong(gathered: sqlite3.Connection) -> None:
    assert broken(gathered, at_end=True) == []
    assert gathered.execute("SELECT count(*) FROM incident").fetchone() == (1,)


@pytest.mark.parametrize(("sql", "sentence"), SPOILT)
def test_what_is_spoilt_is_found(copied: sqlite3.Connection, sql: str, sentence: str) -> None:
    assert copied.execute(sql).rowcount > 0

    told = broken(copied, at_end=True)

    assert any(line.startswith(f"not so: {sentence}") for line in told), told


def test_every_question_is_spoilt_once() -> None:
    spoilt = [sentence for _, sentence in SPOILT]

    never = [i.sentence for i in INVARIANTS if not any(i.sentence.startswith(s) for s in spoilt)]

    assert never == []


def test_what_ends_only_later_is_not_missed_before(copied: sqlite3.Connection) -> None:
    copied.execute("UPDATE message SET state = 'reserved'")

    assert broken(copied, at_end=False) == []


def test_the_drawing_waits_in_every_way(gathered: sqlite3.Connection) -> None:
    kinds = {kind for (kind,) in gathered.execute("SELECT DISTINCT kind FROM history")}

    assert {"timer.fired", "message.received", "task.completed", "error.thrown"} <= kinds
