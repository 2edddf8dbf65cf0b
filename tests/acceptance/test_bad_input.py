"""What is wrong is refused by the command line with every reason, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.command import Caseway
from tests.acceptance.diagrams import WRONG, Wrong, drawn, many_wrongs

UNKNOWN = "019a0000-0000-7000-8000-000000000000"


def written(folder: Path, wrong: Wrong) -> str:
    path = folder / f"{wrong.name}.bpmn"
    path.write_bytes(wrong.content)
    return str(path)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_a_wrong_diagram_is_refused_and_nothing_stored(caseway: Caseway, wrong: Wrong) -> None:
    path = written(caseway.folder, wrong)

    done = caseway.run("deploy", path, "--json")

    assert done.status == 1, done.err
    assert done.json["code"] == "deployment_refused"
    problems = done.json["problems"]
    assert wrong.says in " ".join(problem["message"] for problem in problems).lower()
    if wrong.element:
        assert wrong.element in {problem["element"] for problem in problems}
    assert f"{wrong.name}.bpmn" in done.err
    assert "Traceback" not in done.err
    assert caseway.json("definitions") == []


def test_check_and_deploy_find_the_same_problems(caseway: Caseway) -> None:
    path = caseway.folder / "many.bpmn"
    path.write_bytes(many_wrongs())

    checked = caseway.run("check", str(path), "--json")
    deployed = caseway.run("deploy", str(path), "--json")

    assert (checked.status, deployed.status) == (1, 1)
    assert checked.json == deployed.json["problems"]
    elements = {problem["element"] for problem in checked.json}
    assert elements >= {"work", "second", "third"}


def test_problems_are_told_with_file_line_element_and_advice(caseway: Caseway) -> None:
    path = caseway.folder / "many.bpmn"
    path.write_bytes(many_wrongs())

    lines = caseway.run("check", str(path)).out.splitlines()

    assert any(line.startswith("many.bpmn:") and " work " in line and " -> " in line
               for line in lines)  # fmt: skip


def test_a_hundred_megabytes_are_refused(caseway: Caseway) -> None:
    path = caseway.folder / "huge.bpmn"
    with path.open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)

    done = caseway.run("deploy", str(path))

    assert done.status == 1
    assert "huge.bpmn" in done.err
    assert "limit" in done.err


def test_one_wrong_file_refuses_the_whole_bundle(caseway: Caseway) -> None:
    (caseway.folder / "good.bpmn").write_text(drawn())
    bad = written(caseway.folder, WRONG[0])

    assert caseway.run("deploy", str(caseway.folder / "good.bpmn"), bad).status == 1

    assert caseway.json("definitions") == []


def test_equal_element_ids_in_two_files_are_fine(caseway: Caseway) -> None:
    for name in ("one", "two"):
        (caseway.folder / f"{name}.bpmn").write_text(drawn(process=name))

    caseway.ok("deploy", str(caseway.folder / "one.bpmn"), str(caseway.folder / "two.bpmn"))

    assert {d["process_id"] for d in caseway.json("definitions")} == {"one", "two"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("cases", UNKNOWN),
        ("history", UNKNOWN),
        ("claim", UNKNOWN),
        ("complete", UNKNOWN),
        ("cancel", UNKNOWN),
        ("retry", UNKNOWN),
        ("export", UNKNOWN),
        ("start", "no_such_process"),
        ("activate", "no_such_process", "1"),
        ("tokens", "revoke", UNKNOWN),
    ],
    ids=" ".join,
)
def test_an_unknown_name_is_one_clear_sentence(
    caseway: Caseway, arguments: tuple[str, ...]
) -> None:
    done = caseway.run(*arguments)

    assert done.status == 1
    assert arguments[-1].strip("1") in done.err or UNKNOWN in done.err or "no_such" in done.err
    assert "Traceback" not in done.err


def test_a_completed_task_cannot_be_completed_again(caseway: Caseway) -> None:
    (caseway.folder / "plain.bpmn").write_text(drawn())
    caseway.ok("deploy", str(caseway.folder / "plain.bpmn"))
    case = caseway.json("start", "plain")["id"]
    task = caseway.json("tasks")[0]["id"]
    caseway.ok("complete", task, "--by", "ann", "--var", "x=1")
    before = caseway.ok("history", case, "--json").out

    again = caseway.run("complete", task, "--by", "bob", "--var", "x=2", "--json")

    assert again.status == 1
    assert again.json["code"] == "conflict"
    assert caseway.ok("history", case, "--json").out == before


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("start", "plain", "--vars", "[1]"), 1),
        (("start", "plain", "--vars", "{broken"), 1),
        (("start", "plain", "--var", "no_equals_sign"), 1),
        (("start", "plain", "--version", "first"), 2),
        (("start",), 2),
        (("complete",), 2),
        (("cases", "--state", "lost"), 2),
        (("deploy", "no_such_file.bpmn"), 2),
        (("nonsense",), 2),
    ],
    ids=str,
)
def test_wrong_use_ends_with_its_status(
    caseway: Caseway, arguments: tuple[str, ...], status: int
) -> None:
    done = caseway.run(*arguments)

    assert done.status == status
    assert done.err.strip()
    assert "Traceback" not in done.err


def test_a_wrong_setting_is_named_with_its_place(caseway: Caseway) -> None:
    caseway.environment["CASEWAY_PORT"] = "many"

    done = caseway.run("cases")

    assert done.status == 2
    assert "CASEWAY_PORT" in done.err


def test_bulk_goes_on_after_a_wrong_line_and_says_which(caseway: Caseway) -> None:
    (caseway.folder / "plain.bpmn").write_text(drawn())
    caseway.ok("deploy", str(caseway.folder / "plain.bpmn"))
    lines = '{"id": "a"}\n{"id": null}\n{"id": "c"}\n'

    done = caseway.run("start", "plain", "--from", "-", "--key-field", "id", "--json", stdin=lines)

    assert done.status == 1
    assert len(done.json["started"]) == 2
    assert [refused["place"] for refused in done.json["refused"]] == ["stdin:2"]
    assert "stdin:2" in done.err
