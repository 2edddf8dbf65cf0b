"""Requests as logs and traces see them: an id for each, the cases it touched, a span.

Routes are named by their rule: paths may hold the token of a customer's link.
"""

from __future__ import annotations

import logging
import re
import time

from flask import Flask, Response, g, request

from engine import trail
from engine.clock import new_id
from web import traces

log = logging.getLogger("caseway.request")

HEADER = "X-Request-Id"
#: an id of a caller that is taken over
_FORM = re.compile(r"[\w.-]{8,64}")


def install(app: Flask) -> None:
    """Give every request an id, tell it to the caller, and name it in logs and traces."""

    @app.before_request
    def begin() -> None:
        given = request.headers.get(HEADER, "")
        g.request_id = given if _FORM.fullmatch(given) else new_id()
        g.began_ns = time.time_ns()
        g.touched = trail.begin_request(g.request_id)

    @app.after_request
    def tell(response: Response) -> Response:
        if "request_id" not in g:
            return response
        response.headers[HEADER] = g.request_id
        route = request.url_rule.rule if request.url_rule is not None else "-"
        level = logging.DEBUG if request.method in ("GET", "HEAD") else logging.INFO
        case = g.touched[0] if len(g.touched) == 1 else None
        with trail.on(case=case):
            log.log(level, "%s %s %s", request.method, route, response.status_code)
        traces.note_request(
            f"{request.method} {route}", case=case, request=g.request_id, began_ns=g.began_ns,
            status=response.status_code, traceparent=request.headers.get("traceparent"),
        )  # fmt: skip
        return response

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        trail.end_request()
