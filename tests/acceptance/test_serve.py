"""The service as a whole: it starts, survives the death of its parts, and drains."""

from __future__ import annotations

import json
import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.acceptance.command import (
    PATIENCE_S,
    PROCESSES,
    Caseway,
    Served,
    eventually,
    kill,
    lives,
)
from tests.acceptance.diagrams import drawn

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def is_open(served: Served) -> bool:
    host, port = served.url.removeprefix("http://").split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_a_call_made_right_after_the_start_is_answered(caseway: Caseway) -> None:
    with caseway.serving() as served:
        assert served.call("GET", "/healthz").json == {"status": "alive"}
        served.wait_ready()
        assert served.call("GET", "/readyz").json == {
            "status": "ready", "database": "ok", "worker": "ok", "due_work": "ok",
        }  # fmt: skip


def test_sigterm_ends_both_processes_with_status_zero(caseway: Caseway) -> None:
    with caseway.serving() as served:
        served.wait_ready()
        pids = [served.child("web"), served.child("worker")]

        served.process.send_signal(signal.SIGTERM)

        assert served.process.wait(60) == 0
        assert not [pid for pid in pids if lives(pid)]
        assert not is_open(served)


@pytest.mark.parametrize("name", ["web", "worker"])
def test_a_killed_child_is_replaced(caseway: Caseway, name: str) -> None:
    with caseway.serving() as served:
        served.wait_ready()
        before = served.child(name)

        kill(before)

        eventually(lambda: not lives(before), "the child is gone")
        assert served.call("GET", "/healthz").status == 200
        served.wait_ready()
        assert served.child(name) != before


def test_children_end_with_a_killed_parent(caseway: Caseway) -> None:
    with caseway.serving() as served:
        served.wait_ready()
        pids = [served.child("web"), served.child("worker")]

        kill(served.process.pid)

        eventually(lambda: not any(lives(pid) for pid in pids), "the children end")
        eventually(lambda: not is_open(served), "the port is free")


def test_work_that_the_api_makes_due_is_done_by_the_worker(caseway: Caseway) -> None:
    caseway.ok(
        "deploy", str(PROCESSES / "first_steps.bpmn"), str(PROCESSES / "price_approval.bpmn")
    )
    token = caseway.token("admin")
    with caseway.serving() as served:
        served.wait_ready()
        body = {"process_id": "first_steps", "variables": {"order_id": "A-1", "patience": "PT0S"}}

        started = served.call("POST", "/api/instances", token=token, body=body)

        assert started.status == 201

        def names() -> list[str]:
            items = served.call("GET", "/api/tasks", token=token).json["items"]
            return sorted(task["name"] for task in items)

        # the timer of no patience at all is fired by the worker process
        eventually(lambda: names() == ["Remind the desk", "Take the order"], "the timer fires")


def raw(served: Served) -> socket.socket:
    """Return a connection for bytes that no client library would send."""
    host, port = served.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE_S)


def all_of(connection: socket.socket) -> bytes:
    """Return what the service sends until it closes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_call_that_has_begun_is_answered_after_sigterm(caseway: Caseway) -> None:
    (caseway.folder / "plain.bpmn").write_text(drawn())
    caseway.ok("deploy", "plain.bpmn")
    token = caseway.token("operator")
    body = b'{"process_id": "plain"}'
    head = (
        "POST /api/instances HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with caseway.serving() as served, raw(served) as connection:
        served.wait_ready()
        connection.sendall(head.encode() + body[:5])
        # another call on the same process has been answered: the first bytes were read before it
        assert served.call("GET", "/healthz").status == 200

        served.process.send_signal(signal.SIGTERM)
        eventually(lambda: not is_open(served), "no new call is taken")
        connection.sendall(body[5:])

        assert all_of(connection).startswith(b"HTTP/1.1 201")
        assert served.process.wait(PATIENCE_S) == 0
    assert len(caseway.json("cases")) == 1


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST /api/deployments HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n", 413),
        ("GET nonsense\r\nno header\r\n\r\n", 400),
    ],
    ids=["a_hundred_megabytes", "no_http"],
)
def test_what_http_refuses_is_a_problem_document(caseway: Caseway, head: str, status: int) -> None:
    with caseway.serving() as served, raw(served) as connection:
        connection.sendall(head.encode())

        answer, _, document = all_of(connection).partition(b"\r\n\r\n")

        assert b"application/problem+json" in answer
        assert json.loads(document)["status"] == status
        assert served.call("GET", "/healthz").status == 200


def test_a_taken_port_is_one_clear_sentence(caseway: Caseway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        done = caseway.run("serve", "--port", str(port))

    assert done.status == 2
    assert str(port) in done.err
    assert "Traceback" not in done.err


def test_a_setup_that_no_restart_mends_ends_the_service(caseway: Caseway, tmp_path: Path) -> None:
    broken = tmp_path / "own"
    broken.mkdir()
    (broken / "mine.py").write_text("import nothing_of_this_name\n")

    done = caseway.run("--handlers", str(broken), "serve", "--port", "0")

    assert done.status == 1
    assert "mine.py" in done.err
    assert "Traceback" not in done.err


def test_a_folder_called_web_in_the_way_is_not_run_instead(caseway: Caseway) -> None:
    intruder = caseway.folder / "web"
    intruder.mkdir()
    (intruder / "__init__.py").write_text("OWNER = 'somebody else'\n")

    with caseway.serving() as served:
        served.wait_ready()
