"""What refers to something by a name or a code: who throws, who catches, who reads."""

from __future__ import annotations

import json

import pytest

from engine import diagrams
from engine.model import Problem, Severity
from tests.drawing import (
    about,
    boundary,
    call,
    catch,
    diagram,
    end,
    error,
    escalation,
    extension,
    flow,
    gateway,
    mapping,
    message,
    node,
    path,
    process,
    service,
    signal,
    start,
    sub,
    throw,
    user,
)
from tests.unit.diagrams.gate import FEEL

RULES = {"error-uncaught", "error-never-thrown", "escalation-uncaught", "message-without-receiver",
         "signal-without-receiver", "message-name-twice", "variable-misspelled",
         "gateway-without-default"}  # fmt: skip


def problems(**files: bytes) -> list[Problem]:
    named = {name.replace("_form", ".form") if name.endswith("_form") else f"{name}.bpmn": data
             for name, data in files.items()}  # fmt: skip
    return [one for one in diagrams.read(named, languages=FEEL).problems if one.rule in RULES]


def rules(*inside: str, before: str = "") -> set[tuple[str, str]]:
    found = problems(case=diagram(before, process("p", *inside)))
    assert all(one.severity in (Severity.WARNING, Severity.INFO) for one in found)
    return {(one.rule, str(one.element)) for one in found}


def thrower(code: str = "x") -> str:
    return sub("w", start("i"), end("o", about("error", code)), path("i", "o"))


ERRORS = error("x", "late") + error("y", "early")
LINE = (start("s"), end("e"), path("s", "w", "e"))


def test_an_error_that_nobody_catches_is_named_with_its_code() -> None:
    found = problems(case=diagram(ERRORS, process("p", *LINE, thrower())))

    (problem,) = found
    assert (problem.rule, problem.element) == ("error-uncaught", "o")
    assert "“late”" in problem.message
    assert "“late”" in problem.told("zh").message


@pytest.mark.parametrize(
    "catcher",
    [
        boundary("b", "w", about("error", "x")) + path("b", "e"),
        boundary("b", "w", '<errorEventDefinition id="d"/>') + path("b", "e"),
        node("subProcess", "v", node("startEvent", "j", about("error", "x")), end("k"),
             path("j", "k"), triggeredByEvent="true"),
    ],
    ids=["border", "any code", "event sub-process around"],
)  # fmt: skip
def test_an_error_that_is_caught_around_is_fine(catcher: str) -> None:
    assert rules(*LINE, thrower(), catcher, before=ERRORS) == set()


def test_an_error_with_another_code_is_not_caught() -> None:
    drawn = rules(*LINE, thrower(), boundary("b", "w", about("error", "y")), path("b", "e"),
                  before=ERRORS)  # fmt: skip
    assert drawn == {("error-uncaught", "o"), ("error-never-thrown", "b")}


def test_an_error_thrown_in_an_event_sub_process_is_not_caught_by_its_sibling() -> None:
    inner = sub(
        "w", start("i"), end("o"), path("i", "o"),
        node("subProcess", "v", node("startEvent", "j", about("signal", "g")),
             end("k", about("error", "x")), path("j", "k"), triggeredByEvent="true"),
        node("subProcess", "u", node("startEvent", "l", about("error", "x")), end("m"),
             path("l", "m"), triggeredByEvent="true"),
    )  # fmt: skip
    assert rules(*LINE, inner, before=ERRORS + signal("g", "go")) == {("error-uncaught", "k")}


def test_an_error_of_a_called_process_is_caught_where_it_is_called() -> None:
    called = diagram(
        ERRORS, process("q", start("s"), end("o", about("error", "x")), path("s", "o"))
    )
    catching = diagram(
        ERRORS,
        process(
            "p", *LINE, call("w", "q"), boundary("b", "w", about("error", "x")), path("b", "e")
        ),
    )
    careless = diagram(process("p", *LINE, call("w", "q")))

    assert problems(case=catching, called=called) == []
    assert [one.element for one in problems(case=careless, called=called)] == ["o"]


def test_processes_that_call_each_other_are_followed_once() -> None:
    one = diagram(ERRORS, process("p", *LINE, call("w", "q")))
    other = diagram(ERRORS, process("q", *LINE, call("w", "p"), thrower().replace('"w"', '"v"')))

    assert "error-uncaught" in {problem.rule for problem in problems(case=one, other=other)}


