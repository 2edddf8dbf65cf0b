"""The same service on PostgreSQL: command line, web and worker share one server's database."""

from __future__ import annotations

import json
import sys
from collections import Counter

import pytest

from tests.acceptance.command import PROCESSES, Caseway, eventually, kill

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
REQUESTS = 30


def test_requests_are_answered_though_the_worker_dies(caseway: Caseway, postgres_url: str) -> None:
    caseway.environment["CASEWAY_DATABASE_URL"] = postgres_url
    caseway.ok("deploy", str(PROCESSES / "request_desk.bpmn"))
    lines = "".join(
        json.dumps({"request_id": f"R{number}", "text": "请问", "from": "a@example.com"}) + "\n"
        for number in range(REQUESTS)
    )
    caseway.ok("start", "request_desk", "--from", "-", "--key-field", "request_id", stdin=lines)

    with caseway.serving() as served:
        served.wait_ready()
        tasks = caseway.ok("tasks", "--limit", "0", "--json").out
        caseway.ok("complete", "--from", "-", "--by", "li", "--var", "answer=好", stdin=tasks)
        kill(served.child("worker"))
        eventually(
            lambda: not caseway.json("cases", "--state", "running", "--limit", "1"),
            "every case reaches its end",
        )

    cases = caseway.json("cases", "--limit", "0")
    assert Counter(case["state"] for case in cases) == {"completed": REQUESTS}
    assert len(list((caseway.data / "outbox").glob("*.eml"))) == REQUESTS


def test_a_database_that_does_not_answer_is_one_clear_sentence(caseway: Caseway) -> None:
    caseway.environment["CASEWAY_DATABASE_URL"] = "postgresql+psycopg://nobody@127.0.0.1:1/none"

    done = caseway.run("cases")

    assert done.status == 1
    assert "database" in done.err
    assert "Traceback" not in done.err
