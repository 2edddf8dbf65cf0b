"""A text in the name of an open task or in the number of its case is found, wherever it stands."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from engine import kernel
from engine.clock import VirtualClock
from engine.model import UserTask
from engine.runtime import Engine
from engine.runtime.worklist import Wanted
from engine.settings import Settings
from engine.store import migrate, numbers, search
from engine.store.connect import Database
from engine.store.statement import Statement
from engine.store.tables import case_number, instance, user_task
from tests.drawing import diagram, end, node, path, process, start
from tests.integration import drawings
from tests.integration.conftest import Traced

NAMES = (
    "Check the Offer", "check the invoice", "审核退款申请", "退货：请联系客户",
    "100% of it_is done", "It's \"quoted\" \\ slashed", "É crème", "a", "审",
    "Report " + "on and on " * 30,
)  # fmt: skip
NUMBERS = (
    "SR-2026-000123", "SR-2026-000124", "sr-2025-9", "合同2026-7", "50%_off", "a'b\"c\\d", "AAAA",
    None, "x" * 60 + "END!", "y" * 64 + "Behind", "退款-1",
)  # fmt: skip
#: how many places a search puts its list together from: as set, and so few that all is walked
REACH = [(50, 500), (0, 500), (50, 0)]


@pytest.fixture
def desk(engine: Engine, clock: VirtualClock) -> Engine:
    """Return an engine with open tasks of all names and numbers, due at several times or never."""
    engine.deploy({f"p{n}.bpmn": drawn(n, name) for n, name in enumerate(NAMES)}, by="test")
    for place in range(2 * len(NAMES) * len(NUMBERS) // 3):
        due = None if place % 3 else clock.now() + timedelta(hours=place % 7)
        number = NUMBERS[place * 7 % len(NUMBERS)]
        case = engine.start(f"p{place % len(NAMES)}", {"due": due}, business_key=number)
        (task,) = engine.tasks(instance_id=case.id)
        if place % 5 == 0:
            engine.claim(task.id, by="ann")
        if place % 11 == 0:
            engine.complete(task.id, by="ann")
    return engine


def drawn(place: int, name: str) -> bytes:
    who = '<zeebe:assignmentDefinition candidateGroups="sales"/>'
    when = '<zeebe:taskSchedule dueDate="=due"/>'
    task = node(
        "userTask", "u", node("extensionElements", "x", "<zeebe:userTask/>", who, when), name=name
    )
    return diagram(process(f"p{place}", start("s"), task, end("e"), path("s", "u", "e")))


def needles() -> Iterator[str]:
    """Yield parts of the texts, in other letters, and what must not be taken for a pattern."""
    yield from (
        "%",
        "_",
        "\\",
        "'",
        '"',
        "%%",
        "a%c",
        "100%",
        "0%_o",
        "\\ s",
        "退",
        "退款",
        "审",
        "é",
    )
    yield from (
        "nothing like it",
        "客户" * 3,
        "x" * 70,
        "Y" * 64 + "b",
        " ",
        "2026",
        "SR-",
        "\U0010ffff",
    )
    lots = random.Random(6)
    for text in (text for text in (*NAMES, *NUMBERS) if text is not None):
        for _ in range(4):
            first = lots.randrange(len(text))
            part = text[first : first + lots.choice((1, 2, 3, 5, 12, 40))]
            yield lots.choice((part, part.upper(), part.lower()))


def has(task: UserTask, needle: str, fold: Callable[[str], str]) -> bool:
    """Say what is found, by looking at every letter."""
    return any(fold(needle) in fold(text) for text in (task.name, task.business_key or ""))


def letters(engine: Engine) -> Callable[[str], str]:
    """Return how the database makes letters small: SQLite knows those of English only."""
    if engine.database.dialect.name == "postgresql":
        return str.lower
    return lambda text: "".join(c.lower() if c.isascii() else c for c in text)


def in_order(tasks: list[UserTask]) -> list[UserTask]:
    return sorted(tasks, key=lambda one: (one.due_at is None, one.due_at or one.created_at, one.id))


@pytest.mark.parametrize(("names", "cases"), REACH)
def test_a_search_finds_what_a_look_at_every_letter_finds(
    desk: Engine, monkeypatch: pytest.MonkeyPatch, names: int, cases: int
) -> None:
    monkeypatch.setattr(search, "FITTING", names)
    monkeypatch.setattr(search, "NUMBERS", cases)
    everything, fold = in_order(desk.tasks(state="open", limit=1000)), letters(desk)
    mine = [task for task in everything if task.assignee == "ann"]
    free = [task for task in everything if task.assignee is None]
    found = 0

    for needle in needles():
        if not needle.strip():
            continue
        for view, theirs in (("all", everything), ("mine", mine), ("groups", free)):
            rows = desk.work_list(
                Wanted(view=view, text=needle), user="ann", groups=["sales"], limit=1000
            )
            expected = [task.id for task in theirs if has(task, needle, fold)]
            assert [row.task.id for row in rows] == expected, (needle, view)
            found += len(rows)

    assert found > 1000


def test_pages_of_a_search_put_together_are_the_whole_list(desk: Engine) -> None:
    for needle in ("2026", "审", "check", "a"):
        whole = desk.work_list(Wanted(view="all", text=needle), user="ann", limit=1000)
        pages: list[str] = []
        after: tuple[datetime | None, str] | None = None
        while rows := desk.work_list(
            Wanted(view="all", text=needle), user="ann", after=after, limit=3
        ):
            pages += [row.task.id for row in rows]
            after = (rows[-1].task.due_at, rows[-1].task.id)

        assert len(pages) > 3
        assert pages == [row.task.id for row in whole]


def test_the_other_filters_count_beside_a_text(desk: Engine, clock: VirtualClock) -> None:
    soon = clock.now() + timedelta(hours=3)
    everything, fold = in_order(desk.tasks(state="open", limit=1000)), letters(desk)

    for needle in ("2026", "check", "退"):
        wanted = Wanted(view="all", text=needle, process_id="p0", before=soon)
        rows = desk.work_list(wanted, user="ann", limit=1000)
        expected = [
            task.id
            for task in everything
            if has(task, needle, fold) and task.process_id == "p0"
            and task.due_at is not None and task.due_at < soon
        ]  # fmt: skip
        assert [row.task.id for row in rows] == expected


def test_more_names_than_are_looked_through_are_walked(
    desk: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "NAMES", 3)
    monkeypatch.setattr(search, "_NAMES", Statement(search._names()))
    last = max(NAMES)

    rows = desk.work_list(Wanted(view="all", text=last), user="ann", limit=1000)

    assert rows != []
    assert {row.task.name for row in rows} == {last}


def test_a_group_with_more_tasks_than_are_counted_finds_its_own_only(
    desk: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.worklist.COUNTED", 3)
    free = in_order([t for t in desk.tasks(state="open", limit=1000) if t.assignee is None])

    rows = desk.work_list(Wanted(view="groups"), user="bob", groups=["sales"], limit=1000)
    found = desk.work_list(
        Wanted(view="groups", text="SR-2026"), user="bob", groups=["sales"], limit=1000
    )

    assert [row.task.id for row in rows] == [task.id for task in free]
    assert [row.task.id for row in found] == [
        task.id for task in free if "SR-2026" in (task.business_key or "")
    ]
    assert desk.work_list(Wanted(view="groups"), user="bob", groups=["other"]) == []


# ------------------------------------------------------------------ the parts of numbers


def parts(engine: Engine) -> list[tuple[str, str]]:
    with engine.database.reading_db.connect() as connection:
        query = sa.select(case_number.c.root_id, case_number.c.part)
        return [(row[0], row[1]) for row in connection.execute(query.order_by(*case_number.c))]


def test_a_number_stands_in_parts_while_its_case_runs(engine: Engine) -> None:
    engine.deploy({"p.bpmn": drawn(0, "Check")}, by="test")

    case, long = engine.start("p0", {"due": None}, business_key="Ab-1"), "n" * 65
    other = engine.start("p0", {"due": None}, business_key=long)
    engine.start("p0", {"due": None})

    assert sorted(part for root, part in parts(engine) if root == case.id) == [
        "-1", "1", "ab-1", "b-1",
    ]  # fmt: skip
    assert [part for root, part in parts(engine) if root == other.id] == [""]

    engine.complete(engine.tasks(instance_id=case.id)[0].id, by="ann")
    engine.cancel(other.id, by="ann")

    assert parts(engine) == []


def test_a_case_that_runs_through_and_a_called_process_leave_no_parts(engine: Engine) -> None:
    engine.deploy({"p.bpmn": drawings.scripts(1)}, by="test")

    engine.start("p", {"a": 1}, business_key="SR-1")

    assert parts(engine) == []


def test_a_search_sends_few_statements(desk: Engine, traced: Callable[[Engine], Traced]) -> None:
    sent = traced(desk)

    desk.work_list(Wanted(view="all", text="SR-2026-000123"), user="ann")
    # names, numbers, their tasks, tasks with long names
    assert len(sent.statements) == 4

    sent.sent.clear()
    desk.work_list(Wanted(text="SR-2026-000123"), user="ann")
    assert len(sent.statements) == 1


# ------------------------------------------------------------------ from before


@pytest.fixture
def before(empty_database_url: str) -> Iterator[Database]:
    """Return a database of the schema before, with cases of two tenants in it."""
    database = Database(empty_database_url)
    with database.db.connect() as connection:
        if database.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        command.upgrade(migrate.config(connection), "0015")
        migrate._write(connection, "schema", 10)
        migrate._write(connection, "snapshot_format", kernel.FORMAT)
        for place in range(5):
            begun(connection, f"{place}", "default", f"OLD-{place}")
        begun(connection, "6", "other", "OTHER-6")
        begun(connection, "7", "default", "OLD-7", state="completed")
        connection.commit()
    yield database
    database.close()


def begun(
    connection: sa.Connection, id: str, tenant: str, number: str, state: str = "running"
) -> None:
    """Store a case with a task as a node of the release before does."""
    now = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
    case = {"tenant": tenant, "root_id": id, "process_id": "p", "business_key": number}
    connection.execute(
        sa.insert(instance).values(
            **case, id=id, definition_id="d", version=1, state=state, started_at=now, revision=1,
            history_seq=1, owns=0,
        )
    )  # fmt: skip
    connection.execute(
        sa.insert(user_task).values(
            **case, id=f"t{id}", instance_id=id, element_id="u", token=1, name="Check",
            state="open" if state == "running" else "completed", candidate_groups=[],
            candidate_users=[], created_at=now, priority=50,
        )
    )  # fmt: skip


def engine_on(database: Database, folder: Any, tenant: str = "default") -> Engine:
    made = Engine(Settings(
        data_dir=folder, tenant=tenant,
        database_url=database.db.url.render_as_string(hide_password=False),
    ))  # fmt: skip
    made.migrate()
    return made


def listed(engine: Engine, text: str) -> list[str | None]:
    rows = engine.work_list(Wanted(view="all", text=text), user="ann")
    return [row.task.business_key for row in rows]


def test_cases_from_before_are_found_after_the_migration(before: Database, tmp_path: Any) -> None:
    engine, other = engine_on(before, tmp_path), engine_on(before, tmp_path, "other")

    assert listed(engine, "old-3") == ["OLD-3"]
    assert listed(engine, "ld-") == [f"OLD-{place}" for place in range(5)]
    assert listed(other, "her-6") == ["OTHER-6"]
    # a case that had ended needs no parts
    assert {root for root, _ in parts(engine)} == {"0", "1", "2", "3", "4", "6"}
    engine.close()
    other.close()


def test_a_migration_that_ended_in_the_middle_goes_on_where_it_was(
    before: Database, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers, "_STEP", numbers._STEP.replace("1000", "2"))
    steps: list[bool] = []
    spell = numbers.catch_up

    def dies_at_the_third(connection: sa.Connection) -> bool:
        steps.append(spell(connection))
        if len(steps) == 3:
            raise KeyboardInterrupt
        return steps[-1]

    monkeypatch.setattr(numbers, "catch_up", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        migrate.migrate(before, kernel.FORMAT)
    monkeypatch.setattr(numbers, "catch_up", spell)

    # what was committed stays, what came meanwhile is found at once
    with before.db.begin() as connection:
        begun(connection, "8", "default", "OLD-8")
    engine = engine_on(before, tmp_path)

    assert listed(engine, "old-") == [*(f"OLD-{place}" for place in range(5)), "OLD-8"]
    with before.reading_db.connect() as connection:
        assert not numbers.are_behind(connection)
    engine.close()


def test_what_a_node_of_the_schema_before_starts_and_ends_is_known(engine: Engine) -> None:
    # it sends the rows of the case and nothing else
    with engine.database.db.begin() as connection:
        begun(connection, "8", "default", "OLD-8")

    assert listed(engine, "d-8") == ["OLD-8"]

    with engine.database.db.begin() as connection:
        ended = sa.update(instance).where(instance.c.id == "8")
        connection.execute(ended.values(state="completed"))

    assert parts(engine) == []
