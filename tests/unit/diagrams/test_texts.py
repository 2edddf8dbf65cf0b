"""Expressions and scripts are compiled when a diagram is read, and problems say where."""

from __future__ import annotations

import pytest

from engine.model import Severity
from tests.drawing import (
    diagram,
    end,
    extension,
    flow,
    gateway,
    mapping,
    message,
    node,
    path,
    process,
    repeat,
    script,
    service,
    start,
    task,
    user,
)
from tests.unit.diagrams.gate import PYTHON, accepted, objections, stopping

FORMAL = 'xsi:type="tFormalExpression"'


def choice(condition: str) -> bytes:
    """Return a drawing with one condition."""
    chosen = node("sequenceFlow", "f", condition, sourceRef="g", targetRef="a")
    return diagram(
        process(
            "p",
            start("s"),
            gateway("exclusive", "g", default="g-b"),
            end("a"),
            end("b"),
            path("s", "g", "b"),
            chosen,
        )
    )


def condition(text: str, more: str = FORMAL) -> str:
    return f"<conditionExpression {more}>{text}</conditionExpression>"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('=1 + "x" &gt; amount', "character 3: cannot add a number and a string"),
        ("=nosuch(amount)", "character 1: there is no function 'nosuch'"),
        ("=not(contains(amount))", "character 5: contains takes 2 arguments, got 1"),
    ],
)
def test_a_part_that_never_has_a_value_is_a_warning(text: str, said: str) -> None:
    # given
    drawing = choice(condition(text))
    # when
    ((element, message),) = objections(drawing, Severity.WARNING)
    # then
    assert accepted(drawing)
    assert element == "f"
    assert said in message


def test_an_error_in_an_expression_names_place_and_position() -> None:
    # given
    drawing = choice(condition("=amount &gt; (1"))
    # when
    ((element, text),) = objections(drawing)
    # then
    assert element == "f"
    assert text.startswith("The condition expression of the sequence flow “f” is not correct FEEL")
    assert "at character" in text


def test_a_condition_without_a_mark_is_in_the_usual_language() -> None:
    assert accepted(choice(condition("amount &gt; 1")))


def test_blanks_around_a_condition_do_no_harm() -> None:
    assert accepted(choice(condition("\n\t = amount &gt; 1 \n")))


def test_plain_words_are_refused_in_an_executable_process() -> None:
    # given
    drawing = choice(condition("the customer agrees", ""))
    # when / then
    assert "written in plain words" in objections(drawing)[0][1]


def test_a_comparison_that_is_not_marked_as_formal_is_read_with_a_warning() -> None:
    # given
    drawing = choice(condition("amount &gt; 1", ""))
    # when / then
    assert accepted(drawing)
    assert "not marked as formal" in objections(drawing, Severity.WARNING)[0][1]


def test_a_number_is_no_condition() -> None:
    assert "neither true nor false" in objections(choice(condition("=23")))[0][1]


def test_a_language_that_is_not_offered_is_unsupported() -> None:
    # given
    drawing = choice(condition("x", f'{FORMAL} language="http://www.w3.org/1999/XPath"'))
    # when
    found = objections(drawing, Severity.UNSUPPORTED)
    # then
    assert "a language that is not offered" in found[0][1]


@pytest.mark.parametrize("path", ["DMN/20191111/FEEL/", "FEEL/20140401"])
def test_the_address_of_feel_means_feel(path: str) -> None:
    address = f'language="https://www.omg.org/spec/{path}"'
    assert accepted(choice(condition("amount &gt; 1", f"{FORMAL} {address}")))


@pytest.mark.parametrize(
    "part",
    [
        service("x", "=a +"),
        script("x", "1 +", "r"),
        user("x", extension('<zeebe:assignmentDefinition candidateGroups="=["/>')),
        node("task", "x", extension(mapping({"a": "1 +"}))),
        node("userTask", "x", repeat("items[", "item")),
    ],
)
def test_every_expression_of_the_zeebe_dialect_is_compiled(part: str) -> None:
    # given
    drawing = diagram(process("p", start("s"), part, end("e"), path("s", "x", "e")))
    # when
    found = objections(drawing)
    # then
    assert [element for element, _ in found] == ["x"]
    assert "is not correct FEEL" in found[0][1]


def test_a_correlation_key_has_to_be_an_expression() -> None:
    # given
    key = extension('<zeebe:subscription correlationKey="order"/>')
    drawing = diagram(
        node("message", "m", key, name="Paid"),
        process("p", start("s"), end("e"), path("s", "e")),
    )
    # when / then
    assert "but an expression is needed" in objections(drawing)[0][1]


def test_a_message_name_may_be_an_expression() -> None:
    # given
    drawing = diagram(
        message("m", '="Paid " + order['),
        process("p", start("s"), end("e"), path("s", "e")),
    )
    # when / then
    assert [element for element, _ in objections(drawing)] == ["m"]


def scripted(form: str, text: str) -> bytes:
    part = node("scriptTask", "t", f"<script>{text}</script>", scriptFormat=form)
    return diagram(process("p", start("s"), part, end("e"), path("s", "t", "e")))


def test_python_is_refused_unless_it_is_switched_on() -> None:
    # given
    drawing = scripted("text/x-python", "a = 1")
    # when / then
    assert "language that is not offered" in stopping(drawing)[0].message
    assert not stopping(drawing, languages=PYTHON)


def test_a_script_that_python_cannot_read_is_refused() -> None:
    # given
    drawing = scripted("python", "a = = 1")
    # when
    (problem,) = stopping(drawing, languages=PYTHON)
    # then
    assert problem.severity == Severity.ERROR
    assert problem.message.startswith("The script of the script task “t” is not correct Python")


def test_a_slip_in_the_format_of_a_script_is_refused() -> None:
    # given a format that is no media type, and a text that is nothing
    (problem,) = stopping(scripted("INVALID", "do the work"), languages=PYTHON)
    # then
    assert problem.severity == Severity.ERROR
    assert "which is no media type" in problem.message


def test_nothing_is_compiled_twice_or_forgotten_in_a_sketch() -> None:
    # given a drawing that is not executable
    drawing = diagram(
        node(
            "process",
            "p",
            start("s"),
            task("t"),
            end("a"),
            end("b"),
            path("s", "t", "a"),
            flow("t", "b", "x >"),
        )
    )
    # when / then
    assert [element for element, _ in objections(drawing)] == ["t-b"]
