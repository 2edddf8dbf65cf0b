"""One case seen from outside: the ids in the lines of the log, and the spans of its trace."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from engine import trail
from engine.clock import VirtualClock
from engine.errors import SettingsError
from engine.registry import Registry
from engine.runtime import Engine
from engine.settings import Settings
from engine.worker import drain
from tests.integration import drawings
from web import traces
from web.app import create_app
from web.logs import JsonLines

SECRET = "a value of a variable"
REQUEST = "call-0001"


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """Return the lines of the log, read anew at each look."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines("test"))
    logger = logging.getLogger("caseway")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)

    class Lines(list[dict[str, Any]]):
        def __iter__(self) -> Iterator[dict[str, Any]]:
            return iter([json.loads(line) for line in stream.getvalue().splitlines()])

    yield Lines()
    logger.removeHandler(handler)
    logger.setLevel(before)


@pytest.fixture
def house(engine: Engine, tmp_path: Path, clock: VirtualClock) -> Iterator[tuple[Flask, Engine]]:
    """Return application and engine with handlers: `pack` works, `ship` fails."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "own.py").write_text(
        "import logging\n"
        "from engine import HandlerContext, handler\n\n\n"
        "@handler('pack')\n"
        "def pack(context: HandlerContext) -> dict:\n"
        "    logging.getLogger('caseway.own').info('packing')\n"
        "    return {'seen': sorted(context.headers)}\n\n\n"
        "@handler('ship', retries=0)\n"
        "def ship(context: HandlerContext) -> dict:\n"
        "    raise ValueError('no ship')\n"
    )
    settings = replace(engine.settings, handlers_dir=tmp_path / "own")
    made = Engine(settings, clock=clock, registry=Registry.load(settings))
    made.deploy({"a.bpmn": drawings.services(["pack", "ship"])}, by="ann")
    yield create_app(settings, engine=made), made
    made.close()


def started(app: Flask, engine: Engine, **headers: str) -> str:
    """Start a case by the API and let its work be done; return its id."""
    _, token = engine.create_token("ann", role="admin", by="test")
    headers = {"Authorization": f"Bearer {token}", "X-Request-Id": REQUEST, **headers}
    answer = app.test_client().post(
        "/api/instances", json={"process_id": "p", "variables": {"a": SECRET}}, headers=headers
    )
    assert answer.status_code == 201, answer.text
    assert answer.headers["X-Request-Id"] == REQUEST
    assert engine.registry is not None
    drain(engine, registry=engine.registry)
    found: str = answer.json["id"]  # type: ignore[index]
    return found


def test_a_request_is_followed_through_web_worker_and_the_work_after(
    house: tuple[Flask, Engine], lines: list[dict[str, Any]]
) -> None:
    app, engine = house
    case = started(app, engine)

    told = {line["message"].split(" at ")[0]: line for line in lines}
    web, own = told["POST /api/instances 201"], told["packing"]
    incident = told["incident: ship failed"]
    for line in (web, own, incident):
        assert (line["request"], line["case"], line["process"]) == (REQUEST, case, "test")
    assert (own["element"], incident["element"]) == ("pack", "ship")
    # `ship` became due by what `pack` returned, long after the request was answered
    (stopped,) = engine.incidents()
    assert incident["work"] != own["work"]
    assert incident["work"] == stopped.work_id


def test_handlers_do_not_see_the_id_of_the_request(house: tuple[Flask, Engine]) -> None:
    app, engine = house
    case = started(app, engine)

    assert engine.variables(case)["seen"] == []


def test_no_line_has_a_value_a_secret_or_a_name_of_nothing(
    house: tuple[Flask, Engine], lines: list[dict[str, Any]]
) -> None:
    app, engine = house
    started(app, engine)
    app.test_client().get("/p/follow/a-secret-link")
    logging.getLogger("caseway.test").info("after the request")

    text = json.dumps(list(lines))
    assert SECRET not in text
    assert "a-secret-link" not in text
    assert "Bearer" not in text
    last = list(lines)[-1]
    assert "request" not in last
    assert "case" not in last


@pytest.mark.parametrize("given", ["short", "x" * 65, "with blanks", "<script>"])
def test_an_id_that_is_none_is_replaced(app: Flask, given: str) -> None:
    answer = app.test_client().get("/healthz", headers={"X-Request-Id": given})

    assert answer.headers["X-Request-Id"] not in ("", given)


def test_a_fault_comes_with_its_stack(lines: list[dict[str, Any]]) -> None:
    try:
        raise KeyError("what")
    except KeyError:
        logging.getLogger("caseway.test").exception("it broke")

    (line,) = lines
    assert line["level"] == "error"
    assert "KeyError" in line["trace"]


# ------------------------------------------------------------------ traces


@pytest.fixture
def spans() -> Iterator[Any]:
    """Return a way to see all finished spans."""
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    provider, exporter = sdk.TracerProvider(), memory.InMemorySpanExporter()
    provider.add_span_processor(export.SimpleSpanProcessor(exporter))
    traces.use(provider)
    yield exporter.get_finished_spans
    traces.use(None)


def test_one_trace_follows_a_case_through_web_steps_and_handlers(
    house: tuple[Flask, Engine], spans: Any
) -> None:
    app, engine = house
    callers = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    case = started(app, engine, traceparent=callers)

    mine = [one for one in spans() if f"{one.context.trace_id:032x}" == case.replace("-", "")]
    named = [one.name for one in mine]
    assert sorted(named) == ["POST /api/instances", "handler pack", "handler ship", "step", "step"]
    (web,) = (one for one in mine if one.name.startswith("POST"))
    assert f"{web.links[0].context.trace_id:032x}" == callers.split("-")[1]
    (failed,) = (one for one in mine if one.name == "handler ship")
    assert (failed.status.is_ok, failed.status.description) == (False, "ValueError")
    assert failed.attributes["caseway.element"] == "ship"
    assert {one.attributes["caseway.request"] for one in mine} == {REQUEST}
    assert SECRET not in "".join(one.to_json() for one in mine)
    assert "no ship" not in "".join(one.to_json() for one in mine)


def test_a_request_without_a_case_belongs_to_the_trace_of_its_caller(
    app: Flask, spans: Any
) -> None:
    callers = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    app.test_client().get("/healthz", headers={"traceparent": callers})

    (span,) = spans()
    assert f"{span.context.trace_id:032x}" == callers.split("-")[1]


def test_without_the_setting_nothing_is_loaded_and_nothing_traced(engine: Engine) -> None:
    before = {name for name in sys.modules if name.startswith("opentelemetry.exporter")}

    traces.start(engine.settings, "web")

    assert trail.tracer is None
    assert {name for name in sys.modules if name.startswith("opentelemetry.exporter")} == before


def test_the_setting_without_the_extra_is_told(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    settings: Settings = replace(engine.settings, otel_endpoint="http://127.0.0.1:9/v1/traces")

    with pytest.raises(SettingsError, match=r"install `caseway\[otel\]`"):
        traces.start(settings, "web")
