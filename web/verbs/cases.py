"""start, cases, history, cancel, erase, export: process instances, which people call cases."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import click

from engine.model import Instance, InstanceState
from web import inputs
from web.bulk import Tally, patiently
from web.output import to_json_text
from web.render import plain
from web.session import Session, by_option, common, paged, progress

COLUMNS = ("id", "process_id", "version", "business_key", "state", "started_at", "ended_at")
HISTORY = ("seq", "at", "kind", "element_id", "token", "actor", "name", "value")
STATES = click.Choice([state.value for state in InstanceState])
LIMIT = click.option("--limit", default=50, show_default=True, help="Rows at most; 0 means all.")


@click.command()
@click.argument("process")
@click.option("--var", "pairs", multiple=True, metavar="NAME=VALUE", help="One variable; JSON.")
@click.option("--vars", "text", metavar="JSON", help="A JSON object of variables, or @FILE.")
@click.option("--key", "business_key", help="Your own name for the case.")
@click.option("--start-key", help="A second start with this key starts nothing.")
@click.option("--version", type=int, help="Default: the active version.")
@click.option("--at", "start_event", help="Start event; default: the only plain one.")
@click.option(
    "--from",
    "source",
    metavar="FILE.jsonl",
    help="Start one instance for each line, an object of variables; - is stdin.",
)
@click.option("--key-field", help="With --from: the field that is start key and business key.")
@by_option
@common
def start(session: Session, process: str, source: str | None, **options: Any) -> int:
    """Start a case of PROCESS, or with --from one for each line.

    Feeding a file again starts only what is missing: each line has a start key of its own.
    """
    shared = inputs.variables(options["pairs"], options["text"])
    if source is not None:
        if options["start_key"] or options["business_key"]:
            raise click.UsageError("--key and --start-key name one case; use --key-field")
        return _start_many(session, process, source, shared, options)
    instance = session.engine.start(
        process,
        shared,
        business_key=options["business_key"],
        start_key=options["start_key"],
        version=options["version"],
        start_event=options["start_event"],
        by=options["by"],
    )
    verb = "started" if instance.created else "was already started:"
    session.out.one(instance, f"{verb} {instance.id} ({process} version {instance.version})")
    return 0


def _start_many(
    session: Session, process: str, source: str, shared: dict[str, Any], options: dict[str, Any]
) -> int:
    tally = Tally(("started", "already there"))
    field = options["key_field"]
    engine = session.engine
    lines = progress(inputs.read_lines(source), total=inputs.count_lines(source), what="start")
    for line in lines:
        with tally.refusals(line.place):
            instance = patiently(
                engine.start,
                process,
                shared | line.fields,
                start_key=line.key(field),
                business_key=line.key(field) if field else None,
                version=options["version"],
                start_event=options["start_event"],
                by=options["by"],
                tell=session.out.say,
            )
            tally.done("started" if instance.created else "already there", instance.id)
    return tally.report(session.out)


@click.command()
@click.argument("instance", required=False)
@click.option("--state", type=STATES, help="Only cases in this state.")
@click.option("--process", help="Only instances of this process.")
@click.option("--business-key", help="Only the cases of this name.")
@click.option("--after", help="Go on after this id.")
@LIMIT
@common
def cases(
    session: Session,
    instance: str | None,
    state: str | None,
    process: str | None,
    business_key: str | None,
    after: str | None,
    limit: int,
) -> None:
    """List cases, or show one INSTANCE with its variables."""
    engine = session.engine
    if instance is not None:
        found = plain(engine.case(instance)) | {"variables": engine.variables(instance)}
        session.out.one(found, "\n".join(_facts(found)))
        return
    rows = paged(
        engine.cases,
        limit,
        after=after,
        state=InstanceState(state) if state else None,
        process_id=process,
        business_key=business_key,
    )
    session.out.listing(rows, COLUMNS)


def _facts(found: dict[str, Any]) -> Iterator[str]:
    for name, value in found.items():
        if name not in ("variables", "created"):
            yield f"{name:<14} {'-' if value is None else value}"
    for name, value in found["variables"].items():
        yield f"  {name} = {to_json_text(value)}"


@click.command()
@click.argument("instance")
@click.option("--after", type=int, default=0, help="Go on after this number.")
@click.option("--limit", default=0, help="Rows at most; the usual 0 means all.")
@common
def history(session: Session, instance: str, after: int, limit: int) -> None:
    """Show what happened in INSTANCE, event by event."""
    rows = paged(lambda **page: session.engine.history(instance, **page), limit, after=after)
    session.out.listing(rows, HISTORY)


@click.command()
@click.argument("instance")
@click.option("--why", default="", help="The reason, kept in the history.")
@by_option
@common
def cancel(session: Session, instance: str, why: str, by: str) -> None:
    """End INSTANCE now, with all its tasks, timers and waits."""
    found = session.engine.cancel(instance, by=by, why=why)
    session.out.one(found, f"cancelled {found.id}")


@click.command()
@click.argument("instance")
@click.argument("names", nargs=-1, required=True, metavar="VARIABLE...")
@click.option("--why", default="", help="The reason, kept in the record.")
@by_option
@common
def erase(session: Session, instance: str, names: tuple[str, ...], why: str, by: str) -> None:
    """Remove values of VARIABLEs from the history of INSTANCE.

    The rows stay, without the values, so that the numbering keeps no gap.
    """
    rows = session.engine.erase(instance, list(names), by=by, why=why)
    session.out.one({"instance": instance, "rows": rows}, f"{rows} row(s) of the history erased")


@click.command()
@click.argument("instances", nargs=-1, metavar="[INSTANCE]...")
@click.option("--all", "everything", is_flag=True, help="Every case.")
@click.option("--state", type=STATES, help="With --all: only cases in this state.")
@click.option("--process", help="With --all: only cases of this process.")
@click.option("--out", type=click.Path(dir_okay=False), help="A file; default: stdout.")
@common
def export(
    session: Session,
    instances: tuple[str, ...],
    everything: bool,
    state: str | None,
    process: str | None,
    out: str | None,
) -> None:
    """Write cases as JSON lines, with variables and history."""
    if bool(instances) == everything:
        raise click.UsageError("name instances, or say --all")
    engine = session.engine
    found: Iterator[Instance] = (
        paged(engine.cases, 0, state=InstanceState(state) if state else None, process_id=process)
        if everything
        else (engine.case(name) for name in instances)
    )
    with ExitStack() as stack:
        stream = stack.enter_context(open(out, "w", encoding="utf-8")) if out else sys.stdout
        number = 0
        for instance in progress(found, total=None, what="export"):
            stream.write(to_json_text(_whole(session, instance)) + "\n")
            number += 1
    session.out.say(f"{number} case(s) exported")


def _whole(session: Session, instance: Instance) -> dict[str, Any]:
    engine = session.engine
    rows = paged(lambda **page: engine.history(instance.id, **page), 0, after=0)
    return {
        "instance": plain(instance),
        "variables": engine.variables(instance.id),
        "history": [plain(row) for row in rows],
    }


VERBS = (start, cases, history, cancel, erase, export)
