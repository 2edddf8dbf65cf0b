"""People who sign in: accounts, passwords, sessions, and how often somebody may try."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine import access
from engine.clock import new_id
from engine.errors import BadInput, Conflict, NotFound
from engine.runtime.base import Base, optional_text, plain_text, verb
from engine.runtime.transaction import Transaction
from engine.store import tokens, users
from engine.store.connect import Duplicate

LANGUAGES = ("zh", "en")
THEMES = ("light", "dark")
#: how long somebody stays signed in: a working day
SESSION_S = 14 * 3600
_NAME = re.compile(r"[\w.@+-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person with an account, without the password."""

    #: what the person types to sign in; also the name in histories
    name: str
    #: what others read
    display: str
    #: one of access.PEOPLE
    role: str
    #: candidate groups of user tasks the person belongs to
    groups: tuple[str, ...]
    email: str | None
    #: zh | en; None: what the browser asks for
    language: str | None
    #: IANA name of a time zone; None: UTC
    zone: str | None
    #: light | dark; None: as the system
    theme: str | None
    #: the password was made by somebody else and must be replaced first
    must_change: bool
    #: made for a demonstration
    demo: bool
    created_at: datetime
    created_by: str
    #: cannot sign in since
    disabled_at: datetime | None


class Users(Base):
    """The verbs about people."""

    @verb
    def create_user(
        self, name: str, /, *, role: str, by: str, password: str | None = None, demo: bool = False,
        **details: Any,
    ) -> tuple[User, str]:  # fmt: skip
        """Return a new user and the password; without one given, a one-time password is made.

        `details` are display, groups, email, language, zone, theme. Raises BadInput, Conflict.
        """
        name = _name(name)
        row = {"display": name, "groups": [], "email": None, "language": None, "zone": None,
               "theme": None, **_checked({"role": role, **details})}  # fmt: skip
        secret = access.new_password() if password is None else _usable(password)
        row |= {"password": access.hash_password(secret), "must_change": password is None}
        try:
            with self.transaction() as tx:
                users.insert(
                    tx.connection, name=name, **row, demo=demo, created_at=tx.now,
                    created_by=plain_text(by, "by"), disabled_at=None,
                )  # fmt: skip
                _record(tx, "create_user", name, by, f"role {role}")
                return _found(tx, name), secret
        except Duplicate:
            raise Conflict(f"there is a user {name!r} already")

    @verb
    def change_user(self, name: str, /, *, by: str, **details: Any) -> User:
        """Change role, display, groups, email, language, zone or theme; return the person.

        What is the person's own taste is not recorded. Raises NotFound, BadInput.
        """
        changes = _checked(details)
        with self.transaction() as tx:
            _found(tx, name)
            users.change(tx.connection, name, changes)
            told = {key: changes[key] for key in changes if key in ("role", "groups", "email")}
            if told:
                why = ", ".join(f"{key} {value}" for key, value in told.items())
                _record(tx, "change_user", name, by, why[:1000])
            return _found(tx, name)

    @verb
    def disable_user(self, name: str, *, by: str, disabled: bool = True) -> User:
        """Close an account and its sessions at once, or open it again. Raises NotFound."""
        with self.transaction() as tx:
            _found(tx, name)
            users.change(tx.connection, name, {"disabled_at": tx.now if disabled else None})
            users.close_sessions(tx.connection, name)
            _record(tx, "disable_user" if disabled else "enable_user", name, by, "")
            return _found(tx, name)

    @verb
    def reset_password(self, name: str, *, by: str, password: str | None = None) -> str:
        """Give a person a new password and end the sessions; return it. Raises NotFound."""
        secret = access.new_password() if password is None else _usable(password)
        stored = access.hash_password(secret)
        with self.transaction() as tx:
            _found(tx, name)
            changes = {"password": stored, "must_change": password is None}
            users.change(tx.connection, name, changes)
            users.close_sessions(tx.connection, name)
            _record(tx, "reset_password", name, by, "")
        return secret

    @verb
    def change_password(self, name: str, *, old: str, new: str, session: str = "") -> None:
        """Replace the own password; all other sessions end. Raises BadInput."""
        with self.reading() as connection:
            found = users.get(connection, name)
        if found is None or not access.right_password(old, found.password):
            raise WrongPassword("the present password is wrong")
        if len(new) < access.LEAST_PASSWORD:
            raise WeakPassword(f"a password has at least {access.LEAST_PASSWORD} characters")
        if new == old or new.casefold() == name:
            raise WeakPassword("the new password is the old one, or the name")
        stored = access.hash_password(_usable(new))
        with self.transaction() as tx:
            users.change(tx.connection, name, {"password": stored, "must_change": False})
            users.close_sessions(tx.connection, name, kept=access.hashed(session))
            _record(tx, "change_password", name, name, "")

    # -------------------------------------------------------------- sessions

    @verb
    def sign_in(self, name: str, password: str) -> tuple[User, str] | None:
        """Return the person and the secret of a new session; None if name or password is wrong."""
        with self.reading() as connection:
            found = users.get(connection, name.strip().lower()[:64])
        right = access.right_password(password, found.password if found else None)
        if found is None or found.disabled_at is not None or not right:
            return None
        secret = access.new_session()
        with self.transaction() as tx:
            users.open_session(
                tx.connection, id=access.hashed(secret), account=found.name, created_at=tx.now,
                expires_at=tx.now + timedelta(seconds=SESSION_S),
            )  # fmt: skip
        return _user(found), secret

    def visitor(self, secret: str) -> User | None:
        """Return whose session this is; None if it is over, revoked, or the account closed."""
        with self.reading() as connection:
            found = users.visitor(connection, access.hashed(secret), self.clock.now())
        return None if found is None else _user(found)

    @verb
    def sign_out(self, secret: str) -> None:
        """End a session; one that is over already does no harm."""
        with self.transaction() as tx:
            users.close_session(tx.connection, access.hashed(secret))

    @verb
    def wait_s(self, bucket: str, *, limit: int, per_s: float) -> float:
        """Count an attempt; return 0.0, or after `limit` attempts in `per_s` how long to wait.

        An attempt that has to wait is not counted, so that patience is rewarded.
        """
        name = access.hashed(bucket)
        with self.transaction() as tx:
            found = users.level(tx.connection, name)
            level = 0.0
            if found is not None:
                leaked = max(0.0, (tx.now - found.at).total_seconds()) * limit * 1000 / per_s
                level = max(0.0, found.level - leaked)
            if level + 1000 > limit * 1000:
                tx.abandon()
                return (level + 1000 - limit * 1000) * per_s / (limit * 1000)
            users.fill(tx.connection, name, round(level + 1000), tx.now, new=found is None)
        return 0.0

    @verb
    def give_back(self, bucket: str) -> None:
        """Take an attempt out of a bucket again, since it was a rightful one."""
        name = access.hashed(bucket)
        with self.transaction() as tx:
            found = users.level(tx.connection, name)
            if found is None:
                tx.abandon()
                return
            users.fill(tx.connection, name, max(0, found.level - 1000), found.at, new=False)

    # -------------------------------------------------------------- reads

    def user(self, name: str) -> User:
        """Return a person. Raises NotFound."""
        with self.reading() as connection:
            found = users.get(connection, name)
        if found is None:
            raise NotFound(f"there is no user {name!r}")
        return _user(found)

    def users(self) -> list[User]:
        """Return everybody, by name; disabled accounts too."""
        with self.reading() as connection:
            return [_user(found) for found in users.everybody(connection)]


