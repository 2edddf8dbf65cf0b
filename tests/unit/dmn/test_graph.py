"""Requirement graphs: inputs, types, functions, services, imports."""

from __future__ import annotations

import pytest

from engine.dmn import Model, load, load_files
from engine.errors import ExecutionFault, FeelError, NotFound
from tests.decision_drawing import SPACE, data, decision, literal, model, needs, table, tag


def knowledge(name: str, parameters: dict[str, str], *inside: str) -> str:
    """Return a business knowledge model; its id is its name."""
    formal = "".join(
        tag("formalParameter", name=key, typeRef=kind) for key, kind in parameters.items()
    )
    logic = tag("encapsulatedLogic", formal, inside[-1])
    return tag("businessKnowledgeModel", *inside[:-1], logic, id=name, name=name)


def item(name: str, *inside: str, kind: str = "", **more: str) -> str:
    """Return an item definition."""
    reference = f"<typeRef>{kind}</typeRef>" if kind else ""
    return tag("itemDefinition", reference, *inside, name=name, **more)


def stopping(made: Model) -> list[str]:
    return [problem.message for problem in made.problems if problem.stops]


def test_a_decision_is_made_once_however_many_require_it() -> None:
    base = decision("base", needs("n"), literal("n * 2"))
    left = decision("left", needs("base", kind="Decision"), literal("base + 1"))
    right = decision("right", needs("base", kind="Decision"), literal("base + 2"))
    top = decision("top", needs("left", "right", kind="Decision"), literal("left * right"))

    made = load(model(data("n"), base, left, right, top)).evaluate("top", {"n": 1})

    assert made.value == 12
    assert [entry["decision"] for entry in made.explanation] == ["base", "left", "right", "top"]
    assert made.explanation[-1]["inputs"] == {"left": 3, "right": 4}


def test_names_with_blanks_and_operators_are_found() -> None:
    inputs = data("customer's age") + data("e-mail")
    logic = literal('if customer\'s age > 17 then e-mail else "none"')

    made = load(model(inputs, decision("d", needs("customer's_age", "e-mail"), logic)))

    assert not made.problems
    assert made.evaluate("d", {"customer's age": 18, "e-mail": "a@b"}).value == "a@b"


def test_what_is_drawn_but_not_required_is_not_seen() -> None:
    made = load(model(data("n"), data("m"), decision("d", needs("n"), literal("m"))))

    assert stopping(made) == ["“m” is drawn, but not required here"]
    assert made.evaluate("d", {"m": 5}).value is None


def test_variables_are_seen_where_nobody_draws_inputs() -> None:
    made = load(model(decision("d", literal("amount * 2"))))

    assert not made.problems
    assert made.evaluate("d", {"amount": 4}).value == 8


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("number", "1", "n: expected number, got string"),
        ("small", 9, "n: small allows [1..5], not 9"),
        ("numbers", [1, "a"], "n: item 2: expected number, got string"),
        ("people", [{"age": 3}, {"age": 9}], "n: item 2: age allows [1..5], not 9"),
        ("people", [{}], "n: item 1: the entry 'age' is missing"),
        ("people", 5, "n: expected list<context<age: age>>, got number"),
    ],
)
def test_an_input_of_the_wrong_type_is_null_with_a_note(
    kind: str, given: object, said: str
) -> None:
    small = item("small", tag("allowedValues", "<text>[1..5]</text>"), kind="number")
    numbers = item("numbers", kind="number", isCollection="true")
    age = tag("typeRef", "number"), tag("allowedValues", "<text>[1..5]</text>")
    people = item("people", tag("itemComponent", *age, name="age"), isCollection="true")
    drawn = data("n", kind), people, decision("d", needs("n"), literal("n"))
    service = tag(
        "decisionService", tag("variable", name="s"), tag("outputDecision", href="#d"),
        tag("inputData", href="#n"), id="s", name="s",
    )  # fmt: skip

    for name in ("d", "s"):
        made = load(model(small, numbers, *drawn, service)).evaluate(name, {"n": given})

        assert made.value is None
        assert [note["message"] for note in made.explanation[-1]["notes"]] == [said]


def test_an_unknown_decision_is_told_with_those_there_are() -> None:
    made = load(model(decision("one", literal("1")), decision("two", literal("2"))))

    with pytest.raises(NotFound, match="no decision “three”; its decisions are one, two"):
        made.evaluate("three", {})
    with pytest.raises(NotFound, match="it has none"):
        load(model(data("n"))).evaluate("d", {})


