"""Against forged forms: each unsafe request repeats a token that only our pages know."""

from __future__ import annotations

import hmac
import secrets

from flask import request, session
from markupsafe import Markup

from engine.errors import Forbidden

FIELD = "csrf"
HEADER = "X-CSRF-Token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class ForgedForm(Forbidden):
    """The form does not carry this browser's token. Load the page again and send it once more."""

    code = "forged_form"


def token() -> str:
    """Return the token of this browser, made at the first call."""
    if FIELD not in session:
        session[FIELD] = secrets.token_urlsafe(24)
    found: str = session[FIELD]
    return found


def field() -> Markup:
    """Return the hidden field that each form with method=post contains."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token())


def check() -> None:
    """Raise ForgedForm if an unsafe request does not carry the token."""
    if request.method in SAFE:
        return
    given = request.headers.get(HEADER) or request.form.get(FIELD) or ""
    known = session.get(FIELD)
    if not isinstance(known, str) or not hmac.compare_digest(given.encode(), known.encode()):
        raise ForgedForm("the form is too old, or not ours: load the page again")
