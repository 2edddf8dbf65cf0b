"""stores, store: the data stores of drawings, whose values outlive cases."""

from __future__ import annotations

from typing import Any

import click

from engine.errors import BadInput
from web.output import to_json_text
from web.session import Session, by_option, common

COLUMNS = ("name", "value", "changed_at", "changed_by")


@click.command()
@common
def stores(session: Session) -> None:
    """List the data stores that cases have named, with their values."""
    session.out.listing(session.engine.data_stores(), COLUMNS)


@click.command()
@click.argument("name")
@click.option("--set", "written", metavar="JSON", help="Give it this value; a text in quotes.")
@click.option("--text", help="Give it this text, as it stands.")
@click.option("--why", default="", help="The reason, for the record.")
@by_option
@common
def store(
    session: Session, name: str, written: str | None, text: str | None, why: str, by: str
) -> None:
    """Show the data store NAME, or give it a value."""
    if written is None and text is None:
        found = session.engine.data_store(name)
    else:
        value = _value(written, text)
        found = session.engine.write_data_store(name, value, by=by, why=why)
    session.out.one(found, f"{found.name} = {to_json_text(found.value)}")


def _value(written: str | None, text: str | None) -> Any:
    """Return what is written. Raises BadInput for what is no JSON: a slip is no text."""
    if written is None:
        return text
    if text is not None:
        raise BadInput("give either --set or --text, not both")
    from engine.codec import parse_json

    try:
        return parse_json(written.encode())
    except BadInput as error:
        raise BadInput(f"--set {written!r} is no JSON ({error}); a text is given by --text")


VERBS = (stores, store)
