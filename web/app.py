"""The web application: `create_app` puts routes, the door of each call and refusals together.

The way of a call: `_answer` authenticates, reads and checks the input, runs the act of the route,
and `_respond` writes its answer; a refusal leaves by `_refused`, a fault of ours by `_failed`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from engine.codec import parse_json, to_json
from engine.errors import BadInput, EngineError, TooBusy, Unavailable
from engine.sentences import ENGLISH, LANGUAGES
from web import health, metrics, pages, refusals, trails
from web.api import ROUTES
from web.auth import caller_of, require
from web.bundles import add, unpack
from web.context import House
from web.language import current
from web.openapi import document
from web.problems import (
    TYPE_BASE,
    NotJson,
    Unauthorised,
    UnsupportedBody,
    WrongField,
    describe,
    language_of,
    of_status,
    status_of,
)
from web.render import plain
from web.route import Answer, Call, Route, read_body, read_query

if TYPE_CHECKING:
    from engine.runtime import Engine
    from engine.settings import Settings

log = logging.getLogger("caseway.web")

#: when to come back while the database is away; seconds
_AWAY_S = 5
#: what a body may have beside its variables or files: names, borders, white space
OVERHEAD = 64 * 1024
MAX_KEY = 255

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


def create_app(
    settings: Settings, *, engine: Engine, worker_age_s: Callable[[], float | None] | None = None
) -> Flask:
    """Return the application; `worker_age_s` tells how long ago the worker was last heard."""
    app = Flask("web", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.upload_limit + OVERHEAD
    app.config["MAX_FORM_MEMORY_SIZE"] = OVERHEAD
    app.register_blueprint(_api(settings, engine))
    health.install(app, settings, engine, partial(_database, engine), worker_age_s)
    metrics.install(app, settings, engine)
    trails.install(app)
    app.register_error_handler(EngineError, _refused)
    app.register_error_handler(HTTPException, _http_refused)
    app.register_error_handler(Unavailable, _unavailable)
    app.register_error_handler(Exception, _failed)
    app.after_request(_secure)
    pages.install(app, settings, House(settings=settings, engine=engine))
    return app


def _database(engine: Engine) -> str:
    """Tell whether the database answers and has our schema."""
    try:
        engine.migrate()  # reads one row if the schema is up to date
    except EngineError as error:
        return error.code
    except Exception:  # whatever the driver raises: the answer is the same
        log.warning("the database does not answer", exc_info=True)
        return "no answer"
    return "ok"


def _api(settings: Settings, engine: Engine) -> Blueprint:
    api = Blueprint("api", __name__)
    for route in ROUTES:
        path = route.path.replace("{name}", "<path:name>").replace("{", "<").replace("}", ">")
        view = partial(_answer, settings, engine, route)
        api.add_url_rule(path, route.name, view, methods=[route.method])
    described = to_json(document())
    api.add_url_rule(
        "/api/openapi.json",
        "openapi",
        lambda: Response(described, mimetype="application/json"),
        methods=["GET"],
    )
    return api


def _answer(settings: Settings, engine: Engine, route: Route, **path: str) -> Response:
    caller = caller_of(engine, request.headers.get("Authorization"))
    require(caller, route.right)
    call = Call(
        engine=engine,
        caller=caller,
        path=path,
        query=read_query(route.query, request.args.to_dict(flat=False)),
        body=_body(route, settings.input_limit),
        bundle=_bundle(settings.upload_limit) if route.upload else {},
        idempotency_key=_idempotency_key() if route.idempotent else None,
    )
    return _respond(route.act(call))


def _body(route: Route, limit: int) -> Mapping[str, Any]:
    if route.upload or route.method == "GET":
        return {}
    request.max_content_length = limit + OVERHEAD
    data = request.get_data(cache=False)
    if not data:
        return read_body(route.body, {})
    if not request.is_json:
        raise UnsupportedBody("send the body as application/json")
    try:
        value = parse_json(data)
    except BadInput as error:
        raise NotJson(str(error))
    return read_body(route.body, value)


def _bundle(limit: int) -> dict[str, bytes]:
    """Return the uploaded files; archives are unpacked. Raises BadInput."""
    if request.mimetype != "multipart/form-data":
        raise UnsupportedBody("send the diagrams as multipart/form-data, field `file`")
    bundle: dict[str, bytes] = {}
    left = limit
    for upload in request.files.getlist("file"):
        name, data = upload.filename or "", upload.read()
        if not name:
            raise WrongField("file", "an uploaded file has no name")
        files = unpack(name, data, limit=left) if name.lower().endswith(".zip") else [(name, data)]
        for member, content in files:
            left -= len(content)
            add(bundle, member, content)
    if not bundle:
        raise WrongField("file", "no diagram was uploaded")
    return bundle


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= MAX_KEY and key.isprintable()):
        raise WrongField("Idempotency-Key", f"is not a text of 1 to {MAX_KEY} characters")
    return key


def _language() -> str:
    """Return the language a caller of the API asks for (Accept-Language); English else."""
    return request.accept_languages.best_match(LANGUAGES) or ENGLISH


def _respond(answer: Answer) -> Response:
    if isinstance(answer.body, bytes):
        response = Response(answer.body, status=answer.status, mimetype="application/octet-stream")
    else:
        data = to_json(plain(answer.body, _language()))
        response = Response(data, status=answer.status, mimetype="application/json")
        response.vary.add("Accept-Language")
    response.headers.update(answer.headers)
    return response


def _problem(document: Mapping[str, Any], language: str = ENGLISH) -> Response:
    """Return a problem document; other callers may get it in another language."""
    response = Response(
        to_json(document), status=document["status"], mimetype="application/problem+json"
    )
    response.content_language.add(language)
    response.vary.add("Accept-Language")
    return response


def _refused(error: EngineError) -> Response:
    """Answer a refusal of the engine or of the door; nothing was changed."""
    if status_of(error) >= 500:
        log.error("%s %s: %s: %s", request.method, request.path, error.code, error)
    asked = _language()
    document = describe(error, instance=request.path, language=asked)
    response = _problem(document, language_of(error, asked))
    if isinstance(error, TooBusy):
        response.headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    if isinstance(error, Unauthorised):
        response.headers["WWW-Authenticate"] = 'Bearer realm="caseway"'
    return response


def _http_refused(error: HTTPException) -> Response:
    """Answer what HTTP itself refuses: no such route, a wrong method, a body too large."""
    if refusals.wants_page():
        return refusals.http_refused(error)
    detail = error.description or ""
    if isinstance(error, RequestEntityTooLarge):
        detail = "The body is larger than the limit; see upload_limit and input_limit."
    response = _problem(of_status(error.code or 500, error.name, detail, instance=request.path))
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _unavailable(error: Unavailable) -> Response:
    """Answer while the database is away: one line in the log, and when to come back."""
    log.error("%s %s: %s", request.method, request.path, error)
    if refusals.wants_page():
        response = refusals.unavailable(error)
    else:
        title, detail = refusals.said_of(error)
        document = of_status(503, title, detail, instance=request.path)
        document |= {"type": TYPE_BASE + error.code, "code": error.code}
        response = _problem(document, current())
    response.headers["Retry-After"] = str(_AWAY_S)
    return response


def _failed(error: Exception) -> Response:
    """Answer a fault of ours: the log has the trace, the caller learns nothing of the inside."""
    log.exception("%s %s failed", request.method, request.path)
    if refusals.wants_page():
        return refusals.failed()
    detail = "The log of the server says more."
    return _problem(of_status(500, "Internal Server Error", detail, instance=request.path))


def _secure(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    return response
