"""Two thousand generated requests through the request desk; the service is killed three times.

Customers are played by `caseway start --from`, operators by `caseway complete --from`. Needs
../shared/data/cases beside the repository.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import PROCESSES, ROOT, Caseway, eventually, kill

GENERATOR = ROOT.parent / "shared" / "data" / "cases" / "make_cases.py"
REQUESTS = 2000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not GENERATOR.exists(), reason="../shared/data/cases is not there"),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


@pytest.fixture
def requests(tmp_path: Path) -> Path:
    """Return a file of requests; every fortieth wants its answer at once, and gets none."""
    arguments = ["--n", str(REQUESTS), "--seed", "7", "--out", str(tmp_path / "made")]
    # -B: the generator's folder may be read-only
    command = [sys.executable, "-B", str(GENERATOR), *arguments]
    subprocess.run(command, check=True, capture_output=True)
    path = tmp_path / "requests.jsonl"
    with path.open("w", encoding="utf-8") as stream:
        lines = (tmp_path / "made" / "requests.jsonl").read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            request: dict[str, Any] = json.loads(line)
            if number % 40 == 0:
                request["answer_within"] = "PT0S"
            stream.write(json.dumps(request, ensure_ascii=False) + "\n")
    return path


def play(caseway: Caseway, group: str, by: str, limit: int) -> int:
    """Let an operator answer open tasks of a group; return how many were completed."""
    tasks = caseway.ok("tasks", "--group", group, "--limit", str(limit), "--json").out
    answer = '{"answer": "已收到，我们正在处理。 We are on it."}'
    done = caseway.run(
        "complete", "--from", "-", "--by", by, "--vars", answer, "--json", stdin=tasks
    )
    # a refused line is a task that the timer has withdrawn meanwhile
    assert {refused["code"] for refused in done.json["refused"]} <= {"conflict"}, done.err
    return len(done.json["completed"])


def is_escalated(caseway: Caseway) -> bool:
    """Tell whether the lead has a task that an operator had before."""
    return bool(caseway.json("tasks", "--element", "lead_answers", "--limit", "1"))


def serve_and_be_killed(caseway: Caseway) -> None:
    """Let an operator work while the worker dies once, then let the whole service die."""
    with caseway.serving() as served:
        served.wait_ready()
        kill(served.child("worker"))
        # operators are quick: they would answer what is urgent before its time is seen to be up
        eventually(lambda: is_escalated(caseway), "a worker escalates what nobody answered")
        assert play(caseway, "operators", "li", REQUESTS // 5) > 0
        kill(served.process.pid)


def finish(caseway: Caseway) -> None:
    """Play operators and lead until nothing is running."""

    def nothing_runs() -> bool:
        play(caseway, "operators", "li", 0)
        play(caseway, "lead", "wang", 0)
        return not caseway.json("cases", "--state", "running", "--limit", "1")

    eventually(nothing_runs, "every case reaches its end")


def test_every_request_is_answered_once_though_the_service_is_killed(
    caseway: Caseway, requests: Path
) -> None:
    caseway.ok("deploy", str(PROCESSES / "request_desk.bpmn"))
    feed = ("start", "request_desk", "--from", str(requests), "--key-field", "request_id")

    fed = caseway.json(*feed)
    for _ in range(3):
        serve_and_be_killed(caseway)
    with caseway.serving():
        finish(caseway)
    again = caseway.json(*feed)

    assert (len(fed["started"]), fed["refused"]) == (REQUESTS, [])
    assert (len(again["started"]), len(again["already_there"])) == (0, REQUESTS)
    cases = caseway.json("cases", "--limit", "0")
    assert Counter(case["state"] for case in cases) == {"completed": REQUESTS}
    assert caseway.json("incidents") == []
    check_mails(caseway)
    check_histories(caseway)


def check_mails(caseway: Caseway) -> None:
    """One readable mail for each request, Chinese ones too."""
    files = sorted((caseway.data / "outbox").glob("*.eml"))
    assert len(files) == REQUESTS
    mail = message_from_bytes(files[0].read_bytes(), policy=policy.default)
    body = mail.get_body()
    assert body is not None
    assert "已收到" in body.get_content()


def check_histories(caseway: Caseway) -> None:
    """Each history is gap-free, ends once, and wrote one mail; some requests were escalated."""
    escalated = 0
    exported = caseway.ok("export", "--all").out.splitlines()
    assert len(exported) == REQUESTS
    for line in exported:
        history = json.loads(line)["history"]
        assert [row["seq"] for row in history] == list(range(1, len(history) + 1))
        ends = [row for row in history if row["kind"] == "instance.completed"]
        mails = [row["value"] for row in history if row["name"] == "mail_file"]
        assert (len(ends), len(mails)) == (1, 1)
        escalated += any(row["element_id"] == "lead_answers" for row in history)
    assert escalated > 0
