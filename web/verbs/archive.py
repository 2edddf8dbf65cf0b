"""archive: move the history of cases that ended long ago into Parquet files."""

from __future__ import annotations

from datetime import timedelta

import click

from web.session import Session, common


@click.command("archive")
@click.option(
    "--older-than",
    "days",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="Days since the end of a case; the setting archive_days unless given.",
)
@click.option("--files", type=click.IntRange(min=1), help="Stop after so many files.")
@common
def archive(session: Session, days: float | None, files: int | None) -> None:
    """Move the history of cases that ended long ago into Parquet files.

    Pages, lists and erase find it there. Run it once a day or month; it may be stopped at any time.
    """
    engine = session.engine
    given = session.settings.archive_days if days is None else days
    if not given and days is None:
        raise click.UsageError("say --older-than DAYS, or set archive_days")
    engine.tidy_archive()
    before = engine.clock.now() - timedelta(days=given)
    made: list[str] = []
    after, cases, rows = "", 0, 0
    while files is None or len(made) < files:
        moved = engine.archive(before, after=after)
        if moved is None:
            break
        after, cases, rows = moved.last, cases + moved.cases, rows + moved.rows
        if moved.file:
            made.append(moved.file)
            session.out.say(f"{moved.file}: {moved.cases} case(s), {moved.bytes} bytes")
    session.out.one(
        {"files": made, "cases": cases, "rows": rows},
        f"{rows} event(s) of {cases} case(s) moved into {len(made)} file(s)",
    )


VERBS = (archive,)
