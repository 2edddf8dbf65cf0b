"""Refusals as RFC 9457 problem details: which status an error has, and what is said about it."""

from __future__ import annotations

from typing import Any

from engine import errors
from engine.sentences import ENGLISH, change_refusal, refusal
from web.render import plain

#: where the kinds of refusal are explained
TYPE_BASE = "https://caseway.dev/problems/"


class WrongField(errors.BadInput):
    """One field of the call has a wrong type or value; `path` is its JSON pointer."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        #: JSON pointer into the body, or the name of a query parameter
        self.path = path


class NotJson(errors.BadInput):
    """The body is no JSON at all."""

    code = "not_json"


class UnsupportedBody(errors.BadInput):
    """The body has a media type that the route does not read."""

    code = "unsupported_media_type"


class NoDatabase(errors.EngineError):
    """The database cannot be opened. Check database_url and data_dir, and whether it runs."""

    code = "no_database"


class Unauthorised(errors.EngineError):
    """The call carries no valid token. Send `Authorization: Bearer TOKEN`."""

    code = "unauthorised"


#: refusals with problems, which are told in the language of the caller
TOLD = (errors.DeploymentRefused, errors.ChangeRefused)

#: class -> HTTP status and title; the most special class that fits counts
STATUSES: dict[type[errors.EngineError], tuple[int, str]] = {
    Unauthorised: (401, "Not authenticated"),
    NotJson: (400, "The body is no JSON"),
    UnsupportedBody: (415, "Unsupported media type"),
    errors.BadInput: (422, "The input is wrong"),
    errors.NotFound: (404, "Not found"),
    errors.Conflict: (409, "The state forbids it"),
    errors.Forbidden: (403, "Not allowed"),
    errors.TooBusy: (429, "Too busy"),
    errors.DeploymentRefused: (422, "The deployment has errors"),
    errors.ChangeRefused: (409, "The case cannot be changed so"),
    errors.FeelError: (422, "A FEEL expression is wrong"),
    errors.ExecutionFault: (409, "The step cannot go on"),
    errors.HandlerSetupError: (500, "The server is not set up"),
    errors.SettingsError: (500, "The server is not set up"),
    errors.SchemaTooNew: (503, "The database belongs to a newer version"),
    NoDatabase: (503, "The database does not answer"),
    errors.EngineError: (500, "The server failed"),
}


def status_of(error: errors.EngineError) -> int:
    """Return the HTTP status of a refusal."""
    return _entry(error)[0]


def _entry(error: errors.EngineError) -> tuple[int, str]:
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def describe(
    error: errors.EngineError, *, instance: str | None = None, language: str = "en"
) -> dict[str, Any]:
    """Return the problem document of a refusal; `instance` is the path of the call.

    What has `problems` is told, with them, in the language; all else is English.
    A server's own trouble (500) is named, never explained: the explanation is in its log.
    """
    status, title = _entry(error)
    hidden = status == 500
    detail = "The log of the server says more." if hidden else str(error)
    if isinstance(error, errors.DeploymentRefused):
        title, detail = refusal(error.problems, language)
    elif isinstance(error, errors.ChangeRefused):
        title, detail = change_refusal(error.problems, language)
    document: dict[str, Any] = {
        "type": TYPE_BASE + error.code,
        "title": title,
        "status": status,
        "detail": detail,
        "code": error.code,
    }
    if instance is not None:
        document["instance"] = instance
    if isinstance(error, WrongField):
        document["path"] = error.path
    if isinstance(error, TOLD):
        document["problems"] = [plain(problem, language) for problem in error.problems]
    return document


def language_of(error: errors.EngineError, language: str) -> str:
    """Return the language that `describe` answers in, if this one is asked for."""
    return language if isinstance(error, TOLD) else ENGLISH


def of_status(status: int, title: str, detail: str, *, instance: str | None) -> dict[str, Any]:
    """Return the problem document of a refusal that HTTP itself knows (405, 413, 415, ...)."""
    code = title.lower().replace(" ", "_").replace("'", "")
    return {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        **({} if instance is None else {"instance": instance}),
    }
