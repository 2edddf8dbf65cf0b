"""Whether the installation lives and whether it can serve: for supervisors and load balancers.

`/healthz` asks nobody. `/readyz` names each part that keeps this process from serving, with why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response

from engine.codec import to_json

if TYPE_CHECKING:
    from engine.runtime import Engine
    from engine.settings import Settings

#: a worker not heard for longer counts as absent; seconds
STALE_S = 10.0


def install(
    app: Flask,
    settings: Settings,
    engine: Engine,
    database: Callable[[], str],
    worker_age_s: Callable[[], float | None] | None,
) -> None:
    """Add the two routes; `database` says "ok" or what is wrong with it.

    Without `worker_age_s` this process knows nothing of a worker: it may run on another machine.
    """

    health = Blueprint("health", __name__)

    @health.get("/healthz")
    def healthz() -> Response:
        return _say(200, {"status": "alive"})

    @health.get("/readyz")
    def readyz() -> Response:
        parts = {"database": database(), "worker": _worker(worker_age_s)}
        # asked only where there is a database that can be asked
        if parts["database"] == "ok":
            parts["due_work"] = _due_work(engine, settings.ready_due_age_s)
        ready = all(said in ("ok", "elsewhere") for said in parts.values())
        return _say(200 if ready else 503, {"status": "ready" if ready else "not ready", **parts})

    app.register_blueprint(health)


def _worker(age_s: Callable[[], float | None] | None) -> str:
    if age_s is None:
        return "elsewhere"
    age = age_s()
    return "ok" if age is not None and age <= STALE_S else "not seen"


def _due_work(engine: Engine, limit_s: float) -> str:
    lag_s = engine.lag_s()
    return "ok" if lag_s <= limit_s else f"waiting for {lag_s:.0f} s"


def _say(status: int, body: dict[str, str]) -> Response:
    return Response(to_json(body), status=status, mimetype="application/json")
