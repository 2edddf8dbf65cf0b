"""Handlers that misbehave in every way: retries, then one incident each; their neighbours go on."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from engine.settings import Settings
from tests.acceptance.command import Caseway, eventually, kill
from tests.acceptance.diagrams import drawn
from web.opening import open_engine

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

OWN = """
import os
import time
from pathlib import Path

from engine import HandlerContext, handler


def note(context: HandlerContext, what: str) -> None:
    with open(context.settings.data_dir / what, "a") as file:
        file.write(f"{os.getpid()}\\n")


@handler("own.good")
def good() -> dict:
    return {"well": "done"}


@handler("own.raises")
def raises(context: HandlerContext) -> dict:
    if not (context.settings.data_dir / "mended").exists():
        raise RuntimeError("not today")
    return {"well": "done"}


@handler("own.hangs", timeout_s=0.5)
def hangs() -> dict:
    time.sleep(3600)
    return {}


@handler("own.waits")
def waits(context: HandlerContext) -> dict:
    note(context, "waits")
    while not (context.settings.data_dir / "go").exists():
        time.sleep(0.01)
    return {}


@handler("own.notes")
def notes(context: HandlerContext) -> dict:
    note(context, "notes")
    return {}


@handler("own.no_json")
def no_json() -> dict:
    return {"what": object()}


@handler("own.huge")
def huge() -> dict:
    return {"what": "x" * 10_000_000}


@handler("own.dies")
def dies() -> dict:
    os._exit(9)
"""
FAULTY = ("raises", "hangs", "no_json", "huge", "dies")
NEIGHBOURS = ("good", "waits", "notes")


def calling(name: str) -> str:
    """Return a process with one service task of a handler, tried twice."""
    task = (
        '<bpmn:serviceTask id="work"><bpmn:extensionElements>'
        f'<zeebe:taskDefinition type="own.{name}" retries="1"/>'
        "</bpmn:extensionElements></bpmn:serviceTask>"
    )
    return drawn(task, process=name)


@pytest.fixture
def equipped(caseway: Caseway) -> Caseway:
    """Return the command line with the handlers above, their processes deployed, cases started."""
    own = caseway.folder / "own"
    own.mkdir()
    (own / "own.py").write_text(OWN)
    caseway.environment["CASEWAY_HANDLERS_DIR"] = str(own)
    engine = open_engine(Settings(data_dir=caseway.data, handlers_dir=own))
    files = {f"{name}.bpmn": calling(name).encode() for name in (*NEIGHBOURS, *FAULTY)}
    engine.deploy(files, by="test")
    for name in (*FAULTY, "good", "good", "good"):
        engine.start(name)
    engine.close()
    return caseway


def test_each_gets_one_incident_and_its_neighbours_go_on(equipped: Caseway) -> None:
    def settled() -> bool:
        states = Counter(case["state"] for case in equipped.json("cases"))
        return states["completed"] == 3 and len(equipped.json("incidents")) == len(FAULTY)

    with equipped.serving(lease_s="1", backoff_base_s="0.01"):
        eventually(settled, "three cases end, five have an incident")

    process_of = {case["id"]: case["process_id"] for case in equipped.json("cases")}
    incidents = equipped.json("incidents")
    stopped = sorted(process_of[incident["instance_id"]] for incident in incidents)
    assert stopped == sorted(FAULTY)
    assert {incident["kind"] for incident in incidents} == {"work"}
    for case, process in process_of.items():
        kinds = Counter(row["kind"] for row in equipped.json("history", case))
        assert kinds["incident.raised"] == (process in FAULTY)


def test_a_mended_handler_goes_on_where_it_stopped(equipped: Caseway) -> None:
    equipped.environment["CASEWAY_BACKOFF_BASE_S"] = "0"
    equipped.ok("cancel", case_of(equipped, "hangs"))
    equipped.ok("cancel", case_of(equipped, "dies"))
    # a failed attempt is due again at once, without waiting
    for _ in range(3):
        equipped.ok("work", "--drain")
    case = case_of(equipped, "raises")
    (incident,) = equipped.json("incidents", "--case", case)
    assert "not today" in incident["message"]
    assert "RuntimeError" in incident["trace"]

    (equipped.data / "mended").touch()
    equipped.ok("retry", incident["id"], "--by", "ann")
    equipped.ok("work", "--drain")

    assert equipped.json("cases", case)["state"] == "completed"
    assert equipped.json("incidents", "--case", case) == []
    resolved = equipped.json("incidents", "--case", case, "--resolved")
    assert [found["resolved_by"] for found in resolved] == ["ann"]


def test_what_a_killed_worker_held_does_not_wait_for_its_lease(equipped: Caseway) -> None:
    # given a handler that runs in a worker, by a lease of an hour
    for case in equipped.json("cases"):
        equipped.ok("cancel", case["id"])
    equipped.ok("start", "waits")
    with equipped.serving(lease_s="3600") as served:
        eventually((equipped.data / "waits").exists, "it has begun")

        # when the worker is killed
        kill(served.child("worker"))
        (equipped.data / "go").touch()

        # then the next one does its work
        waiting = case_of(equipped, "waits")
        eventually(lambda: equipped.json("cases", waiting)["state"] == "completed", "it is done")

    pids = (equipped.data / "waits").read_text().split()
    assert len(pids) == len(set(pids)) == 2


def test_who_works_beside_a_hanging_handler_is_not_interrupted(equipped: Caseway) -> None:
    # given a handler that hangs, and a long one beside it in the same process
    for case in equipped.json("cases"):
        equipped.ok("cancel", case["id"])
    for name in ("waits", "hangs"):
        equipped.ok("start", name)

    def noted(what: str) -> list[str]:
        file = equipped.data / what
        return file.read_text().split() if file.exists() else []

    with equipped.serving(backoff_base_s="60"):
        eventually(lambda: bool(noted("waits")), "the long one has begun")
        before = noted("waits")

        # when what comes later is done until another process does it
        def another_one() -> bool:
            equipped.ok("start", "notes")
            return bool(set(noted("notes")) - set(before))

        eventually(another_one, "the next worker works")
        (equipped.data / "go").touch()
        eventually(
            lambda: equipped.json("cases", case_of(equipped, "waits"))["state"] == "completed",
            "the long one has ended",
        )

    # then the long one had one attempt, which went on in the old process meanwhile
    assert noted("waits") == before


def case_of(caseway: Caseway, process: str) -> str:
    """Return the id of the one case of a process."""
    found, *_ = caseway.json("cases", "--process", process)
    return str(found["id"])
