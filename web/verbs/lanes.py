"""lanes: which orders an incident has stopped, and letting one go on without what stopped it."""

from __future__ import annotations

import click

from web.bulk import Tally
from web.session import Session, by_option, common

COLUMNS = ("lane", "waiting", "since", "incident_id", "topic", "element_id", "root_id")


@click.group()
def lanes() -> None:
    """List lanes that an incident has stopped, and let them go on."""


@lanes.command("list")
@click.option("--after", default="", help="Go on after this lane.")
@click.option("--limit", default=50, show_default=True, help="Rows at most, up to 1,000.")
@common
def list_lanes(session: Session, after: str, limit: int) -> None:
    """List the lanes that stand still, with how many items wait in each."""
    session.out.listing(session.engine.blocked_lanes(after=after, limit=limit), COLUMNS)


@lanes.command("pass")
@click.argument("incidents", nargs=-1, required=True, metavar="INCIDENT...")
@click.option("--why", default="", help="Reason, written into the history of the case.")
@by_option
@common
def pass_lanes(session: Session, incidents: tuple[str, ...], why: str, by: str) -> int:
    """Let the lanes go on that INCIDENTs have stopped; what stopped is retried out of its order."""
    tally = Tally(("passed",))
    for name in incidents:
        with tally.refusals(name):
            session.engine.step_aside(name, by=by, why=why)
            tally.done("passed", name)
    return tally.report(session.out)


VERBS = (lanes,)
