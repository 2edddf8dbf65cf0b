"""A bundle as a whole: its hash, all its problems, what calls what, and its definitions."""

from __future__ import annotations

import pytest

from engine import diagrams
from engine.errors import BadInput
from engine.model import Severity
from tests.drawing import (
    about,
    call,
    diagram,
    end,
    extension,
    message,
    node,
    path,
    process,
    service,
    start,
    task,
    user,
)
from tests.unit.diagrams.gate import FEEL, objections, read


def simple(id: str, part: str = "") -> bytes:
    """Return a process with one part x."""
    part = part or task("x")
    return diagram(process(id, start("s"), part, end("e"), path("s", "x", "e")))


def all_of(files: dict[str, bytes], **known: tuple[str, ...]) -> diagrams.Bundle:
    return diagrams.read(files, languages=FEEL, **known)  # type: ignore[arg-type]


def test_the_hash_knows_names_and_bytes_and_no_order() -> None:
    # given
    files = {"a.bpmn": b"1", "b.bpmn": b"2"}
    # when
    value = diagrams.bundle_hash(files)
    # then
    assert value == diagrams.bundle_hash(dict(reversed(files.items())))
    assert value != diagrams.bundle_hash({"a.bpmn": b"2", "b.bpmn": b"1"})
    assert value != diagrams.bundle_hash({"a.bpmn": b"1", "b.bpmn": b"2", "c": b""})
    assert diagrams.bundle_hash({"a": b"bc"}) != diagrams.bundle_hash({"ab": b"c"})


def test_files_are_kept_byte_for_byte() -> None:
    # given
    data = simple("p").replace(b"\n", b"\r\n") + b"\n<!-- end -->\n"
    # when
    bundle = read(data)
    # then
    assert bundle.files["case.bpmn"] == data
    assert list(bundle.definitions) == ["p"]


def test_equal_element_ids_in_two_files_are_fine() -> None:
    # given
    bundle = all_of({"a.bpmn": simple("p"), "b.bpmn": simple("q")})
    # then
    assert not bundle.problems
    assert set(bundle.definitions) == {"p", "q"}
    assert bundle.definitions["q"].file == "b.bpmn"


def test_equal_process_ids_in_two_files_are_refused() -> None:
    # given
    bundle = all_of({"a.bpmn": simple("p"), "b.bpmn": simple("p")})
    # then
    (problem,) = bundle.problems
    assert (problem.file, problem.element) == ("b.bpmn", "p")
    assert "in a.bpmn" in problem.message


def test_one_bad_file_stops_all_and_problems_of_all_are_listed() -> None:
    # given
    bundle = all_of(
        {"a.bpmn": b"nothing", "b.bpmn": simple("q", "<colour/>"), "c.bpmn": simple("r")}
    )
    # then
    assert {problem.file for problem in bundle.problems if problem.stops} == {"a.bpmn", "b.bpmn"}
    assert not bundle.definitions


def test_a_bundle_without_a_diagram_is_refused() -> None:
    assert all_of({"note.txt": b"hello"}).stops
    assert all_of({}).stops


@pytest.mark.parametrize("name", ["../x.bpmn", "/x.bpmn", "a\\b.bpmn", "a//b.bpmn", "a\n.bpmn"])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    assert all_of({name: simple("p")}).stops


def test_kinds_come_from_names_and_contents() -> None:
    # given
    files = {
        "a.bpmn": simple("p"),
        "b.xml": simple("q"),
        "rules.dmn": b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"/>',
        "forms/a.form": b'{"id": "a"}',
        "readme.md": b"# hi",
    }
    # when
    bundle = all_of(files)
    # then
    assert list(bundle.kinds.values()) == ["bpmn", "bpmn", "dmn", "form", "other"]
    assert not bundle.stops


# ------------------------------------------------------------------ executable or not


def test_a_file_without_an_executable_process_says_so_and_is_checked_all_the_same() -> None:
    # given
    drawing = diagram(node("process", "p", start("s"), task("t"), end("e"), path("s", "t", "x")))
    # when
    problems = {(p.element, p.severity) for p in read(drawing).problems}
    # then
    assert ("p", Severity.UNSUPPORTED) in problems
    assert ("t-x", Severity.ERROR) in problems


def test_a_sketch_beside_an_executable_process_is_only_mentioned() -> None:
    # given
    drawing = diagram(
        process("p", start("s"), end("e"), path("s", "e")),
        node("process", "q", start("qs"), end("qe"), path("qs", "qe")),
    )
    # when
    bundle = read(drawing)
    # then
    assert [(p.element, p.severity) for p in bundle.problems] == [("q", Severity.INFO)]
    assert list(bundle.definitions) == ["p"]


