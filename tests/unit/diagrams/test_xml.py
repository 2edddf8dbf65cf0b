"""Files of strangers: whatever they hold, a problem comes back, and never an exception."""

from __future__ import annotations

import pytest

from engine import diagrams
from tests.drawing import HEAD, diagram, end, path, process, start, task
from tests.unit.diagrams.gate import FEEL, read, stopping

ENTITIES = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "ha"}">' for i in range(10))

STRANGE = {
    "no xml": (b"hello", "not XML"),
    "nothing": (b"", "empty"),
    "blanks": (b" \n\t", "empty"),
    "zeros": (b"\0\0\0", "not XML"),
    "half a file": (HEAD.encode() + b'<process id="p">', "not XML"),
    "a bomb": (f"<!DOCTYPE d [{ENTITIES}]>{HEAD}&e9;</definitions>".encode(), "document type"),
    "a bomb behind a prolog": (
        f"<?xml version='1.0'?><!-- x --><!doctype d [{ENTITIES}]><d/>".encode(),
        "document type",
    ),
    "a bomb in UTF-16": (
        f"<?xml version='1.0' encoding='UTF-16'?><!DOCTYPE d [{ENTITIES}]><d a='&e9;'/>".encode(
            "utf-16"
        ),
        "",
    ),
    "an external entity": (
        b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]><d>&x;</d>',
        "document type",
    ),
    "an unknown encoding": (b'<?xml version="1.0" encoding="nonsense"?><a/>', "not XML"),
    "bytes of another encoding": (b'<?xml version="1.0" encoding="utf-8"?><a b="\xff"/>', "not"),
    "another namespace": (b'<definitions xmlns="urn:x"/>', "no BPMN diagram"),
    "no namespace": (b"<definitions/>", "no BPMN diagram"),
    "a web page": (b"<html><body/></html>", "no BPMN diagram"),
    "too deep": (
        (HEAD + "<process id='p'>" + "<subProcess>" * 250 + "</subProcess>" * 250).encode()
        + b"</process></definitions>",
        "",
    ),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_file_is_refused_with_a_line_and_no_exception(name: str) -> None:
    # given
    data, expected = STRANGE[name]
    # when
    bundle = read(data)
    # then
    (problem,) = [p for p in bundle.problems if p.stops]
    assert problem.file == "case.bpmn"
    assert problem.line in range(1, data.count(b"\n") + 2)
    assert expected in problem.message
    assert not bundle.definitions


def test_a_file_over_the_size_limit_is_refused_unread() -> None:
    # given 100 MB that would not even parse
    data = b"<" * 100_000_001
    # when
    (problem,) = stopping(data)
    # then
    assert "100,000,001 bytes" in problem.message


def test_the_size_limit_can_be_set() -> None:
    # given
    drawing = diagram(process("p", start("s"), end("e"), path("s", "e")))
    # when
    bundle = diagrams.read({"a.bpmn": drawing}, languages=FEEL, max_bytes=100)
    # then
    assert bundle.stops


def test_a_long_prolog_is_read_in_linear_time() -> None:
    # given what a backtracking expression would never finish
    data = b"<!-- x -->" * 100_000 + b"<a/>"
    # when / then
    assert "no BPMN diagram" in stopping(data)[0].message


def test_comments_and_instructions_do_not_divide_a_text() -> None:
    # given
    inside = "<documentation>one<!-- two --><?three?> four</documentation>"
    drawing = diagram(process("p", start("s", inside), end("e"), path("s", "e")))
    # when / then
    assert not read(drawing).problems


def test_a_file_of_countless_elements_is_refused() -> None:
    # given
    data = (HEAD + "<signal/>" * 200_001 + "</definitions>").encode()
    # when
    (problem,) = stopping(data)
    # then
    assert "more than 200,000 elements" in problem.message


def test_a_long_text_is_quoted_in_part() -> None:
    # given
    drawing = diagram(process("p" * 100_000, start("s"), end("e")))
    # when / then
    assert all(len(p.message) <= 500 for p in read(drawing).problems)


def test_a_chain_of_a_thousand_tasks_is_read() -> None:
    # given
    ids = [f"t{i}" for i in range(1000)]
    drawing = diagram(process("p", start("s"), *map(task, ids), end("e"), path("s", *ids, "e")))
    # when
    bundle = read(drawing)
    # then
    assert not bundle.problems
    assert len(bundle.definitions["p"].elements) == 1002
