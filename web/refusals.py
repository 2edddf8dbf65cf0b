"""Refusals as pages: what a person is told, in words, when a page cannot be shown or done."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from flask import Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from engine.errors import EngineError, OutcomeUnknown, TooBusy, Unavailable
from web.context import SignInFirst
from web.csrf import ForgedForm
from web.language import _, lazy
from web.problems import status_of

log = logging.getLogger("caseway.web")

#: status -> title, what to do
_WORDS: dict[int, tuple[Any, Any]] = {
    400: (lazy("This request was not understood"), lazy("Go back and try again.")),
    401: (lazy("Please sign in"), lazy("Your session is over. Sign in and open the page again.")),
    403: (lazy("This page is not for you"),
          lazy("Your account has no right to it. Ask an administrator if you need it.")),
    404: (lazy("There is nothing here"),
          lazy("The address may be mistyped, or what was here is gone.")),
    405: (lazy("This request was not understood"), lazy("Go back and try again.")),
    409: (lazy("Somebody was faster"), lazy("The state has changed. Look at it again.")),
    410: (lazy("This link is no longer valid"), lazy("Ask for a new one.")),
    413: (lazy("That is too large"), lazy("Send a smaller file or text.")),
    422: (lazy("Something in the form is wrong"), lazy("Go back and correct it.")),
    429: (lazy("Too many attempts"), lazy("Wait a little, then try again.")),
    500: (lazy("Something went wrong here"),
          lazy("It is not your fault. Nothing was stored; the log of the server says more.")),
    503: (lazy("The service is not ready"), lazy("Try again in a minute.")),
}  # fmt: skip


def wants_page() -> bool:
    """Tell whether the one who asks is a person with a browser, not a program."""
    machine = request.path.startswith("/api/") or request.path in ("/healthz", "/readyz")
    return not machine and bool(request.accept_mimetypes.accept_html) and _prefers_html()


def _prefers_html() -> bool:
    accepted = request.accept_mimetypes
    return accepted["text/html"] >= accepted["application/json"] and "text/html" in str(accepted)


def page(status: int, detail: str = "", *, title: Any = None, advice: Any = None) -> Response:
    """Return the page of a refusal; `detail` is the plain reason, in the words of the engine."""
    words = _WORDS.get(status, _WORDS[500 if status >= 500 else 400])
    shown = render_template(
        "refusal.html", status=status, title=title or words[0], advice=advice or words[1],
        detail=detail,
    )  # fmt: skip
    return make_response(shown, status)


def refused(error: EngineError) -> Response:
    """Answer a refusal of the engine or of the door; nothing was changed."""
    status = 401 if isinstance(error, SignInFirst) else status_of(error)
    if status >= 500:
        log.error("%s %s: %s: %s", request.method, request.path, error.code, error)
        return page(status)
    if isinstance(error, ForgedForm):
        return page(status, title=_("The form is too old"),
                    advice=_("Load the page again and send it once more."))  # fmt: skip
    response = page(status, str(error))
    if isinstance(error, TooBusy):
        response.headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    return response


def http_refused(error: HTTPException) -> Response:
    """Answer what HTTP itself refuses: no such page, a wrong method, a body too large."""
    status = error.code or 500
    if error.response is not None:  # a redirect that was raised
        return make_response(error.response)
    known = status in {entry.value for entry in HTTPStatus}
    response = page(status if known else 500)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def said_of(error: Unavailable) -> tuple[str, str]:
    """Return title and advice while the database is away, in the language of the request."""
    if isinstance(error, OutcomeUnknown):
        return (
            _("Nobody knows whether this was stored"),
            _("The connection to the database broke while it was being stored. Look whether it is "
              "done; if it is not, do the same again: with the same key it counts once."),
        )  # fmt: skip
    return (
        _("The database does not answer"),
        _("Nothing was changed. Try again in a minute."),
    )


def unavailable(error: Unavailable) -> Response:
    """Answer a person while the database is away."""
    title, advice = said_of(error)
    return page(503, title=title, advice=advice)


def failed() -> Response:
    """Answer a fault of ours; web/app.py has logged it."""
    return page(500)
