"""The running service under pressure: it refuses new cases, answers reads, and stops in order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.settings import Settings
from engine.store.tables import work
from tests.acceptance.command import Caseway, Served, eventually
from tests.acceptance.diagrams import drawn
from web.opening import open_engine

#: a handler that ends when the test says so
HANDLERS = """
import time
from pathlib import Path
from engine import HandlerContext, handler


@handler("slow", timeout_s=120)
def slow(context: HandlerContext) -> None:
    folder = Path(context.settings.data_dir)
    (folder / ("begun-" + context.root_id)).touch()
    while not (folder / "go").exists():
        time.sleep(0.01)
"""
TASK = (
    '<bpmn:serviceTask id="work"><bpmn:extensionElements><zeebe:taskDefinition type="slow"/>'
    "</bpmn:extensionElements></bpmn:serviceTask>"
)


@pytest.fixture
def own(caseway: Caseway) -> Path:
    """Return a folder with the handler, after a diagram that needs it was deployed."""
    folder = caseway.folder / "own"
    folder.mkdir()
    (folder / "some.py").write_text(HANDLERS)
    engine = open_engine(Settings(data_dir=caseway.data, handlers_dir=folder))
    engine.deploy({"plain.bpmn": drawn(TASK).encode()}, by="test")
    engine.close()
    return folder


@pytest.fixture
def token(caseway: Caseway) -> str:
    """Return the token of an operator."""
    return caseway.token("operator")


@pytest.fixture
def served(caseway: Caseway, own: Path) -> Iterator[Served]:
    """Return the service with one thread for handlers and little patience."""
    with caseway.serving(
        handlers_dir=str(own), worker_threads="1", max_due_age_s="0.5", shutdown_s="30"
    ) as found:
        found.wait_ready()
        yield found


def _start(served: Served, token: str) -> int:
    return served.call(
        "POST", "/api/instances", token=token, body={"process_id": "plain"}
    ).status  # fmt: skip


def test_new_cases_are_refused_while_old_work_waits(
    served: Served, caseway: Caseway, token: str
) -> None:
    # given work that waits for the only thread for too long
    eventually(lambda: _start(served, token) == 429, "a start is refused")

    # then the refusal says when to come back, and reading goes on
    refused = served.call("POST", "/api/instances", token=token, body={"process_id": "plain"})
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.json["code"] == "too_busy"
    for path in ("/api/instances", "/api/tasks", "/readyz"):
        assert served.call("GET", path, token=token).status == 200

    # and when the backlog is done, cases may begin again
    (caseway.data / "go").touch()
    eventually(lambda: _start(served, token) == 201, "a start is accepted again")


def test_a_service_that_stops_finishes_what_runs_and_releases_the_rest(
    served: Served, caseway: Caseway, token: str, own: Path
) -> None:
    # given one running handler and a backlog
    while _start(served, token) == 201:
        pass
    eventually(lambda: len(list(caseway.data.glob("begun-*"))) == 1, "a handler runs")

    # when the service is told to stop, and then the handler ends
    served.process.terminate()
    (caseway.data / "go").touch()
    assert served.process.wait(60) == 0

    # then its result is stored, and nobody has to wait for a lease to end
    engine = open_engine(Settings(data_dir=caseway.data, handlers_dir=own))
    begun = [path.name.removeprefix("begun-") for path in caseway.data.glob("begun-*")]
    assert [engine.case(root).state for root in begun] == ["completed"] * len(begun)
    with engine.database.db.connect() as connection:
        left = connection.execute(sa.select(work.c.owner, work.c.attempt, work.c.state)).all()
    assert left
    assert {tuple(row) for row in left} == {(None, 0, "ready")}
    engine.close()
