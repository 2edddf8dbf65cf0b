"""intake, links: mails that lie in files, and the signed links of customers."""

from __future__ import annotations

from pathlib import Path

import click

from web.session import Session, by_option, common

COLUMNS = ("file", "outcome", "case_number", "message_id", "reason")


@click.command()
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE.eml...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)  # fmt: skip
@common
def intake(session: Session, files: tuple[Path, ...]) -> int:
    """Take mails: each begins a case, or joins the one whose message it answers.

    The same mail again does nothing, and neither does what programs have sent. The status is 1 if
    a mail could not be taken.
    """
    from engine.errors import EngineError
    from web.mail import take
    from web.render import plain

    rows, refused = [], 0
    for file in files:
        try:
            rows.append({"file": file.name, **plain(take(session.engine, file.read_bytes()))})
        except (EngineError, OSError) as error:
            refused += 1
            rows.append({"file": file.name, "outcome": "refused", "case_number": None,
                         "message_id": None, "reason": str(error)})  # fmt: skip
    session.out.listing(rows, COLUMNS)
    return 1 if refused else 0


@click.group()
def links() -> None:
    """Make and end the signed links by which customers follow and answer."""


@links.command("make")
@click.argument("case_number")
@click.argument("purpose", type=click.Choice(["follow", "confirm", "answer", "rate"]))
@common
def make_link(session: Session, case_number: str, purpose: str) -> None:
    """Print a link for PURPOSE, to pass on to a customer without e-mail."""
    from handlers.links import address
    from web.links import links_of

    made = links_of(session.engine).make(purpose, _root_of(session, case_number))
    url = address(session.settings, purpose, made)
    session.out.one({"case": case_number, "purpose": purpose, "url": url}, url)


@links.command("revoke")
@click.argument("case_number")
@click.option("--why", default="", help="The reason, kept in the record.")
@by_option
@common
def revoke_links(session: Session, case_number: str, why: str, by: str) -> None:
    """End every link of a case that exists by now; links of later notices are good again."""
    from web.links import links_of

    links_of(session.engine).revoke_all(_root_of(session, case_number), by=by, why=why)
    session.out.one({"case": case_number, "revoked": True}, f"the links of {case_number} are ended")


def _root_of(session: Session, case_number: str) -> str:
    from engine.errors import NotFound

    found = session.engine.cases(business_key=case_number, limit=1)
    if not found:
        raise NotFound(f"there is no case {case_number!r}")
    return found[0].id


VERBS = (intake, links)
