"""incidents, retry, acts, tokens, migrate: the work of whoever keeps the installation running."""

from __future__ import annotations

from typing import Any

import click

from web.bulk import Tally
from web.session import Session, by_option, common, paged, progress

COLUMNS = ("id", "kind", "instance_id", "element_id", "message", "created_at", "resolved_at")
ACTS = ("id", "at", "by", "verb", "subject", "why")
TOKENS = ("id", "name", "role", "created_at", "created_by", "revoked_at")


@click.command()
@click.option("--case", "instance", help="Only incidents of this instance.")
@click.option("--resolved", is_flag=True, help="The resolved ones instead of the open ones.")
@click.option("--after", help="Go on after this id.")
@click.option("--limit", default=50, show_default=True, help="Rows at most; 0 means all.")
@common
def incidents(session: Session, instance: str | None, resolved: bool, limit: int,
              after: str | None) -> None:  # fmt: skip
    """List what cannot go on without a person."""
    rows = paged(
        session.engine.incidents, limit, after=after, open=not resolved, instance_id=instance
    )
    session.out.listing(rows, COLUMNS)


@click.command()
@click.argument("incidents", nargs=-1, metavar="[INCIDENT]...")
@click.option("--all", "everything", is_flag=True, help="Every open incident.")
@by_option
@common
def retry(session: Session, incidents: tuple[str, ...], everything: bool, by: str) -> int:
    """Try again where INCIDENTs stopped their cases.

    Mend the cause first: a handler, another system, a variable.
    """
    if bool(incidents) == everything:
        raise click.UsageError("name incidents, or say --all")
    engine = session.engine
    # all ids are read before the first retry: a retry that fails again opens a new incident
    names = incidents or tuple(row.id for row in list(paged(engine.incidents, 0, open=True)))
    tally = Tally(("retried",))
    for name in progress(names, total=len(names), what="retry"):
        with tally.refusals(name):
            engine.retry(name, by=by)
            tally.done("retried", name)
    return tally.report(session.out)


@click.group()
def tokens() -> None:
    """Create, list and revoke the bearer tokens of the API."""


@tokens.command("create")
@click.argument("name")
@click.option("--role", required=True, help="What the token may do; see docs/reference.md.")
@by_option
@common
def create_token(session: Session, name: str, role: str, by: str) -> None:
    """Make a token that acts as the user NAME; its secret is shown this once."""
    token, secret = session.engine.create_token(name, role=role, by=by)
    session.out.one({"token": token, "secret": secret}, secret)
    session.out.say(f"token {token.id} acts as {name} with the role {role}; keep the secret safe")


@tokens.command("list")
@common
def list_tokens(session: Session) -> None:
    """List the tokens; nobody can read their secrets again."""
    session.out.listing(session.engine.tokens(), TOKENS)


@tokens.command("revoke")
@click.argument("token")
@by_option
@common
def revoke_token(session: Session, token: str, by: str) -> None:
    """Make TOKEN (its id) worthless at once."""
    found: Any = session.engine.revoke_token(token, by=by)
    session.out.one(found, f"token {token} is revoked")


@click.command()
@click.option("--finish", is_flag=True, help="No older node runs any more: use the newest format.")
@common
def migrate(session: Session, finish: bool) -> None:
    """Bring the schema of the database up to date.

    Every other verb does it too; this one does nothing else. On PostgreSQL it also divides a long
    history by month and makes the coming months. `--finish` ends an upgrade of several nodes: from
    its next start on, each stores cases in the newest format.
    """
    engine = session.engine  # opened, and with that migrated
    kept = engine.keep_months()
    if kept.refused:
        session.out.say(f"the months of the history are not made: {kept.refused}")
    elif not kept.done:
        session.out.say(
            "the months of the history are not all made yet: it is in use, or another node is at "
            "it; the workers go on with it, or run `caseway migrate` again"
        )
    if finish:
        number = engine.finish_upgrade()
        session.out.one({"migrated": True, "format": number}, f"nodes write format {number} now")
        return
    session.out.one({"migrated": True}, "the schema is up to date")


@click.command()
@click.option("--after", help="Go on after this id.")
@click.option("--limit", default=50, show_default=True, help="Rows at most; 0 means all.")
@common
def acts(session: Session, limit: int, after: str | None) -> None:
    """List who activated, cancelled, erased or retried what, and why."""
    session.out.listing(paged(session.engine.acts, limit, after=after), ACTS)


VERBS = (incidents, retry, acts, tokens, migrate)
