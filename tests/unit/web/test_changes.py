"""Changes of running cases from the command line and by the API: plans, acts, refusals, rights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from engine.errors import NotFound
from engine.model import Instance
from engine.runtime import Engine
from tests.drawing import diagram, end, path, process, start, user
from web.cli import run


def line(*ids: str) -> bytes:
    parts = [user(id) for id in ids]
    return diagram(process("p", start("s"), *parts, end("e"), path("s", *ids, "e")))


def deployed(engine: Engine, *versions: bytes) -> Instance:
    """Deploy versions of a process; return a case that was started in the first."""
    engine.deploy({"p.bpmn": versions[0]}, by="ann")
    case = engine.start("p", business_key="K-1")
    for drawing in versions[1:]:
        engine.deploy({"p.bpmn": drawing}, by="ann")
    return case


# ------------------------------------------------------------------ command line

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def caseway(engine: Engine, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a way to run the command line on the database of the test."""
    folder = str(Path(engine.settings.data_dir))

    def call(*arguments: str) -> tuple[int, str, str]:
        status = run(["--data", folder, *arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def test_a_plan_says_what_becomes_of_each_element(engine: Engine, caseway: Command) -> None:
    case = deployed(engine, line("a"), line("b"))
    status, out, _ = caseway("migrate-case", case.id, "--plan", "--map", "a=b")
    assert (status, engine.case(case.id).version) == (0, 1)
    assert out.splitlines() == ["p version 1 -> 2", "  = a -> b  (token 2)"]


def test_a_case_is_moved_and_a_refusal_names_element_reason_and_way_out(
    engine: Engine, caseway: Command
) -> None:
    case = deployed(engine, line("a"), line("b"))
    status, _, err = caseway("migrate-case", case.id, "--language", "zh")
    assert status == 1
    assert "a" in err
    assert "新版本中没有它 (migration-element-missing) -> 请将其映射" in err
    assert engine.case(case.id).version == 1
    assert caseway("migrate-case", case.id, "--map", "a=b", "--why", "new", "--by", "ann")[0] == 0
    assert engine.case(case.id).version == 2
    assert caseway("migrate-case", case.id, "--map", "nonsense")[0] == 2


def test_all_cases_of_a_version_are_moved_and_those_refused_are_listed(
    engine: Engine, caseway: Command
) -> None:
    # given
    case = deployed(engine, line("a", "b"), line("a"))
    stuck = engine.start("p", version=1)
    engine.complete(engine.tasks(instance_id=stuck.id)[0].id, {}, by="bob")
    # when
    planned = caseway("migrate-cases", "p", "1", "--plan", "--json")
    status, out, err = caseway("migrate-cases", "p", "1", "--json")
    # then
    assert planned[0] == status == 1
    done = json.loads(out)
    assert done["moved"] == json.loads(planned[1])["moved"] == [case.id]
    assert [one["instance_id"] for one in done["refused"]] == [stuck.id]
    assert f"{stuck.id}: [error] b" in err


def test_a_case_is_repaired(engine: Engine, caseway: Command) -> None:
    case = deployed(engine, line("a", "b"))
    assert caseway("modify", case.id, "--cancel", "a")[0] == 1
    assert caseway("modify", case.id, "--cancel", "a", "--start-before", "b@x")[0] == 1
    status, out, _ = caseway("modify", case.id, "--cancel", "2", "--start-before", "b")
    assert (status, out) == (0, f"{case.id} was changed; it is running now\n")
    assert [task.element_id for task in engine.tasks()] == ["b"]
    assert caseway("modify", case.id, "--cancel", "b", "--end")[0] == 0


# ------------------------------------------------------------------ API


@pytest.fixture
def post(app: Flask, engine: Engine) -> Callable[..., tuple[int, Any]]:
    """Return a way to call the API as a role."""
    secrets = {role: engine.create_token(role, role=role, by="ann")[1]
               for role in ("admin", "lead")}  # fmt: skip

    def call(path: str, role: str = "admin", language: str = "en", **body: Any) -> tuple[int, Any]:
        answer = app.test_client().post(
            path, json=body,
            headers={"Authorization": f"Bearer {secrets[role]}", "Accept-Language": language},
        )  # fmt: skip
        return answer.status_code, answer.json

    return call


def test_the_api_plans_and_moves_a_case(engine: Engine, post: Callable[..., Any]) -> None:
    case = deployed(engine, line("a"), line("b"))
    place = f"/api/instances/{case.id}/migration"
    status, plan = post(f"{place}/plan", mapping={"a": "b"})
    assert (status, plan["source"], plan["target"], plan["problems"]) == (200, 1, 2, [])
    assert plan["moves"] == [
        {"token": 2, "element_id": "a", "name": "a", "type": "userTask", "waits": "task", "to": "b"}
    ]
    status, refusal = post(place, language="zh")
    assert (status, refusal["code"], refusal["title"]) == (
        409,
        "change_refused",
        "案件不能这样更改",
    )
    assert refusal["problems"][0]["element"] == "a"
    status, moved = post(place, mapping={"a": "b"}, why="new")
    assert (status, moved["version"]) == (200, 2)
    assert post(place)[0] == 409


def test_the_api_moves_many_and_repairs_one(engine: Engine, post: Callable[..., Any]) -> None:
    case = deployed(engine, line("a", "b"), line("b"))
    status, report = post("/api/definitions/p/migration/plan", from_version=1)
    assert (status, report["dry"], report["moved"]) == (200, True, [])
    assert report["refused"][0]["problems"][0]["rule"] == "migration-element-missing"
    status, changed = post(
        f"/api/instances/{case.id}/modification", cancel=["a"], start_before=["b"], why="later"
    )
    assert (status, changed["id"]) == (200, case.id)
    status, report = post("/api/definitions/p/migration", from_version=1)
    assert (status, report["moved"], report["next"]) == (200, [case.id], None)


@pytest.mark.parametrize(
    "path",
    ["/api/instances/x/migration", "/api/instances/x/migration/plan",
     "/api/instances/x/modification", "/api/definitions/p/migration",
     "/api/definitions/p/migration/plan"],
)  # fmt: skip
def test_only_admins_change_running_cases(path: str, post: Callable[..., Any]) -> None:
    assert post(path, "lead", from_version=1)[0] == 403


@pytest.mark.parametrize("number", ["9" * 30, "9" * 5000], ids=["long", "monstrous"])
def test_numbers_that_nothing_has_are_told_as_such(
    number: str, engine: Engine, post: Callable[..., Any]
) -> None:
    case = deployed(engine, line("a"), line("b"))
    repair = f"/api/instances/{case.id}/modification"
    assert post(repair, cancel=[number])[0] in (409, 422)
    assert post(repair, start_before=[f"a@{number}"])[0] in (409, 422)
    if len(number) < 100:  # a longer one is no number of JSON either
        move = f"/api/instances/{case.id}/migration"
        for path, body in (
            (move, {"version": int(number)}),
            (f"{move}/plan", {"version": int(number)}),
            ("/api/definitions/p/migration/plan", {"from_version": int(number)}),
            ("/api/definitions/p/activate", {"version": int(number)}),
            ("/api/instances", {"process_id": "p", "version": int(number)}),
        ):
            assert post(path, **body)[0] == 422
        with pytest.raises(NotFound, match="no version"):
            engine.migrate_case(case.id, int(number), by="ann")


@pytest.mark.parametrize("bad", ["a\0b", "\ud800", "x" * 5000], ids=["nul", "half", "long"])
def test_ids_that_no_element_can_have_are_refused_as_wrong_input(
    bad: str, engine: Engine, post: Callable[..., Any]
) -> None:
    case = deployed(engine, line("a"), line("b"))
    place = f"/api/instances/{case.id}"
    for body in ({"cancel": [bad]}, {"start_before": [bad]}, {"start_after": [f"{bad}@7"]}):
        assert post(f"{place}/modification", **body)[0] == 422
    for mapping in ({"a": bad}, {bad: "b"}, {"a": 1}, {"a": None}):
        assert post(f"{place}/migration/plan", mapping=mapping)[0] == 422
