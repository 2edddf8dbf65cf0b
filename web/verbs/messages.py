"""correlate, signal, evaluate-conditions: what reaches cases from outside."""

from __future__ import annotations

import click

from engine.model import Correlation
from web import inputs
from web.session import Session, by_option, common

PAIRS = click.option("--var", "pairs", multiple=True, metavar="NAME=VALUE", help="Payload; JSON.")
TEXT = click.option("--vars", "text", metavar="JSON", help="The payload as an object, or @FILE.")


@click.command()
@click.argument("name")
@click.option("--key", help="The correlation key: which case is meant.")
@click.option("--message-id", help="A second message with this id is dropped.")
@click.option("--ttl", "ttl_s", type=float, help="Seconds it is kept while nobody waits for it.")
@PAIRS
@TEXT
@by_option
@common
def correlate(
    session: Session,
    name: str,
    key: str | None,
    message_id: str | None,
    ttl_s: float | None,
    pairs: tuple[str, ...],
    text: str | None,
    by: str,
) -> None:
    """Send the message NAME to the one case that waits for it.

    If none waits yet, it is kept for the first that does.
    """
    sent = session.engine.correlate(
        name,
        key=key,
        payload=inputs.variables(pairs, text),
        message_id=message_id,
        ttl_s=ttl_s,
        by=by,
    )
    session.out.one(sent, _told(sent))


def _told(sent: Correlation) -> str:
    where = f" (case {sent.instance_id})" if sent.instance_id else ""
    words = {
        "delivered": "delivered to the catch that waited longest",
        "started": "started a new case",
        "buffered": "kept until somebody waits for it",
        "duplicate": "dropped: a message with this id was here before",
    }
    return words.get(sent.outcome, sent.outcome) + where


@click.command()
@click.argument("name")
@PAIRS
@TEXT
@by_option
@common
def signal(session: Session, name: str, pairs: tuple[str, ...], text: str | None, by: str) -> None:
    """Send the signal NAME to every catch that waits for it now."""
    reached = session.engine.signal(name, payload=inputs.variables(pairs, text), by=by)
    session.out.one({"name": name, "receivers": reached}, f"{reached} catch(es) reached")


@click.command("evaluate-conditions")
@click.option("--process", "process_id", help="Only the start events of this process.")
@click.option("--key", "business_key", help="Your own name for the cases.")
@PAIRS
@TEXT
@by_option
@common
def evaluate_conditions(
    session: Session,
    process_id: str | None,
    business_key: str | None,
    pairs: tuple[str, ...],
    text: str | None,
    by: str,
) -> None:
    """Start a case at each conditional start event whose condition holds of the variables."""
    begun = session.engine.evaluate_conditions(
        inputs.variables(pairs, text), process_id=process_id, business_key=business_key, by=by
    )
    told = "\n".join(f"started {one.id} ({one.process_id})" for one in begun)
    session.out.one({"instances": [one.id for one in begun]}, told or "no condition holds")


VERBS = (correlate, signal, evaluate_conditions)
