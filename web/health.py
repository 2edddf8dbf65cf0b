"""Whether the installation lives and whether it can serve: for supervisors and load balancers."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response

from engine.codec import to_json

#: a worker not heard for longer counts as absent; seconds
STALE_S = 10.0


def blueprint(
    database: Callable[[], str], worker_age_s: Callable[[], float | None] | None
) -> Blueprint:
    """Return the two routes; `database` says "ok" or what is wrong with it.

    Without `worker_age_s` this process knows nothing of a worker: it may run on another machine.
    """
    health = Blueprint("health", __name__)

    @health.get("/healthz")
    def healthz() -> Response:
        return _say(200, {"status": "alive"})

    @health.get("/readyz")
    def readyz() -> Response:
        parts = {"database": database(), "worker": _worker(worker_age_s)}
        ready = parts["database"] == "ok" and parts["worker"] in ("ok", "elsewhere")
        return _say(200 if ready else 503, {"status": "ready" if ready else "not ready", **parts})

    return health


def _worker(age_s: Callable[[], float | None] | None) -> str:
    if age_s is None:
        return "elsewhere"
    age = age_s()
    return "ok" if age is not None and age <= STALE_S else "not seen"


def _say(status: int, body: dict[str, str]) -> Response:
    return Response(to_json(body), status=status, mimetype="application/json")
