"""stores, store: the data stores of drawings, whose values outlive cases."""

from __future__ import annotations

import click

from web import inputs
from web.session import Session, by_option, common

COLUMNS = ("name", "value", "changed_at", "changed_by")


@click.command()
@common
def stores(session: Session) -> None:
    """List the data stores that cases have named, with their values."""
    session.out.listing(session.engine.data_stores(), COLUMNS)


@click.command()
@click.argument("name")
@click.option("--set", "text", metavar="JSON", help="Give it this value.")
@click.option("--why", default="", help="The reason, for the record.")
@by_option
@common
def store(session: Session, name: str, text: str | None, why: str, by: str) -> None:
    """Show the data store NAME, or give it a value."""
    if text is None:
        found = session.engine.data_store(name)
    else:
        found = session.engine.write_data_store(name, inputs.read_value(text), by=by, why=why)
    session.out.one(found, f"{found.name} = {found.value!r}")


VERBS = (stores, store)