@pytest.mark.parametrize("host", [service("w", "work"), user("w"), call("w", "elsewhere")])
def test_what_may_throw_unseen_is_not_doubted(host: str) -> None:
    drawn = rules(*LINE, host, boundary("b", "w", about("error", "x")), path("b", "e"),
                  before=ERRORS)  # fmt: skip
    assert drawn == set()


def test_an_escalation_that_nobody_hears_is_only_mentioned() -> None:
    drawn = rules(start("s"), throw("w", about("escalation", "k")), end("e"), path("s", "w", "e"),
                  before=escalation("k", "slow"))  # fmt: skip
    assert drawn == {("escalation-uncaught", "w")}


def test_a_message_that_nobody_in_the_bundle_waits_for_is_mentioned() -> None:
    sent = (start("s"), throw("w", about("message", "m")), end("e"), path("s", "w", "e"))
    assert rules(*sent, before=message("m", "offer")) == {("message-without-receiver", "w")}

    heard = diagram(message("m", "offer", "=key"),
                    process("q", start("s"), catch("c", about("message", "m")), end("e"),
                            path("s", "c", "e")))  # fmt: skip
    both = problems(case=diagram(message("m", "offer"), process("p", *sent)), other=heard)
    assert both == []


def test_a_signal_that_nobody_in_the_bundle_waits_for_is_mentioned() -> None:
    drawn = rules(start("s"), throw("w", about("signal", "g")), end("e"), path("s", "w", "e"),
                  before=signal("g", "closed"))  # fmt: skip
    assert drawn == {("signal-without-receiver", "w")}


def test_two_messages_of_one_name_with_different_keys_collide() -> None:
    waiting = (start("s"), catch("c", about("message", "m")), catch("d", about("message", "n")),
               end("e"), path("s", "c", "d", "e"))  # fmt: skip
    colliding = message("m", "answer", "=case") + message("n", "answer", "=customer")
    agreeing = message("m", "answer", "=case") + message("n", "answer", "=case")

    assert rules(*waiting, before=colliding) == {("message-name-twice", "n")}
    assert rules(*waiting, before=agreeing) == set()


# ------------------------------------------------------------------ variables


def reading(name: str, *more: str) -> tuple[str, ...]:
    return (
        start("s"), gateway("exclusive", "g", default="g-b"), user("a"), user("b"), end("e"),
        path("s", "g", "b", "e"), flow("g", "a", f'{name} = "x"'), path("a", "e"), *more,
    )  # fmt: skip


def test_a_slip_of_the_pen_is_found_beside_what_a_form_sets() -> None:
    form = json.dumps({"id": "f", "components": [{"key": "customer", "type": "textfield"}]})
    drawn = diagram(process("p", *reading("custmer")))

    assert problems(case=drawn) == []
    (found,) = problems(case=drawn, ask_form=form.encode())
    assert found.rule == "variable-misspelled"
    assert found.element == "g-a"
    assert "“custmer”" in found.message
    assert "“customer”" in found.message


def test_a_name_that_is_read_twice_is_taken_to_be_meant() -> None:
    form = json.dumps({"id": "f", "components": [{"key": "customer"}]}).encode()
    twice = reading("custmer", user("c", extension(mapping({"x": "custmer"}))), path("a", "c", "e"))

    assert problems(case=diagram(process("p", *twice)), ask_form=form) == []


def test_one_and_many_are_two_names() -> None:
    drawn = process("p", *reading("reviewers", user("c", extension(mapping({"reviewer": "1"})))))
    assert [one.rule for one in problems(case=diagram(drawn))] == []


# ------------------------------------------------------------------ choices


def test_a_choice_without_a_default_is_mentioned() -> None:
    drawn = (start("s"), gateway("exclusive", "g"), user("a"), user("b"), end("e"),
             path("s", "g"), flow("g", "a", "x > 1"), flow("g", "b", "x < 1"),
             path("a", "e"), path("b", "e"))  # fmt: skip
    assert rules(*drawn) == {("gateway-without-default", "g")}
    assert rules(*(part.replace('id="g"', 'id="g" default="g-b"') for part in drawn)) == set()
