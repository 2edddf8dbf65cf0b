"""The first five minutes of docs/first-steps.md, command by command, as they stand there."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import ROOT, Caseway

#: of the open tasks, those that the page means when it says TASK; one is open at a time
MEANT = ("Take the order", "Approve the price")


def commands() -> list[list[str]]:
    """Return the commands of the section, in order, without the leading `caseway`."""
    text = (ROOT / "docs" / "first-steps.md").read_text(encoding="utf-8")
    section = re.split(r"^## ", text, flags=re.MULTILINE)
    walk = next(part for part in section if part.startswith("The first five minutes"))
    lines = re.findall(r"^    caseway (.+)$", walk, flags=re.MULTILINE)
    return [shlex.split(line) for line in lines]


def filled(caseway: Caseway, words: list[str]) -> list[str]:
    """Put the ids that a reader would copy from the screen in the place of TASK and INSTANCE."""
    values: dict[str, str] = {}
    if "TASK" in words:
        (values["TASK"],) = [t["id"] for t in caseway.json("tasks") if t["name"] in MEANT]
    if "INSTANCE" in words:
        values["INSTANCE"] = root(caseway)["id"]
    # five seconds of patience for people, none for a test: the timer is due at once
    values["patience=PT5S"] = "patience=PT0S"
    return [values.get(word, word) for word in words]


def root(caseway: Caseway) -> dict[str, Any]:
    """Return the one case."""
    (found,) = [case for case in caseway.json("cases") if case["process_id"] == "first_steps"]
    return dict(found)


@pytest.fixture(scope="module")
def walked(empty_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Caseway:
    """Return the command line after the whole walk, and the reminder done as the page asks."""
    folder = tmp_path_factory.mktemp("walk")
    shutil.copytree(empty_data, folder / "data")
    caseway = Caseway(folder)
    (caseway.folder / "processes").symlink_to(ROOT / "processes")
    walk = commands()
    assert len(walk) >= 14
    before_reading, reading = walk[:-3], walk[-3:]
    for words in before_reading:
        caseway.ok(*filled(caseway, words))
    (reminder,) = caseway.json("tasks")
    assert reminder["name"] == "Remind the desk"
    caseway.ok("complete", reminder["id"], "--by", "lea")
    for words in reading:
        caseway.ok(*filled(caseway, words))
    return caseway


def test_the_walk_ends_with_a_completed_case(walked: Caseway) -> None:
    case = root(walked)

    assert case["state"] == "completed"
    assert case["business_key"] == "A-1"
    variables = walked.json("cases", case["id"])["variables"]
    assert variables["lines"] == [1200.10, 1.0]
    assert variables["approved_by"] == "lead"
    assert variables["amount"] == 1201.10


def test_its_history_is_gap_free_and_names_who_acted(walked: Caseway) -> None:
    history = walked.json("history", root(walked)["id"])

    assert [row["seq"] for row in history] == list(range(1, len(history) + 1))
    kinds = {row["kind"] for row in history}
    assert kinds >= {"instance.started", "timer.fired", "instance.completed"}
    assert {row["actor"] for row in history} >= {"ann", "lea"}
    elements = {row["element_id"] for row in history}
    assert elements >= {"take_order", "remind_desk", "price_item", "approve_price", "payment"}


def test_decimals_keep_all_their_digits(walked: Caseway) -> None:
    text = walked.ok("cases", root(walked)["id"], "--json").out

    assert re.search(r'"total": ?1201\.10\b', text)


def test_a_refused_price_takes_the_error_boundary(caseway: Caseway) -> None:
    diagrams = [str(ROOT / "processes" / f"{n}.bpmn") for n in ("first_steps", "price_approval")]
    caseway.ok("deploy", *diagrams)
    caseway.ok("start", "first_steps", "--var", "order_id=A-2")
    items = '{"items": [{"count": 1, "price": 5000}]}'
    caseway.ok("complete", caseway.json("tasks")[0]["id"], "--vars", items)

    (task,) = caseway.json("tasks")
    caseway.ok("complete", task["id"], "--var", "approved=false")

    case = root(caseway)
    assert case["state"] == "completed"
    ends = [row["element_id"] for row in caseway.json("history", case["id"])]
    assert "order_declined" in ends
    assert "order_paid" not in ends
