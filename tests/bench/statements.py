"""Row 7: SQL statements and commits of each verb, counted (and asserted in the tests)."""

from __future__ import annotations

from collections.abc import Callable

from tests.bench import drawings
from tests.bench.figure import Figure
from tests.bench.house import WHO, House, house
from tests.bench.rounds import Bench

_LEASE_S = 30.0


def measure(bench: Bench) -> list[Figure]:
    """Return the most statements that start, complete and settle have needed."""
    with house() as made:
        made.deploy(drawings.scripts(), drawings.person(), drawings.services())
        counts = {"start": _starts(made), "complete": _completes(made), "settle": _settles(made)}
    figures = []
    for verb, found in counts.items():
        statements, commits = max(found)
        goal = "<= 8" if verb == "start" else "<= 9"
        name = f"7 SQL statements of {verb}"
        detail = f"{commits} commit" + ("" if commits == 1 else "s")
        figures.append(
            Figure(name=name, value=statements, unit="statements", goal=goal, detail=detail)
        )
    commits = max(commits for found in counts.values() for _, commits in found)
    figures.append(Figure(name="7 commits of a verb", value=commits, unit="commits", goal="= 1"))
    return figures


def _counted(made: House, act: Callable[[], object]) -> tuple[int, int]:
    sent: list[str] = []
    made.engine.database.trace = sent.append
    try:
        act()
    finally:
        made.engine.database.trace = None
    ends = [text for text in sent if text in ("COMMIT", "ROLLBACK")]
    return len(sent) - len(ends), ends.count("COMMIT")


def _starts(made: House) -> list[tuple[int, int]]:
    variables: dict[str, dict[str, object]] = {"scripts": {"n": 0}}
    found = []
    for process_id in ("scripts", "person", "services"):
        given = variables.get(process_id, {})
        made.start(process_id, 1, **given)
        found.append(_counted(made, lambda p=process_id, g=given: made.start(p, 1, **g)))  # type: ignore[misc]
    return found


def _completes(made: House) -> list[tuple[int, int]]:
    complete = made.engine.complete
    tasks = made.engine.tasks()
    return [
        _counted(made, lambda task=task: complete(task.id, {"answer": "yes"}, by=WHO))  # type: ignore[misc]
        for task in tasks
    ]


def _settles(made: House) -> list[tuple[int, int]]:
    found = []
    for _ in range(2 * drawings.TASKS):
        (work,) = made.engine.claim_work(owner=WHO, limit=1, lease_s=_LEASE_S)
        found.append(_counted(made, lambda work=work: made.engine.settle(work, {})))  # type: ignore[misc]
    return found
