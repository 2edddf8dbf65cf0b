"""Accounts, sessions, counted attempts, the work list and drafts, on every database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.errors import BadInput, Conflict, NotFound
from engine.runtime import Engine
from engine.runtime.worklist import Wanted
from tests.drawing import diagram, end, node, path, process, start
from tests.integration.conftest import MakeEngine

ASKED = diagram(
    process(
        "desk",
        start("s"),
        node(
            "userTask", "work",
            node("extensionElements", "x", "<zeebe:userTask />",
                 '<zeebe:assignmentDefinition candidateGroups="sales,前台" />',
                 '<zeebe:taskSchedule dueDate="=due" />'),
            name="Answer 100%_",
        ),
        end("e"),
        path("s", "work", "e"),
    )
)  # fmt: skip


def case(engine: Engine, key: str, due: Any = None) -> None:
    engine.start("desk", {"due": due}, business_key=key, by="test")


@pytest.fixture
def desk(engine: Engine) -> Engine:
    """Return an engine with a process for people."""
    engine.deploy({"desk.bpmn": ASKED}, by="test")
    return engine


def listed(engine: Engine, wanted: Wanted, **options: Any) -> list[str | None]:
    rows = engine.work_list(wanted, user="ann", groups=["sales"], **options)
    return [row.task.business_key for row in rows]


def test_an_account_is_made_once_and_changed_on_record(engine: Engine) -> None:
    made, secret = engine.create_user(" Ann ", role="operator", by="root", groups=["a", "a", "b"])

    assert (made.name, made.groups, made.must_change) == ("ann", ("a", "b"), True)
    assert len(secret) == 19
    with pytest.raises(Conflict):
        engine.create_user("ANN", role="lead", by="root")
    changed = engine.change_user("ann", by="root", role="lead", zone="Asia/Shanghai", theme="dark")
    assert (changed.role, changed.zone, changed.groups) == ("lead", "Asia/Shanghai", ("a", "b"))
    assert [act.verb for act in engine.acts()] == ["change_user", "create_user"]
    assert [user.name for user in engine.users()] == ["ann"]


@pytest.mark.parametrize(
    "wrong",
    [{"role": "viewer"}, {"zone": "Moon/Base"}, {"zone": "../etc"}, {"language": "de"},
     {"theme": "pink"}, {"groups": [3]}, {"email": 7}],
)  # fmt: skip
def test_wrong_details_are_refused(engine: Engine, wrong: dict[str, Any]) -> None:
    engine.create_user("ann", role="operator", by="root")

    with pytest.raises(BadInput):
        engine.change_user("ann", by="root", **wrong)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 65, "<b>"])
def test_names_that_cannot_be_typed_are_refused(engine: Engine, name: str) -> None:
    with pytest.raises(BadInput):
        engine.create_user(name, role="operator", by="root")


def test_a_session_lives_until_it_is_ended(engine: Engine, make_engine: MakeEngine) -> None:
    engine.create_user("ann", role="operator", by="root", password="secret words")
    found = engine.sign_in("ANN", "secret words")
    assert found is not None
    assert engine.sign_in("ann", "secret word") is None

    # another node knows it too
    other = make_engine()
    assert other.visitor(found[1]) == engine.user("ann")
    other.sign_out(found[1])
    assert engine.visitor(found[1]) is None


def test_passwords_are_stored_as_argon2_and_sessions_as_hashes(engine: Engine) -> None:
    engine.create_user("ann", role="operator", by="root", password="secret words")
    found = engine.sign_in("ann", "secret words")
    assert found is not None

    with engine.database.db.connect() as connection:
        stored = connection.exec_driver_sql("SELECT password FROM account").scalar_one()
        session = connection.exec_driver_sql("SELECT id FROM web_session").scalar_one()
    assert stored.startswith("$argon2id$")
    assert found[1] not in session


def test_a_new_password_from_an_admin_ends_the_sessions(engine: Engine) -> None:
    engine.create_user("ann", role="operator", by="root", password="secret words")
    found = engine.sign_in("ann", "secret words")
    assert found is not None

    secret = engine.reset_password("ann", by="root")

    assert engine.visitor(found[1]) is None
    assert engine.sign_in("ann", "secret words") is None
    again = engine.sign_in("ann", secret)
    assert again is not None
    assert again[0].must_change
    with pytest.raises(NotFound):
        engine.reset_password("bob", by="root")


def test_a_bucket_empties_at_an_even_pace(engine: Engine, clock: VirtualClock) -> None:
    def wait() -> float:
        return engine.wait_s("door", limit=3, per_s=60)

    assert [wait() for _ in range(4)] == [0.0, 0.0, 0.0, 20.0]
    clock.advance(20)
    assert [wait() for _ in range(2)] == [0.0, 20.0]
    assert engine.wait_s("another door", limit=3, per_s=60) == 0.0


def test_the_list_is_by_due_time_then_by_age(desk: Engine, clock: VirtualClock) -> None:
    for key, hours in (("a", None), ("b", 5), ("c", -1), ("d", None), ("e", 5)):
        case(desk, key, None if hours is None else clock.now() + timedelta(hours=hours))

    everything = Wanted(view="all")
    assert listed(desk, everything) == ["c", "b", "e", "a", "d"]
    # page by page it is the same
    seen: list[str | None] = []
    after = None
    while rows := desk.work_list(everything, user="ann", after=after, limit=1):
        seen.append(rows[0].task.business_key)
        after = (rows[0].task.due_at, rows[0].task.id)
    assert seen == ["c", "b", "e", "a", "d"]


def test_filters_of_the_list_mean_what_they_say(desk: Engine, clock: VirtualClock) -> None:
    for key, hours in (("SR-1", None), ("SR-2", 5), ("SR-3", -1)):
        case(desk, key, None if hours is None else clock.now() + timedelta(hours=hours))
    first = desk.work_list(Wanted(view="groups"), user="ann", groups=["sales"])[0].task
    desk.claim(first.id, by="ann")

    assert listed(desk, Wanted()) == ["SR-3"]
    assert listed(desk, Wanted(view="groups")) == ["SR-2", "SR-1"]
    assert listed(desk, Wanted(view="all", before=clock.now())) == ["SR-3"]
    assert listed(desk, Wanted(view="all", group="前台")) == ["SR-3", "SR-2", "SR-1"]
    assert listed(desk, Wanted(view="all", group="台")) == []
    assert listed(desk, Wanted(view="all", text="sr-2")) == ["SR-2"]
    assert listed(desk, Wanted(view="all", text="100%_")) == ["SR-3", "SR-2", "SR-1"]
    assert listed(desk, Wanted(view="all", text="1%0")) == []
    assert listed(desk, Wanted(view="all", process_id="other")) == []
    counts = desk.work_counts(user="ann", groups=["sales", "前台"])
    assert (counts.mine, counts.groups, counts.all) == (1, 2, 3)


def test_a_draft_belongs_to_one_person_and_one_task(desk: Engine) -> None:
    case(desk, "a")
    task = desk.tasks()[0]

    desk.save_draft(task.id, {"v.x": ["一", "2"]}, by="ann")
    desk.save_draft(task.id, {"v.x": ["3"]}, by="ann")
    desk.save_draft(task.id, {"v.x": ["4"]}, by="bob")

    kept = desk.draft(task.id, by="ann")
    assert kept is not None
    assert kept.fields == {"v.x": ["3"]}
    desk.drop_drafts(task.id, by="ann")
    assert desk.draft(task.id, by="ann") is None
    assert desk.draft(task.id, by="bob") is not None
    with pytest.raises(NotFound):
        desk.save_draft("nothing", {}, by="ann")


def test_a_task_is_seen_with_the_variables_of_its_scope(desk: Engine) -> None:
    case(desk, "a")

    view = desk.task_view(desk.tasks()[0].id)

    assert view.variables == {"due": None}
    assert view.words["work"].name("en") == "Answer 100%_"
    assert view.form is None
    assert view.fate.assignee is None
