"""users: the accounts of people who sign in to the pages."""

from __future__ import annotations

import sys
from typing import Any

import click

from web.session import Session, by_option, common

COLUMNS = ("name", "display", "role", "groups", "email", "must_change", "demo", "disabled_at")
ROLE = click.Choice(["customer", "operator", "lead", "analyst", "admin"])
_DETAILS = (
    click.option("--display", help="What others read; the name unless given."),
    click.option("--group", "groups", multiple=True, help="Candidate group of tasks; repeatable."),
    click.option("--email", help="Address of the person."),
    click.option("--language", type=click.Choice(["zh", "en"]), help="Of the pages."),
    click.option("--zone", help="Time zone, such as Asia/Shanghai; UTC unless given."),
)


def details(command: Any) -> Any:
    """Give a verb the options that describe a person."""
    for option in reversed(_DETAILS):
        command = option(command)
    return command


@click.group()
def users() -> None:
    """Add, list and change the people who sign in."""


@users.command("add")
@click.argument("name")
@click.option("--role", type=ROLE, required=True, help="What the person may do.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--demo", is_flag=True, help="For demonstrations: other machines are shut out.")
@details
@by_option
@common
def add_user(
    session: Session, name: str, role: str, password_stdin: bool, demo: bool, by: str, **given: Any
) -> None:
    """Make an account NAME; prints a one-time password unless one is given."""
    password = _password() if password_stdin else None
    user, secret = session.engine.create_user(
        name, role=role, by=by, password=password, demo=demo, **_said(given)
    )
    shown = {"user": user, **({} if password_stdin else {"password": secret})}
    session.out.one(shown, f"{user.name} is made" if password_stdin else secret)
    if not password_stdin:
        session.out.say(f"one-time password of {user.name}; it must be changed at the first login")


@users.command("list")
@common
def list_users(session: Session) -> None:
    """List everybody, without passwords."""
    session.out.listing(session.engine.users(), COLUMNS)


@users.command("change")
@click.argument("name")
@click.option("--role", type=ROLE, help="What the person may do.")
@details
@by_option
@common
def change_user(session: Session, name: str, role: str | None, by: str, **given: Any) -> None:
    """Change what is named; --group replaces all groups."""
    said = _said({**given, "role": role})
    if not said:
        raise click.UsageError("say what to change")
    user = session.engine.change_user(name, by=by, **said)
    session.out.one(user, f"{user.name} is changed")


@users.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@by_option
@common
def reset_password(session: Session, name: str, password_stdin: bool, by: str) -> None:
    """Give NAME a new one-time password and end the sessions."""
    given = _password() if password_stdin else None
    secret = session.engine.reset_password(name, by=by, password=given)
    shown = {"name": name, **({} if password_stdin else {"password": secret})}
    session.out.one(shown, f"the password of {name} is set" if password_stdin else secret)


@users.command("disable")
@click.argument("name")
@by_option
@common
def disable_user(session: Session, name: str, by: str) -> None:
    """Shut NAME out at once; what the person did stays."""
    user = session.engine.disable_user(name, by=by)
    session.out.one(user, f"{user.name} is disabled")


@users.command("enable")
@click.argument("name")
@by_option
@common
def enable_user(session: Session, name: str, by: str) -> None:
    """Let NAME in again."""
    user = session.engine.disable_user(name, by=by, disabled=False)
    session.out.one(user, f"{user.name} is enabled")


def _said(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in given.items() if value not in (None, ())}


def _password() -> str:
    text = sys.stdin.readline().rstrip("\n")
    if not text:
        raise click.UsageError("no password came on standard input")
    return text


VERBS = (users,)