def test_what_a_decision_may_be_given_is_known() -> None:
    open_ = tag("decision", tag("variable", name="opinion"), id="opinion", name="opinion")
    base = decision("base", needs("n"), literal("n + extra"))
    top = decision("top", needs("base", "opinion", kind="Decision"), literal("base"))

    assert load(model(data("n"), open_, base, top)).inputs("top") == {"n", "extra", "opinion"}


def test_a_circle_of_requirements_is_a_problem_and_ends() -> None:
    one = decision("one", needs("two", kind="Decision"), literal("two"))
    two = decision("two", needs("one", kind="Decision"), literal("one"))

    made = load(model(one, two))

    assert stopping(made) == ["“one” requires itself", "“two” requires itself"]
    with pytest.raises(FeelError, match="requires itself"):
        made.evaluate("one", {})


def test_a_decision_without_logic_is_given_from_outside() -> None:
    opinion = tag("decision", tag("variable", name="opinion", typeRef="string"), id="o", name="o")
    top = decision("top", needs("o", kind="Decision"), literal('opinion + "!"'))

    made = load(model(opinion, top))

    assert made.evaluate("top", {"opinion": "good"}).value == "good!"
    assert [one.id for one in made.decisions] == ["top"]


# ------------------------------------------------------------------ types


def test_values_outside_the_allowed_ones_become_null_with_a_note() -> None:
    grade = item("grade", tag("allowedValues", '<text>"A", "B"</text>'), kind="string")
    made = load(model(grade, data("g", "grade"), decision("d", needs("g"), literal("g"))))

    assert made.evaluate("d", {"g": "B"}).value == "B"
    assert made.evaluate("d", {"g": ["A"]}).value == "A"
    assert made.evaluate("d", {"g": "C"}).value is None


def test_contexts_need_all_their_components() -> None:
    person = item(
        "person",
        tag("itemComponent", "<typeRef>string</typeRef>", name="name"),
        tag("itemComponent", "<typeRef>number</typeRef>", name="age"),
    )
    people = item("people", kind="person", isCollection="true")
    made = load(model(person, people, data("p", "people"), decision("d", needs("p"), literal("p"))))

    ann = {"name": "Ann", "age": 5, "more": 1}
    assert made.evaluate("d", {"p": [ann]}).value == [ann]
    assert made.evaluate("d", {"p": [{"name": "Ann"}]}).value is None


def test_a_type_may_contain_itself() -> None:
    tree = item(
        "tree",
        tag("itemComponent", "<typeRef>string</typeRef>", name="name"),
        tag("itemComponent", "<typeRef>tree</typeRef>", name="parts", isCollection="true"),
    )
    made = load(model(tree, data("t", "tree"), decision("d", needs("t"), literal("t.name"))))

    inner = {"name": "in", "parts": []}
    assert made.evaluate("d", {"t": {"name": "out", "parts": [inner]}}).value == "out"
    assert made.evaluate("d", {"t": {"name": "out", "parts": [5]}}).value is None


def test_an_unknown_type_is_a_problem() -> None:
    made = load(model(data("n", "tNope"), decision("d", needs("n"), literal("n"))))

    assert stopping(made) == ["There is no type “tNope”"]


# ------------------------------------------------------------------ functions and services


def test_functions_of_the_model_are_called_by_place_and_by_name() -> None:
    rate = knowledge("rate", {"amount": "number", "years": "number"}, literal("amount / years"))
    binding = [
        tag("binding", tag("parameter", name=name), literal(text))
        for name, text in (("years", "2"), ("amount", "n"))
    ]
    placed = decision("a", needs("n") + needs("rate", kind="Knowledge"), literal("rate(n, 4)"))
    invoked = decision(
        "b", needs("n") + needs("rate", kind="Knowledge"),
        tag("invocation", literal("rate"), *binding),
    )  # fmt: skip
    made = load(model(data("n"), rate, placed, invoked))

    assert made.evaluate("a", {"n": 8}).value == 2
    assert made.evaluate("b", {"n": 8}).value == 4
    assert made.evaluate("b", {"n": "x"}).value is None
    assert made.invoke("rate", {"amount": 6, "years": 3}) == 2


def test_a_function_that_calls_itself_too_often_is_stopped() -> None:
    fibonacci = knowledge("f", {"k": "number"}, literal("if k < 2 then k else f(k - 1) + f(k - 2)"))
    made = load(model(fibonacci))

    assert made.invoke("f", {"k": 10}) == 55
    with pytest.raises(FeelError):
        made.invoke("f", {"k": 40})