class WrongPassword(BadInput):
    """The present password was not given correctly. Type it again, or have it reset."""


class WeakPassword(BadInput):
    """The new password is too short or too near to what others know. Choose a longer one."""


def _name(name: str) -> str:
    lowered = plain_text(name, "name").strip().lower()
    if not _NAME.fullmatch(lowered):
        raise BadInput("a name has 1 to 64 letters, digits or any of . _ @ + -")
    return lowered


def _usable(password: str) -> str:
    if not 0 < len(plain_text(password, "password")) <= access.MOST_PASSWORD:
        raise BadInput(f"a password has 1 to {access.MOST_PASSWORD} characters")
    return password


def _checked(details: dict[str, Any]) -> dict[str, Any]:
    """Return the given columns of an account, each looked at. Raises BadInput."""
    checked: dict[str, Any] = {}
    for name, value in details.items():
        if name == "groups":
            checked[name] = _groups(value)
        elif name in _CHOICES:
            if value not in _CHOICES[name]:
                named = ", ".join(str(choice) for choice in _CHOICES[name] if choice)
                raise BadInput(f"{name} is one of {named}, not {value!r}")
            checked[name] = value
        elif name == "zone":
            checked[name] = _zone(value)
        elif name == "display":
            checked[name] = plain_text(value, name, longest=200)
        elif name == "email":
            checked[name] = optional_text(value, name)
        else:
            raise TypeError(f"a user has no {name}")
    return checked


_CHOICES: dict[str, tuple[str | None, ...]] = {
    "role": access.PEOPLE,
    "language": (*LANGUAGES, None),
    "theme": (*THEMES, None),
}


def _groups(value: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(plain_text(group, "group", longest=200) for group in value))


def _zone(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        return ZoneInfo(plain_text(value, "zone", longest=64)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(f"there is no time zone {value!r}")


def _found(tx: Transaction, name: str) -> User:
    found = users.get(tx.connection, name)
    if found is None:
        raise NotFound(f"there is no user {name!r}")
    return _user(found)


def _user(found: users.Account) -> User:
    shown = {name: getattr(found, name) for name in User.__dataclass_fields__}
    return User(**{**shown, "groups": tuple(found.groups)})


def _record(tx: Transaction, what: str, name: str, by: str, why: str) -> None:
    tokens.record(
        tx.connection, id=new_id(), at=tx.now, by=plain_text(by, "by"), verb=what,
        subject=f"user {name}", why=why,
    )  # fmt: skip
