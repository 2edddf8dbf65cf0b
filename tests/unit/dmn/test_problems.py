"""What is wrong with a model is told at its line, with a way out, in both languages."""

from __future__ import annotations

import re

import pytest

from engine.dmn import load
from engine.errors import FeelError
from tests.decision_drawing import data, decision, literal, model, needs, table, tag, text


def boxed(name: str, *inside: str, **more: str) -> str:
    """Return a decision with a boxed expression."""
    return decision("d", tag(name, *inside, **more))


def entry(name: str, value: str) -> str:
    return tag("contextEntry", tag("variable", name=name), literal(value))


def service(name: str, *inside: str) -> str:
    return tag("decisionService", tag("variable", name=name), *inside, id=name, name=name)


def item(*inside: str, **more: str) -> str:
    return tag("itemDefinition", *inside, **more)


RELATION = tag("column", name="a"), tag("row", literal("1"), literal("2"))
CHOICE = tag("if", literal("true")), tag("then", literal("1"))
LOOP = tag("in", literal("[1]")), tag("return", literal("1"))
CIRCLE = decision("d", needs("s", kind="Knowledge"), literal("s()"))
WRONG_VALUES = item("<typeRef>number</typeRef>", text("allowedValues", "1 +"), name="t")


@pytest.mark.parametrize(
    ("drawn", "said", "way"),
    [
        (tag("decision", literal("1")), "has neither id nor name", "give it a name"),
        (decision("d", literal("1")) * 2, "id “d” occurs twice", "rename one"),
        (decision("d", literal("1"), type_ref="nmber"), "no type “nmber”", "define it"),
        (decision("d", needs("zz"), literal("1")), "“#zz” leads nowhere", "draw it anew"),
        (service("s"), "“s” has no output decision", "draw the decision"),
        (
            tag("businessKnowledgeModel", tag("variable", name="f"), id="f", name="f"),
            "“f” has no logic",
            "fill it in",
        ),
        (WRONG_VALUES, "allowed values cannot be read: expected a value", "write values"),
        (item("<typeRef>number</typeRef>"), "item definition has no name", "give it a name"),
        (item("<typeRef>t</typeRef>", name="t"), "“t” is defined by itself", "give it the type"),
        (decision("d", table(["n"], [["-", "1"]], hits="SOME")), "“SOME”", "one of UNIQUE, ANY"),
        (
            decision("d", table(["n"], [["-", "1"]], hits="COLLECT", aggregation="AVG")),
            "no aggregation “AVG”",
            "one of SUM, MIN, MAX, COUNT",
        ),
        (
            decision(
                "d",
                table(
                    ["n"], [["-", "1", "2"]], outputs=["a", "b"], hits="COLLECT", aggregation="SUM"
                ),
            ),
            "that collects with SUM has one output",
            "remove the others",
        ),
        (
            decision("d", table(["n"], [["-", "1", "2"]], outputs=["a", "a"])),
            "has a name of its own",
            "name each",
        ),
        (decision("d", table(["n"], [["-"]], outputs=[])), "has no output", "add one"),
        (decision("d", table([""], [["-", "1"]])), "has no expression", "say what is tested"),
        (boxed("functionDefinition"), "The function holds no expression", "fill it in"),
        (boxed("invocation"), "The invocation holds no expression", "fill it in"),
        (boxed("conditional", *CHOICE), "part “else” is missing", "fill it in"),
        (boxed("for", *LOOP), "iterator variable has no name", "name it"),
        (boxed("context", entry("a", "1"), entry("a", "2")), "“a” occurs twice", "rename one"),
        (boxed("relation", *RELATION), "has 2 cells, the relation 1 columns", "one cell for each"),
        (
            decision("d", literal("1", expressionLanguage="groovy")),
            "language groovy is not known",
            "write it in FEEL",
        ),
        (
            CIRCLE + service("s", tag("outputDecision", href="#d")),
            "“d” requires itself",
            "break the circle",
        ),
    ],
)
def test_a_wrong_model_is_told_with_its_place_and_a_way_out(
    drawn: str, said: str, way: str
) -> None:
    made = load(model(data("n"), drawn))

    problem = next(one for one in made.problems if said in one.message)

    assert problem.stops
    assert problem.line is not None
    assert problem.line > 2
    assert way in problem.advice
    assert problem.rule
    ((language, message, advice),) = problem.translations
    assert language == "zh"
    assert re.search("[\u4e00-\u9fff]", message)
    assert re.search("[\u4e00-\u9fff]", advice)


def test_a_type_that_is_defined_by_itself_takes_anything() -> None:
    circle = item("<typeRef>t</typeRef>", name="t")
    typed = data("n", "t"), decision("d", needs("n"), literal("n"))

    assert load(model(circle, *typed)).evaluate("d", {"n": 1}).value == 1


def test_functions_that_call_each_other_for_ever_end() -> None:
    def function(name: str, other: str) -> str:
        logic = tag("encapsulatedLogic", literal(f"{other}()"))
        requires = needs(other, kind="Knowledge")
        return tag("businessKnowledgeModel", logic, requires, id=name, name=name)

    endless = decision("d", needs("f", kind="Knowledge"), literal("f()"))

    with pytest.raises(FeelError, match=r"nested too deeply|inside each other"):
        load(model(function("f", "g"), function("g", "f"), endless)).evaluate("d", {})
