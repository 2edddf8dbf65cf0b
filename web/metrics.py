"""/metrics in the form of Prometheus: what this process has done, and how much is open.

Every process shows its own counts (engine/watch.py) at its own address, as Prometheus wants it, so
nothing has to be merged: the web process here, a worker at `worker_metrics_port`. How much is open
is one bounded statement, asked by the web process at a scrape and at most every few seconds.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, g, request

from engine import watch
from engine.errors import Forbidden, Unavailable

if TYPE_CHECKING:
    from http.server import ThreadingHTTPServer

    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

    from engine.runtime import Engine
    from engine.settings import Settings

log = logging.getLogger("caseway.metrics")

PREFIX = "caseway_"
PATH = "/metrics"
#: scrapes that come sooner see the same gauges; seconds
FRESH_S = 5.0

#: gauge of the database -> its help, the names of its labels
GAUGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "cases": ("Cases that run", ("process", "state")),
    "work": ("Work items: due, waiting, leased, queued or dead", ("kind", "topic", "state")),
    "open_tasks": ("User tasks that are open", ("process",)),
    "open_incidents": ("Incidents that are open", ("process",)),
    "messages_waiting": ("Messages that nobody has waited for yet", ()),
}
LAG, UP = "oldest_due_seconds", "database_up"
#: what says that a request came through a proxy, so from anywhere
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")


def install(app: Flask, settings: Settings, engine: Engine) -> None:
    """Add the route, and count the requests of all routes."""
    # made at the first scrape: the library takes 0.1 s to import, which no start shall wait for
    registry = cache(lambda: make_registry(open_gauges(engine)))

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        # the rule, not the path: paths are without number, and name cases
        route = request.url_rule.rule if request.url_rule is not None else "-"
        watch.count("http_requests", request.method, route, str(response.status_code))
        if "began" in g:
            took_s = time.perf_counter() - g.began
            watch.observe("http_request_seconds", took_s, request.method, route)
        return response

    metrics = Blueprint("metrics", __name__)

    @metrics.get(PATH)
    def scrape() -> Response:
        if not may_read(settings, request.remote_addr or "", request.headers.get):
            raise Forbidden("metrics are read from this machine, or with `metrics_token`")
        body, kind = shown(registry())
        return Response(body, content_type=kind)

    app.register_blueprint(metrics)


def may_read(settings: Settings, address: str, header: Callable[[str], str | None]) -> bool:
    """Tell whether a caller may see the metrics: with the token, or without one from loopback."""
    if settings.metrics_token:
        expected = f"Bearer {settings.metrics_token}".encode()
        return hmac.compare_digest((header("Authorization") or "").encode(), expected)
    # a proxy of this machine has a loopback address too, but speaks for somebody else
    if any(header(name) for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def shown(registry: CollectorRegistry) -> tuple[bytes, str]:
    """Return the text of all metrics, and its media type."""
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    return generate_latest(registry), CONTENT_TYPE_LATEST


def make_registry(gauges: Callable[[], Iterator[Metric]] | None = None) -> CollectorRegistry:
    """Return what `shown` reads: our counts, the gauges if given, memory and CPU of the process."""
    from prometheus_client import CollectorRegistry, ProcessCollector

    registry = CollectorRegistry()
    registry.register(_Ours(gauges))
    ProcessCollector(registry=registry)
    return registry


class _Ours:
    """The collector that the library asks at each scrape."""

    def __init__(self, gauges: Callable[[], Iterator[Metric]] | None) -> None:
        self._gauges = gauges

    def describe(self) -> list[Metric]:
        """Return nothing, so that registering asks no database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        yield from _counted()
        if self._gauges is not None:
            yield from self._gauges()


def _counted() -> Iterator[Metric]:
    """Yield what this process has counted and timed."""
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

    counts, times = watch.told()
    for kind in watch.COUNTERS:
        counter = CounterMetricFamily(PREFIX + kind.name, kind.help, labels=kind.labels)
        for (name, labels), value in counts.items():
            if name == kind.name:
                counter.add_metric(labels, value)
        yield counter
    for kind in watch.TIMES:
        histogram = HistogramMetricFamily(PREFIX + kind.name, kind.help, labels=kind.labels)
        for (name, labels), one in times.items():
            if name == kind.name:
                histogram.add_metric(labels, _buckets(one), one.sum_s)
        yield histogram


def _buckets(times: watch.Times) -> list[tuple[str, float]]:
    """Return (upper bound, how many took no longer), the last without a bound."""
    total = 0
    buckets = []
    for bound, found in zip([*map(str, watch.BOUNDS), "+Inf"], times.counts, strict=True):
        total += found
        buckets.append((bound, float(total)))
    return buckets


def open_gauges(
    engine: Engine, now: Callable[[], float] = time.monotonic
) -> Callable[[], Iterator[Metric]]:
    """Return how to ask the database how much is open, at most every FRESH_S seconds."""
    lock = threading.Lock()
    kept: tuple[float, Any, float] | None = None

    def read() -> Iterator[Metric]:
        nonlocal kept
        from prometheus_client.core import GaugeMetricFamily

        with lock:
            try:
                if kept is None or now() - kept[0] >= FRESH_S:
                    kept = now(), engine.gauges(), engine.lag_s()
            except Unavailable as error:
                log.warning("the database was not asked for its gauges: %s", error)
                kept = None
            found = kept
        yield GaugeMetricFamily(PREFIX + UP, "1 if the database answers", 1 if found else 0)
        if found is None:
            return
        for name, (told, labels) in GAUGES.items():
            gauge = GaugeMetricFamily(PREFIX + name, told, labels=labels)
            rows = [row for row in found[1] if row[0] == name]
            for row in rows:
                gauge.add_metric([str(label) for label in row[1:4]][: len(labels)], row[4])
            if not rows and not labels:
                gauge.add_metric((), 0)
            yield gauge
        yield GaugeMetricFamily(PREFIX + LAG, "How long the oldest due work has waited", found[2])

    return read


# ------------------------------------------------------------------ the worker's own


def show_worker(settings: Settings) -> ThreadingHTTPServer | None:
    """Show the metrics of a worker process at its port, if the settings name one.

    On this machine only, unless there is a token. A port that is taken is told and costs no work.
    """
    if not settings.worker_metrics_port:
        return None
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    registry = make_registry()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != PATH:
                return self.send_error(HTTPStatus.NOT_FOUND)
            if not may_read(settings, self.client_address[0], self.headers.get):
                return self.send_error(HTTPStatus.FORBIDDEN)
            body, kind = shown(registry)
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return None

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: a scrape every few seconds is no news."""

    host = settings.host if settings.metrics_token else "127.0.0.1"
    try:
        server = ThreadingHTTPServer((host, settings.worker_metrics_port), Answer)
    except OSError as error:
        log.error("no metrics at port %s: %s", settings.worker_metrics_port, error.strerror)
        return None
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
