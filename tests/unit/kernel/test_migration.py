"""A running case goes on in another version: what waits keeps waiting, what listens is brought up
to date, and what has no counterpart is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from lxml import etree

from engine import kernel
from engine.errors import ChangeRefused
from engine.languages import Languages
from engine.model import Deliver, Migrate, Problem, Step
from tests.drawing import (
    about,
    boundary,
    call,
    catch,
    diagram,
    end,
    extension,
    flow,
    gateway,
    message,
    node,
    path,
    process,
    repeat,
    service,
    start,
    sub,
    timer,
    user,
)
from tests.unit.kernel.player import Player

HOUR = timer("Duration", '=duration("PT1H")')


def running(drawing: bytes, **variables: object) -> Player:
    return Player(drawing).start(**variables)


def migrate(
    play: Player, drawing: bytes, mapping: Mapping[str, str] | None = None, instance: str = "root"
) -> Step:
    """Move an instance to the version in another drawing, then check what it waits for."""
    tree = etree.fromstring(drawing)
    first = next(str(p.get("id")) for p in tree.iter("{*}process"))
    play.definitions["new"] = kernel.parse(tree, first, languages=Languages(), file="new")
    command = Migrate(instance_id=instance, definition_id="new", mapping=mapping or {})
    assert play.snapshot is not None
    plan = kernel.plan_migration(play, play.snapshot, command, play.now)
    step = play.do(command)
    tables: dict[str | None, Any] = {
        "work": play.works, "task": play.people, "subscription": play.catches,
    }  # fmt: skip
    for moved in plan.moved:
        if moved.waits is not None and moved.token in tables[moved.waits]:
            table = tables[moved.waits]
            table[moved.token] = table[moved.token]._replace(element_id=moved.element_id)
    return step


def refused(
    play: Player, drawing: bytes, mapping: Mapping[str, str] | None = None
) -> list[Problem]:
    before = play.snapshot
    with pytest.raises(ChangeRefused) as found:
        migrate(play, drawing, mapping)
    assert play.snapshot is before
    return list(found.value.problems)


def rules(problems: list[Problem]) -> list[tuple[str | None, str]]:
    return [(problem.element, problem.rule) for problem in problems]


def guard(id: str, *inside: str) -> str:
    return node("subProcess", id, *inside, triggeredByEvent="true")


def one(*inside: str, roots: tuple[str, ...] = ()) -> bytes:
    return diagram(*roots, process("p", *inside))


# ------------------------------------------------------------------ what waits


def test_an_open_task_stays_the_same_row_and_goes_on_in_the_new_version() -> None:
    # given
    play = running(one(start("s"), user("a"), end("e"), path("s", "a", "e")))
    (row,) = play.people.values()
    # when
    step = migrate(play, one(start("s"), user("a"), user("b"), end("e"), path("s", "a", "b", "e")))
    # then
    assert not step.user_tasks
    assert not step.closed
    assert list(play.people.values()) == [row]
    play.complete("a")
    assert play.open == ["b"]


def test_a_wait_goes_on_where_the_mapping_says() -> None:
    # given
    play = running(one(start("s"), user("a"), end("e"), path("s", "a", "e")))
    token = next(iter(play.people))
    # when
    migrate(play, one(start("s"), user("z"), end("e"), path("s", "z", "e")), {"a": "z"})
    # then
    assert play.open == ["z"]
    assert list(play.people) == [token]
    play.complete("z")
    assert play.ended
    assert play.trail == ["s", "z", "e"]
    assert [e[1:] for e in play.events if e.kind == "element.migrated"] == [
        ("root", "z", token, "a", None)
    ]


def test_work_of_a_handler_is_taken_after_the_move() -> None:
    # given
    play = running(one(start("s"), service("a", "x"), end("e"), path("s", "a", "e")))
    # when
    migrate(play, one(start("s"), service("a", "y"), end("f"), path("s", "a", "f")))
    play.complete("a", done=True)
    # then
    assert play.trail == ["s", "a", "f"]
    assert play.variables()["done"] is True


def test_a_timer_keeps_its_moment() -> None:
    # given
    play = running(one(start("s"), catch("t", HOUR), end("e"), path("s", "t", "e")))
    play.advance(1800)
    # when
    day = timer("Duration", '=duration("PT24H")')
    migrate(play, one(start("s"), catch("t", day), end("e"), path("s", "t", "e")))
    play.advance(1801)
    # then
    assert play.ended


def test_a_message_that_is_waited_for_is_delivered_in_the_new_version() -> None:
    # given
    def drawn(last: str) -> bytes:
        m = message("m", "answer", "key")
        return one(start("s"), catch("c", about("message", "m")), end(last), path("s", "c", last),
                   roots=(m,))  # fmt: skip

    play = running(drawn("e"), key="7")
    # when
    migrate(play, drawn("f"))
    # then
    assert play.message("answer", "7")
    assert play.trail == ["s", "c", "f"]


def test_what_an_incident_has_stopped_is_mended_by_the_new_version() -> None:
    # given
    def drawn(condition: str) -> bytes:
        return one(start("s"), gateway("exclusive", "g"), end("e"), path("s", "g"),
                   flow("g", "e", condition))  # fmt: skip

    play = running(drawn("n > 1"), n=1)
    assert play.incidents
    # when
    migrate(play, drawn("n > 0"))
    play.retry("g")
    # then
    assert play.ended


# ------------------------------------------------------------------ what listens


def listening(*events: str, inside: str = "") -> bytes:
    return one(start("s"), user("a", inside), end("e"), path("s", "a", "e"), *events)


def border(id: str, what: str = HOUR) -> str:
    return boundary(id, "a", what) + end(f"e_{id}") + path(id, f"e_{id}")


def test_boundary_events_of_the_new_version_listen_and_others_no_more() -> None:
    # given
    play = running(listening(border("b"), border("kept")))
    kept = next(w.token for w in play.works.values() if w.element_id == "kept")
    # when
    migrate(play, listening(border("kept"), border("c")))
    # then
    assert sorted(w.element_id for w in play.works.values()) == ["c", "kept"]
    assert play.works[kept].element_id == "kept"


def test_an_event_that_is_about_something_else_listens_anew() -> None:
    # given
    play = running(listening(border("b")))
    # when
    signal = node("signal", "sig", name="stop")
    migrate(play, diagram(signal, process("p", start("s"), user("a"), end("e"), path("s", "a", "e"),
                                          border("b", about("signal", "sig")))))  # fmt: skip
    # then
    assert not play.works
    assert play.signal("stop")
    assert play.trail == ["s", "b", "e_b"]


def test_event_sub_processes_are_armed_and_disarmed() -> None:
    # given
    def drawn(name: str) -> bytes:
        inside = guard(name, node("startEvent", f"s_{name}", HOUR), end(f"e_{name}"),
                       path(f"s_{name}", f"e_{name}"))  # fmt: skip
        return listening(inside)

    play = running(drawn("old"))
    play.advance(60)
    # when
    migrate(play, drawn("new"))
    # then
    (row,) = play.works.values()
    assert row.element_id == "new"
    play.advance(3600)
    assert play.ended
    assert "s_new" in play.trail


def test_a_scope_that_an_event_has_interrupted_listens_no_more() -> None:
    # given
    def drawn(*more: str) -> bytes:
        inside = guard("g", node("startEvent", "s_g", HOUR), user("u"), end("e_g"),
                       path("s_g", "u", "e_g"))  # fmt: skip
        return listening(inside, *more)

    play = running(drawn())
    play.advance(3601)
    # when
    second = guard("h", node("startEvent", "s_h", HOUR), end("e_h"), path("s_h", "e_h"))
    migrate(play, drawn(second))
    # then
    assert play.open == ["u"]
    assert not play.works


def test_an_event_gateway_waits_for_what_the_new_version_draws() -> None:
    # given
    def drawn(*names: str) -> bytes:
        events = [catch(name, HOUR) + end(f"e_{name}") + path("g", name, f"e_{name}")
                  for name in names]  # fmt: skip
        return one(start("s"), gateway("eventBased", "g"), path("s", "g"), *events)

    play = running(drawn("a", "b"))
    # when
    migrate(play, drawn("b", "c"))
    # then
    assert sorted(w.element_id for w in play.works.values()) == ["b", "c"]
    play.advance(3601)
    assert play.ended
    assert play.trail[-1] in ("e_b", "e_c")


def test_what_cannot_begin_to_listen_is_a_problem() -> None:
    # given
    play = running(listening())
    # when
    found = refused(play, listening(border("b", timer("Duration", "=nothing"))))
    # then
    assert rules(found) == [("b", "migration-event-fault")]


# ------------------------------------------------------------------ scopes, repetition, joins


def test_a_sub_process_and_what_runs_in_it_move_together() -> None:
    # given
    def drawn(outer: str, *inner: str) -> bytes:
        inside = sub(outer, start("si"), *(user(name) for name in inner), end("ei"),
                     path("si", *inner, "ei"))  # fmt: skip
        return one(start("s"), inside, end("e"), path("s", outer, "e"))

    play = running(drawn("box", "a"))
    # when
    migrate(play, drawn("case", "b", "c"), {"box": "case", "a": "b"})
    # then
    assert play.open == ["b"]
    play.complete("b")
    play.complete("c")
    assert play.ended


def test_each_instance_of_a_repeated_task_goes_on() -> None:
    # given
    loop = repeat("[1,2,3]", "item", collect="all", result="item")

    def drawn(last: str) -> bytes:
        return one(start("s"), user("a", loop), end(last), path("s", "a", last))

    play = running(drawn("e"))
    play.complete("a")
    # when
    migrate(play, drawn("f"))
    play.complete("a")
    play.complete("a")
    # then
    assert play.trail[-1] == "f"
    assert play.variables()["all"] == [1, 2, 3]


def test_what_has_arrived_at_a_join_stays_there() -> None:
    # given
    def drawn(*branches: str) -> bytes:
        parts = [user(name) + path("open", name, "close") for name in branches]
        return one(start("s"), gateway("parallel", "open"), gateway("parallel", "close"), end("e"),
                   path("s", "open"), path("close", "e"), *parts)  # fmt: skip

    play = running(drawn("a", "b"))
    play.complete("a")
    # when
    found = refused(play, drawn("b", "c"))
    migrate(play, drawn("a", "b", "c"))
    # then
    assert rules(found) == [("close", "migration-join-flow")]
    play.complete("b")
    assert not play.ended  # the new version waits for a third way


def test_a_join_that_waits_for_nothing_more_opens() -> None:
    # given
    def drawn(*branches: str) -> bytes:
        parts = [user(name) + path("open", name, "close") for name in branches]
        return one(start("s"), gateway("parallel", "open"), gateway("parallel", "close"), end("e"),
                   path("s", "open"), path("close", "e"), user("c"), end("f"), path("c", "f"),
                   path("open", "c"), *parts)  # fmt: skip

    play = running(drawn("a", "b"))
    play.complete("a")
    # when
    migrate(play, drawn("a"), {"b": "c"})
    # then
    assert play.trail[-1] == "e"
    assert play.open == ["c", "c"]


def test_a_called_instance_moves_on_its_own_and_stays_when_its_caller_moves() -> None:
    # given
    inner = process("inner", start("si"), user("a"), end("ei"), path("si", "a", "ei"))
    outer = process("p", start("s"), call("c", "inner"), end("e"), path("s", "c", "e"))
    play = running(diagram(outer, inner))
    # when
    longer = process("inner", start("si"), user("a"), user("b"), end("ei"),
                     path("si", "a", "b", "ei"))  # fmt: skip
    migrate(play, diagram(longer), instance="called-1")
    play.definitions["newer"] = play.definitions.pop("new")
    play.snapshot = (play.snapshot or b"").replace(b'"new"', b'"newer"')
    migrate(play, one(start("s"), call("c", "inner"), end("f"), path("s", "c", "f")))
    play.complete("a")
    play.complete("b")
    # then
    assert play.trail == ["s", "si", "a", "b", "ei", "c", "f"]


def test_what_was_done_is_undone_in_the_new_version() -> None:
    # given
    def drawn(handler: str) -> bytes:
        undo = node("boundaryEvent", "x", "<compensateEventDefinition/>", attachedToRef="a")
        undo += node("userTask", handler, isForCompensation="true")
        link = node("association", "link", sourceRef="x", targetRef=handler)
        return one(start("s"), user("a"), undo, link,
                   user("b"), node("intermediateThrowEvent", "t", "<compensateEventDefinition/>"),
                   end("e"), path("s", "a", "b", "t", "e"))  # fmt: skip

    play = running(drawn("undo"))
    play.complete("a")
    # when
    plain = one(start("s"), user("a"), user("b"), end("e"), path("s", "a", "b", "e"))
    found = refused(play, plain)
    migrate(play, drawn("revoke"))
    play.complete("b")
    # then
    assert rules(found) == [("a", "migration-undoing-lost")]
    assert play.open == ["revoke"]


def test_a_complex_gateway_with_one_way_left_opens_for_what_waits_there() -> None:
    # given
    condition = "<activationCondition>=activationCount &gt;= 2</activationCondition>"
    join = node("complexGateway", "c", condition)
    first = one(start("s"), gateway("parallel", "f"), user("a"), user("b"), join, user("t"),
                path("s", "f", "a", "c", "t"), path("f", "b", "c"))  # fmt: skip
    play = running(first)
    play.complete("a")
    # when
    migrate(play, one(start("s"), gateway("parallel", "f"), user("a"), user("b"), join, user("t"),
                      end("e"), path("s", "f", "a", "c", "t"), path("f", "b", "e")))  # fmt: skip
    # then
    assert play.open == ["b", "t"]
    play.complete("b")
    play.complete("t")
    assert play.ended


def test_a_sub_process_that_undoes_itself_is_not_left_without_the_undoing() -> None:
    # given
    def drawn(*undoing: str) -> bytes:
        inside = (start("si"), user("a"), end("ei"), path("si", "a", "ei"), *undoing)
        return one(start("s"), sub("box", *inside), user("b"),
                   node("intermediateThrowEvent", "t", "<compensateEventDefinition/>"),
                   end("e"), path("s", "box", "b", "t", "e"))  # fmt: skip

    undo = guard("g", start("u", "<compensateEventDefinition/>"), user("x"), path("u", "x"))
    play = running(drawn(undo))
    play.complete("a")
    # when
    found = refused(play, drawn())
    migrate(play, drawn(undo))
    play.complete("b")
    # then
    assert rules(found) == [("box", "migration-undoing-lost")]
    assert play.open == ["x"]


def test_a_transaction_that_is_being_undone_begins_to_listen_for_nothing() -> None:
    """Only the cancellation, or an error of the undoing, leads out of it (13.5.5)."""

    # given
    def drawn(*more: str, inside: str = "") -> bytes:
        undo = node("boundaryEvent", "u", "<compensateEventDefinition/>", attachedToRef="a")
        link = node("association", "link", sourceRef="u", targetRef="x")
        box = node("transaction", "box", start("si"), user("a"), undo, link,
                   node("userTask", "x", isForCompensation="true"), inside,
                   end("no", about("cancel")), path("si", "a", "no"))  # fmt: skip
        return one(start("s"), box, boundary("c", "box", about("cancel")), user("sorry"), end("e"),
                   path("s", "box", "e"), path("c", "sorry"), *more)  # fmt: skip

    play = running(drawn())
    play.complete("a")
    assert play.open == ["x"]
    # when
    late = boundary("late", "box", HOUR), end("l"), path("late", "l")
    migrate(play, drawn(*late, inside=guard("g", start("t", HOUR), user("y"), path("t", "y"))))
    # then
    assert not play.works
    play.complete("x")
    assert play.open == ["sorry"]


# ------------------------------------------------------------------ refused


def test_all_that_forbids_a_move_is_said_at_once_in_both_languages() -> None:
    # given
    play = running(
        one(start("s"), gateway("parallel", "g"), user("a"), service("b", "x"), user("c"),
            path("s", "g", "a"), path("g", "b"), path("g", "c"))
    )  # fmt: skip
    # when
    target = one(start("s"), user("b"), path("s", "b"), sub("box", start("t"), user("c")))
    found = refused(play, target, {"nobody": "b", "a": "nowhere"})
    # then
    assert rules(found) == [
        ("nobody", "mapping-unknown-source"),
        ("a", "mapping-unknown-target"),
        ("b", "migration-other-kind"),
        ("c", "migration-other-scope"),
    ]
    by_element = {problem.element: problem for problem in found}
    assert by_element["b"].message == (
        "The service task “b” cannot go on in the new version: there it is the user task “b”"
    )
    assert "用户任务“b”" in by_element["b"].told("zh").message
    assert all(problem.advice and problem.told("zh").advice for problem in found)


@pytest.mark.parametrize(
    ("one_way", "other_way"),
    [
        (user("a"), user("a", repeat("[1]", "i"))),
        (user("a", repeat("[1]", "i")), user("a", repeat("[1]", "i", sequential=True))),
        (user("a", repeat("[1]", "i")), user("a", repeat("[1]", "j"))),
        (catch("a", HOUR), node("intermediateCatchEvent", "a", about("signal", "sig"))),
        (service("a", "x"), node("sendTask", "a", extension('<zeebe:taskDefinition type="x"/>'))),
    ],
    ids=["repeated", "in turn", "other item", "other event", "other task"],
)
def test_an_element_of_another_kind_takes_no_token(one_way: str, other_way: str) -> None:
    def drawn(element: str) -> bytes:
        return one(start("s"), element, end("e"), path("s", "a", "e"),
                   roots=(node("signal", "sig", name="x"),))  # fmt: skip

    assert rules(refused(running(drawn(one_way)), drawn(other_way))) == [
        ("a", "migration-other-kind")
    ]


def test_a_result_that_comes_after_the_move_finds_its_token() -> None:
    # given
    m = message("m", "answer", "key")
    first = one(start("s"), catch("c", about("message", "m")), end("e"), path("s", "c", "e"),
                roots=(m,))  # fmt: skip
    play = running(first, key="7")
    (catching,) = play.catches
    # when
    migrate(play, first)
    play.do(Deliver(token=catching, name="answer", payload={"x": 1}))
    # then
    assert play.ended