# ------------------------------------------------------------------ calls, handlers, forms


def test_a_called_process_is_in_the_bundle_or_deployed() -> None:
    # given
    caller = simple("p", call("x", "invoice"))
    # when
    alone = all_of({"a.bpmn": caller})
    # then
    assert "neither in this bundle nor deployed" in alone.problems[0].message
    assert not all_of({"a.bpmn": caller, "b.bpmn": simple("invoice")}).problems
    assert not all_of({"a.bpmn": caller}, known_processes=("invoice",)).problems


def test_a_call_bound_to_its_deployment_needs_the_process_in_the_bundle() -> None:
    # given
    caller = simple("p", call("x", "invoice", bindingType="deployment"))
    # when
    bundle = all_of({"a.bpmn": caller}, known_processes=("invoice",))
    # then
    assert "in its own deployment, where it is not" in bundle.problems[0].message
    assert not all_of({"a.bpmn": caller, "b.bpmn": simple("invoice")}).problems


def test_similar_names_of_processes_are_offered() -> None:
    # given
    bundle = all_of({"a.bpmn": simple("p", call("x", "invoce"))}, known_processes=("invoice",))
    # then
    assert bundle.problems[0].advice == "similar names are: invoice"


def test_a_called_process_needs_a_plain_start() -> None:
    # given
    called = diagram(
        message("m", "Go", "k"),
        process("q", start("s", about("message", "m")), end("e"), path("s", "e")),
    )
    # when
    bundle = all_of({"a.bpmn": simple("p", call("x", "q")), "b.bpmn": called})
    # then
    assert [(p.file, p.element) for p in bundle.problems] == [("a.bpmn", "x"), ("b.bpmn", "q")]


def test_a_missing_handler_is_named_with_similar_ones() -> None:
    # given
    drawing = simple("p", service("x", "send-mial"))
    # when
    (problem,) = read(drawing, topics=("send-mail", "classify")).problems
    # then
    assert problem.element == "x"
    assert "needs the handler “send-mial”" in problem.message
    assert problem.advice == "similar names are: send-mail"
    assert not read(drawing).problems


@pytest.mark.parametrize(
    "form", ['formId="answer"', 'formKey="answer"', 'formKey="camunda-forms:/answer.form"']
)
def test_a_missing_form_is_a_warning(form: str) -> None:
    # given
    drawing = simple("p", user("x", extension(f"<zeebe:formDefinition {form}/>")))
    # when
    alone = all_of({"a.bpmn": drawing})
    together = all_of({"a.bpmn": drawing, "forms/answer.form": b'{"id": "answer"}'})
    # then
    assert [p.severity for p in alone.problems] == [Severity.WARNING]
    assert not together.problems


def test_a_form_that_is_no_json_is_refused() -> None:
    # given
    bundle = all_of({"a.bpmn": simple("p"), "x.form": b"{"})
    # then
    assert [(p.file, p.line) for p in bundle.problems if p.stops] == [("x.form", 1)]


def test_two_forms_with_one_id_are_refused_in_the_second_file() -> None:
    # given
    form = b'{"id": "answer"}'
    # when
    bundle = all_of({"a.bpmn": simple("p"), "one.form": form, "two.form": form})
    (problem,) = bundle.problems
    # then
    assert (problem.file, problem.rule, problem.stops) == ("two.form", "form-id-twice", True)
    assert problem.message == "The form has the id “answer”, and so has that in one.form"
    assert "one.form" in problem.told("zh").message
    assert problem.told("zh").message != problem.message


# ------------------------------------------------------------------ loading again


def test_an_accepted_bundle_is_built_again_without_checks() -> None:
    # given
    files = {"a.bpmn": simple("p"), "b.bpmn": simple("q"), "x.form": b"{}", "n.txt": b"?"}
    # when
    built = diagrams.load(files, languages=FEEL)
    # then
    assert set(built) == {"p", "q"}
    assert set(built["p"].elements) == {"s", "x", "e"}


def test_a_stored_file_that_is_damaged_is_refused() -> None:
    with pytest.raises(BadInput, match=r"a\.bpmn"):
        diagrams.load({"a.bpmn": b"<defin"}, languages=FEEL)


def test_problems_stand_in_the_order_of_files_and_lines() -> None:
    # given
    bad = simple("p", "<colour/>\n<size/>")
    # when
    bundle = all_of({"b.bpmn": bad, "a.bpmn": bad.replace(b'"p"', b'"q"')})
    # then
    places = [(p.file, p.line or 0) for p in bundle.problems]
    assert places == sorted(places)
    assert objections(bad)
