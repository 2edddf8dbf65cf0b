"""intake: mails that lie in files, one by one."""

from __future__ import annotations

from pathlib import Path

import click

from web.session import Session, common

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


VERBS = (intake,)