def service(*references: str) -> bytes:
    inner = decision("inner", needs("n"), literal("n + 1"))
    outer = decision("outer", needs("inner", kind="Decision"), literal("inner * 10"))
    drawn = tag("decisionService", *references, id="s", name="s")
    caller = decision("caller", needs("s", kind="Knowledge"), literal("s(4)"))
    return model(data("n", "number"), inner, outer, drawn, caller)


def test_a_service_makes_its_decisions_from_what_it_is_given() -> None:
    output = tag("outputDecision", href="#outer")

    from_data = load(service(output, tag("inputData", href="#n")))
    from_decision = load(service(output, tag("inputDecision", href="#inner")))

    assert from_data.evaluate("caller", {"n": 99}).value == 50
    assert from_decision.evaluate("caller", {"n": 99}).value == 40
    assert from_data.invoke("s", {"n": 1}) == 20
    assert from_data.evaluate("s", {"n": 1}).value == 20


def test_a_service_with_several_outputs_gives_a_context() -> None:
    outputs = [tag("outputDecision", href=f"#{id}") for id in ("outer", "inner")]

    made = load(service(*outputs, tag("inputData", href="#n")))

    assert made.invoke("s", {"n": 1}) == {"outer": 20, "inner": 2}


# ------------------------------------------------------------------ imports


def test_models_import_types_decisions_and_functions() -> None:
    size = item("size", tag("allowedValues", '<text>"S", "L"</text>'), kind="string")
    base = model(
        size, data("n"), decision("twice", needs("n"), literal("n * 2")),
        knowledge("add one", {"x": "number"}, literal("x + 1")), namespace="urn:base",
    )  # fmt: skip
    top = model(
        '<import namespace="urn:base" name="the base" importType="DMN"/>',
        data("s", "the base.size"),
        decision(
            "d",
            needs("s") + needs("urn:base#twice", kind="Decision")
            + needs("urn:base#add one", kind="Knowledge"),
            literal("{n: the base.add one(the base.twice), s: s}"),
        ),
        namespace="urn:top",
    )  # fmt: skip

    made = load(top, {"urn:base": base})

    assert not made.problems
    assert made.evaluate("d", {"n": 5, "s": "M"}).value == {"n": 11, "s": None}
    assert made.evaluate("d", {("urn:base", "n"): 1, "n": 9, "s": "S"}).value == {
        "n": 3, "s": "S",
    }  # fmt: skip


def test_a_missing_import_is_a_problem_of_the_file_that_wants_it() -> None:
    files = {
        "a.dmn": model('<import namespace="urn:none" name="x" importType="DMN"/>'),
        "b.dmn": model(decision("d", literal("1")), namespace="urn:b"),
    }

    made = load_files(files)

    assert [(p.file, p.line) for p in made["a.dmn"].problems] == [("a.dmn", 3)]
    assert not made["b.dmn"].problems


# ------------------------------------------------------------------ files


@pytest.mark.parametrize("version", ["20151101", "20180521", "20191111", "20211108", "20230324"])
def test_every_version_of_the_format_is_read(version: str) -> None:
    space = SPACE.replace("20230324", version)

    made = load(model(decision("d", literal("1 + 1")), version=space))

    assert made.evaluate("d", {}).value == 2


@pytest.mark.parametrize(
    ("xml", "said"),
    [
        (b"<no xml", "The file is not XML"),
        (b"<definitions/>", "The file is no DMN model"),
        (
            model().replace(b"<def", b'<!DOCTYPE d [<!ENTITY e "x">]><def', 1),
            "The file declares a document type",
        ),
        (b"", "The file"),
    ],
)
def test_what_is_no_model_is_a_problem(xml: bytes, said: str) -> None:
    made = load(xml, file="x.dmn")

    assert made.problems[0].message.startswith(said)
    assert made.decisions == ()
    with pytest.raises(NotFound):
        made.evaluate("d", {})


def test_a_wrong_expression_is_named_and_null() -> None:
    made = load(model(decision("d", literal("1 +", id="here"))))

    (problem,) = made.problems
    assert (problem.element, problem.line) == ("here", 3)
    assert "is not FEEL" in problem.message
    assert made.evaluate("d", {}).value is None


def test_two_models_may_not_share_a_namespace() -> None:
    made = load_files({"a.dmn": model(), "b.dmn": model()})

    assert "namespace “urn:test” is also that of a.dmn" in made["b.dmn"].problems[0].message


def test_a_fault_inside_a_required_decision_reaches_the_caller() -> None:
    inner = decision("inner", table(["1"], [["-", "1"], ["-", "2"]]))
    top = decision("top", needs("inner", kind="Decision"), literal("inner"))

    with pytest.raises(ExecutionFault, match="rules 1 and 2"):
        load(model(inner, top)).evaluate("top", {})
