"""tasks, claim, unclaim, complete: the work of people."""

from __future__ import annotations

from typing import Any

import click

from engine.errors import BadInput
from web import inputs
from web.bulk import Tally, patiently
from web.session import Session, by_option, common, paged, progress

COLUMNS = ("id", "name", "process_id", "business_key", "state", "assignee", "candidate_groups",
           "priority", "due_at")  # fmt: skip

STATES = click.Choice(["open", "completed", "cancelled"])


@click.command()
@click.option("--user", help="Only what this user has claimed or may claim.")
@click.option("--group", "groups", multiple=True, help="With or without --user: of these groups.")
@click.option("--process", help="Only tasks of this process.")
@click.option("--element", help="Only tasks of this element of the diagram.")
@click.option("--case", "instance", help="Only tasks of this instance.")
@click.option("--state", type=STATES, default="open", show_default=True, help="In this state.")
@click.option("--after", help="Go on after this id.")
@click.option("--limit", default=50, show_default=True, help="Rows at most; 0 means all.")
@common
def tasks(
    session: Session,
    groups: tuple[str, ...],
    process: str | None,
    element: str | None,
    instance: str | None,
    limit: int,
    **filters: Any,
) -> None:
    """List the tasks of people."""
    rows = paged(
        session.engine.tasks,
        0 if element else limit,
        groups=groups,
        process_id=process,
        instance_id=instance,
        **filters,
    )
    kept = (task for task in rows if element is None or task.element_id == element)
    session.out.listing(_first(kept, limit), COLUMNS)


def _first(rows: Any, limit: int) -> Any:
    from itertools import islice

    return islice(rows, limit) if limit else rows


@click.command()
@click.argument("task")
@by_option
@common
def claim(session: Session, task: str, by: str) -> None:
    """Take TASK, so that nobody else does the same work."""
    found = session.engine.claim(task, by=by)
    session.out.one(found, f"{found.id} ({found.name}) is claimed by {by}")


@click.command()
@click.argument("task")
@by_option
@common
def unclaim(session: Session, task: str, by: str) -> None:
    """Give TASK back to its group."""
    found = session.engine.unclaim(task, by=by)
    session.out.one(found, f"{found.id} ({found.name}) is free again")


@click.command()
@click.argument("task", required=False)
@click.option("--var", "pairs", multiple=True, metavar="NAME=VALUE", help="One variable; JSON.")
@click.option("--vars", "text", metavar="JSON", help="A JSON object of variables, or @FILE.")
@click.option(
    "--from",
    "source",
    metavar="FILE.jsonl",
    help='Complete many: lines of {"task": ID, "variables": {...}}; - is stdin.',
)
@by_option
@common
def complete(
    session: Session,
    task: str | None,
    pairs: tuple[str, ...],
    text: str | None,
    source: str | None,
    by: str,
) -> int:
    """Complete TASK with its form data, or many with --from.

    What `tasks --json` prints can be piped in: `caseway tasks --limit 0 --json | caseway complete
    --from - --by li --vars '{"answer": "done"}'`. A line's own variables win over --vars.
    """
    shared = inputs.variables(pairs, text)
    if source is not None and task is None:
        return _complete_many(session, source, shared, by)
    if source is not None or task is None:
        raise click.UsageError("name one TASK, or give --from")
    instance = session.engine.complete(task, shared, by=by)
    session.out.one(instance, f"completed; case {instance.id} is {instance.state.value}")
    return 0


def _complete_many(session: Session, source: str, shared: dict[str, Any], by: str) -> int:
    tally = Tally(("completed",))
    engine = session.engine
    lines = progress(inputs.read_lines(source), total=inputs.count_lines(source), what="complete")
    for line in lines:
        with tally.refusals(line.place):
            task = inputs.taken(line.fields, ("task", "id"))
            own = line.fields.get("variables") or {}
            if not isinstance(task, str) or not isinstance(own, dict):
                raise BadInput('a line is {"task": ID, "variables": {...}}')
            patiently(engine.complete, task, shared | own, by=by, tell=session.out.say)
            tally.done("completed", task)
    return tally.report(session.out)


VERBS = (tasks, claim, unclaim, complete)
