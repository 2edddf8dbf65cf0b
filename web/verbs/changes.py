"""migrate-case, migrate-cases, modify: running cases go to another version, or are repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click

from engine.changes import MigrationPlan, MigrationReport
from engine.errors import ChangeRefused
from engine.model import Problem
from engine.sentences import LANGUAGES, change_refusal
from web import places
from web.output import problem_line
from web.render import plain
from web.session import Session, by_option, common

WHY = click.option("--why", default="", help="The reason, kept in the history.")
LANGUAGE = click.option(
    "--language", type=click.Choice(LANGUAGES), default="en", show_default=True,
    help="Of the problems.",
)  # fmt: skip
TO = click.option("--to", "target", type=int, help="Version; default: the active one.")
PLAN = click.option("--plan", is_flag=True, help="Only say what would happen.")
MAP = click.option(
    "--map", "pairs", multiple=True, metavar="OLD=NEW",
    help="An element or flow that has another id there.",
)  # fmt: skip


@click.command("migrate-case")
@click.argument("instance")
@TO
@MAP
@PLAN
@WHY
@LANGUAGE
@by_option
@common
def migrate_case(
    session: Session, instance: str, target: int | None, pairs: tuple[str, ...], plan: bool,
    why: str, language: str, by: str,
) -> int:  # fmt: skip
    """Let INSTANCE go on in another version of its process.

    Everything it waits for stays; refused whole if something has no place in that version.
    """
    mapping = _mapping(pairs)
    if plan:
        found = session.engine.plan_migration(instance, target, mapping)
        session.out.one(plain(found, language), "\n".join(_told(found, language)))
        return 0 if found.possible else 1
    with _In(language):
        moved = session.engine.migrate_case(instance, target, mapping, by=by, why=why)
    session.out.one(moved, f"{moved.id} runs in {moved.process_id} version {moved.version} now")
    return 0


@click.command("migrate-cases")
@click.argument("process")
@click.argument("version", type=int)
@TO
@MAP
@PLAN
@click.option("--limit", default=0, help="Cases at most; the usual 0 means all.")
@WHY
@LANGUAGE
@by_option
@common
def migrate_cases(
    session: Session, process: str, version: int, pairs: tuple[str, ...], plan: bool, limit: int,
    language: str, **options: Any,
) -> int:  # fmt: skip
    """Move all running cases of PROCESS that are in VERSION, each in its own transaction.

    What cannot go stays where it is and is listed with the reasons; run it again when they are
    seen to.
    """
    engine, target, mapping = session.engine, options["target"], _mapping(pairs)

    def step(after: str | None, size: int) -> MigrationReport:
        if plan:
            return engine.plan_migrations(
                process, version, target, mapping, after=after, limit=size
            )
        return engine.migrate_cases(
            process, version, target, mapping, by=options["by"], why=options["why"], after=after,
            limit=size,
        )  # fmt: skip

    moved: list[str] = []
    refused: list[Any] = []
    report = None
    for report in _steps(step, limit):
        moved += report.moved
        refused += report.refused
        for one in report.refused:
            for problem in one.problems:
                session.out.say(f"{one.instance_id}: {_line(problem, language)}")
    assert report is not None
    verb = "could go" if plan else "moved"
    whole = {
        "process_id": process, "source": report.source, "target": report.target, "dry": plan,
        "moved": moved, "refused": [plain(one, language) for one in refused],
    }  # fmt: skip
    where = f"from version {report.source} to {report.target}"
    session.out.one(whole, f"{len(moved)} {verb} {where}, {len(refused)} refused")
    return 1 if refused else 0


@click.command()
@click.argument("instance")
@click.option("--cancel", multiple=True, metavar="ELEMENT|TOKEN",
              help="Take tokens away: all at an element, or one by number.")  # fmt: skip
@click.option("--start-before", multiple=True, metavar="ELEMENT[@TOKEN]",
              help="Begin at an element; @TOKEN: in the sub-process of that token.")  # fmt: skip
@click.option("--start-after", multiple=True, metavar="ELEMENT[@TOKEN]",
              help="Begin behind an element.")  # fmt: skip
@click.option("--end", "ends", is_flag=True, help="The case may end, if nothing is left of it.")
@WHY
@LANGUAGE
@by_option
@common
def modify(
    session: Session, instance: str, ends: bool, why: str, language: str, by: str,
    **given: tuple[str, ...],
) -> None:  # fmt: skip
    """Repair where INSTANCE stands: take tokens away and put others down, all at once."""
    with _In(language):
        changed = session.engine.modify(
            instance, cancel=places.tokens_and_ids(given["cancel"]),
            start_before=places.beginnings(given["start_before"]),
            start_after=places.beginnings(given["start_after"]), ends=ends, by=by, why=why,
        )  # fmt: skip
    session.out.one(changed, f"{changed.id} was changed; it is {changed.state} now")


class _In:
    """A `with` block whose refusals are told in a language."""

    def __init__(self, language: str) -> None:
        self._language = language

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Let a refusal go on its way in the language."""
        if isinstance(error, ChangeRefused):
            summary = change_refusal(error.problems, self._language)[1]
            raise ChangeRefused(error.problems, summary, self._language) from None


def _mapping(pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        source, equals, target = pair.partition("=")
        if not source or not equals or not target:
            raise click.UsageError(f"--map {pair!r}: write OLD=NEW")
        found[source] = target
    return found


def _steps(
    step: Callable[[str | None, int], MigrationReport], limit: int
) -> Iterator[MigrationReport]:
    after, left = None, limit
    while True:
        report = step(after, min(100, left) if limit else 100)
        yield report
        left -= len(report.moved) + len(report.refused)
        after = report.next
        if after is None or (limit and left <= 0):
            return


def _told(plan: MigrationPlan, language: str) -> Iterator[str]:
    yield f"{plan.process_id} version {plan.source} -> {plan.target}"
    for move in plan.moves:
        if move.token is None:
            yield f"  + {move.element_id}"
        elif move.to is None:
            yield f"  - {move.element_id}"
        else:
            same = "" if move.to == move.element_id else f" -> {move.to}"
            yield f"  = {move.element_id}{same}  (token {move.token})"
    for problem in plan.problems:
        yield f"  ! {_line(problem, language)}"


def _line(problem: Problem, language: str) -> str:
    return problem_line(problem, language).strip()


VERBS = (migrate_case, migrate_cases, modify)
