"""/metrics and /readyz: what they say of an engine that has done something, and to whom."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families as parsed

from engine.clock import VirtualClock
from engine.errors import SchemaTooNew
from engine.runtime import Engine
from engine.settings import Settings
from engine.store.connect import Disconnected
from tests.integration import drawings
from web import metrics
from web.app import create_app

Samples = dict[tuple[str, tuple[str, ...]], float]


def scraped(app: Flask, **headers: str) -> Samples:
    """Return name and sorted values of labels -> value, as a scrape from this machine sees them."""
    answer = app.test_client().get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    return samples(answer.text)


def samples(text: str) -> Samples:
    return {
        (
            one.name,
            tuple(sorted(value for name, value in one.labels.items() if name != "le")),
        ): one.value
        for family in parsed(text)
        for one in family.samples
        if one.labels.get("le") in (None, "+Inf")
    }


@pytest.fixture
def grew(app: Flask) -> Callable[..., float]:
    """Return a way to ask by how much a counter has grown since the beginning of the test."""
    before = scraped(app)

    def by(name: str, *labels: str) -> float:
        key = name, tuple(sorted(labels))
        return scraped(app).get(key, 0.0) - before.get(key, 0.0)

    return by


def test_verbs_statements_events_and_steps_are_counted(
    engine: Engine, grew: Callable[..., float]
) -> None:
    sent: list[str] = []
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    engine.database.trace = sent.append
    engine.start("p")
    (item,) = engine.claim_work(owner="w", limit=1, lease_s=30)
    in_start = sent.index("COMMIT")
    engine.settle(item, {})

    assert grew("caseway_verbs_total", "start", "ok") == 1
    # BEGIN is sent too, and no statement of ours
    assert grew("caseway_sql_statements_total", "start") == in_start + 1
    assert grew("caseway_history_events_total", "instance.started") == 1
    assert grew("caseway_history_events_total", "instance.completed") == 1
    assert grew("caseway_work_claimed_total", "pack") == 1
    assert grew("caseway_step_seconds_count") == 2
    assert grew("caseway_verb_seconds_count", "settle") == 1


def test_failed_attempts_are_told_apart_by_what_follows(
    engine: Engine, clock: VirtualClock, grew: Callable[..., float]
) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    engine.start("p")
    for retry_at in (clock.now(), None):
        (item,) = engine.claim_work(owner="w", limit=1, lease_s=30)
        assert engine.fail(item, "no", "", retry_at=retry_at)
    assert not engine.fail(item, "stale", "", retry_at=None)

    assert grew("caseway_work_failed_total", "pack", "retry") == 1
    assert grew("caseway_work_failed_total", "pack", "incident") == 1
    assert grew("caseway_history_events_total", "incident.raised") == 1


def test_what_was_rolled_back_is_no_event(engine: Engine, grew: Callable[..., float]) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    engine.start("p")
    (item,) = engine.claim_work(owner="w", limit=1, lease_s=30)
    assert engine.settle(item, {})

    assert not engine.settle(item, {})

    assert grew("caseway_history_events_total", "work.settled") == 1


def test_gauges_say_what_is_open_and_how_far_behind(
    app: Flask, engine: Engine, clock: VirtualClock
) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    for _ in range(3):
        engine.start("p")
    engine.claim_work(owner="w", limit=1, lease_s=30)
    clock.advance(20)

    found = scraped(app)

    assert found["caseway_cases", ("p", "running")] == 3
    assert found["caseway_work", ("due", "pack", "service")] == 2
    assert found["caseway_work", ("leased", "pack", "service")] == 1
    assert found["caseway_oldest_due_seconds", ()] == 20
    assert found["caseway_messages_waiting", ()] == 0
    assert found["caseway_database_up", ()] == 1


def test_a_scrape_costs_two_statements_and_the_next_one_none(app: Flask, engine: Engine) -> None:
    sent: list[str] = []
    engine.database.trace = sent.append

    scraped(app)
    scraped(app)

    assert len([text for text in sent if text.startswith(("SELECT", "WITH"))]) == 2


def test_without_a_database_the_rest_is_still_told(
    app: Flask, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> list[object]:
        raise Disconnected("the database is away")

    monkeypatch.setattr(engine, "gauges", away)

    found = scraped(app)

    assert found["caseway_database_up", ()] == 0
    assert ("caseway_oldest_due_seconds", ()) not in found


def test_requests_are_counted_by_route_not_by_path(app: Flask, grew: Callable[..., float]) -> None:
    app.test_client().get("/api/instances/0190")
    app.test_client().get("/api/instances/0191")

    route = "/api/instances/<instance_id>"
    assert grew("caseway_http_requests_total", "GET", route, "401") == 2
    assert grew("caseway_http_request_seconds_count", "GET", route) == 2


def test_a_start_does_not_wait_for_the_library(engine: Engine) -> None:
    code = (
        "import sys; from engine.runtime import Engine; from engine.settings import Settings; "
        "from pathlib import Path; from web.app import create_app; "
        f"s = Settings(data_dir=Path({str(engine.settings.data_dir)!r})); "
        "create_app(s, engine=Engine(s)); "
        "print(sorted({'prometheus_client', 'opentelemetry'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
def test_through_a_proxy_nobody_reads_metrics(app: Flask, header: str) -> None:
    assert app.test_client().get("/metrics", headers={header: "x"}).status_code == 403


def test_another_machine_reads_metrics_only_with_the_token(engine: Engine) -> None:
    there = {"REMOTE_ADDR": "192.0.2.7"}
    closed = create_app(engine.settings, engine=engine)
    opened = create_app(replace(engine.settings, metrics_token="sesame"), engine=engine)

    assert closed.test_client().get("/metrics", environ_base=there).status_code == 403
    for app, token, status in ((opened, "sesame", 200), (opened, "wrong", 403)):
        headers = {"Authorization": f"Bearer {token}"}
        answer = app.test_client().get("/metrics", headers=headers, environ_base=there)
        assert answer.status_code == status
    # with a token, this machine needs it too
    assert opened.test_client().get("/metrics").status_code == 403


def test_a_worker_shows_its_own_counts_at_its_port(
    settings_with_port: Settings, grew: Callable[..., float], engine: Engine
) -> None:
    server = metrics.show_worker(settings_with_port)
    assert server is not None
    url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        engine.reap()
        with urllib.request.urlopen(f"{url}/metrics") as answer:
            found = samples(answer.read().decode())
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{url}/")
        # the same port once more costs no work, only this log line
        assert metrics.show_worker(settings_with_port) is None
    finally:
        server.shutdown()
        server.server_close()

    assert found["caseway_verbs_total", ("ok", "reap")] >= 1
    assert "caseway_cases" not in {name for name, _ in found}


@pytest.fixture
def settings_with_port(engine: Engine) -> Settings:
    """Return settings with a free port for the worker's metrics."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return replace(engine.settings, worker_metrics_port=probe.getsockname()[1])


def newer_schema() -> None:
    """Refuse as the engine does."""
    raise SchemaTooNew("the database is newer")


def test_ready_names_the_part_that_is_not(
    engine: Engine, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.deploy({"a.bpmn": drawings.services(["pack"])}, by="ann")
    engine.start("p")
    client = create_app(engine.settings, engine=engine).test_client()
    assert client.get("/readyz").json == {
        "status": "ready", "database": "ok", "worker": "elsewhere", "due_work": "ok",
    }  # fmt: skip

    clock.advance(301)
    late = client.get("/readyz")
    monkeypatch.setattr(engine, "migrate", newer_schema)
    newer = client.get("/readyz")

    assert (late.status_code, late.json["due_work"]) == (503, "waiting for 301 s")  # type: ignore[index]
    assert (newer.status_code, newer.json["database"]) == (503, "schema_too_new")  # type: ignore[index]
    assert client.get("/healthz").status_code == 200
