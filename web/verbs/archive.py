"""archive: move the history of cases that ended long ago into Parquet files; what stands where."""

from __future__ import annotations

from datetime import timedelta

import click

from web.session import Session, common

#: columns of --months
MONTHS = ("month", "rows", "bytes", "files", "archived_rows", "archived_bytes")


@click.command("archive")
@click.option(
    "--older-than",
    "days",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="Days since the end of a case; the setting archive_days unless given.",
)
@click.option("--files", type=click.IntRange(min=1), help="Stop after so many files.")
@click.option(
    "--months", is_flag=True, help="Move nothing, list the months: rows and bytes here and there."
)
@common
def archive(session: Session, days: float | None, files: int | None, months: bool) -> None:
    """Move the history of cases that ended long ago into Parquet files.

    Pages, lists and erase find it there. Run it once a day or month; it may be stopped at any time.
    On PostgreSQL a month without any row left is dropped, which gives its room back to the disk.
    """
    engine = session.engine
    if months:
        session.out.listing(engine.months(), MONTHS)
        return
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
    dropped = engine.keep_months().dropped
    for name in dropped:
        session.out.say(f"{name}: no row left, dropped")
    session.out.one(
        {"files": made, "cases": cases, "rows": rows, "dropped": dropped},
        f"{rows} event(s) of {cases} case(s) moved into {len(made)} file(s)",
    )


VERBS = (archive,)
