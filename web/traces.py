"""OpenTelemetry traces, if the extra `otel` is installed and `otel_endpoint` is set; else nothing.

A case is one trace, whose id is the id of the case: every process knows it without being told, and
it holds over restarts and for as long as the case takes. Spans name ids, never values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from engine import trail
from engine.errors import SettingsError

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer

    from engine.settings import Settings

_tracer: Tracer | None = None


def start(settings: Settings, process: str) -> None:
    """Send traces from now on, if the settings say so. Raises SettingsError without the extra."""
    if not settings.otel_endpoint:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise SettingsError(
            "otel_endpoint is set, but OpenTelemetry is not installed: install `caseway[otel]`"
        )
    names = {"service.name": "caseway", "service.instance.id": process}
    provider = TracerProvider(resource=Resource.create(names))
    exporter = OTLPSpanExporter(endpoint=settings.otel_endpoint)
    # sent from a thread of its own; what does not fit while the collector is away is dropped
    provider.add_span_processor(BatchSpanProcessor(exporter))
    use(provider)


def use(provider: Any) -> None:
    """Make spans by a provider from now on; None: make none."""
    global _tracer
    _tracer = None if provider is None else provider.get_tracer("caseway")
    trail.tracer = None if provider is None else _span


def note_request(
    what: str, *, case: str | None, request: str, began_ns: int, status: int,
    traceparent: str | None,
) -> None:  # fmt: skip
    """Make the span of a request that is over: in the trace of its case, if it touched one.

    The caller's own trace is then linked; without a case the span is part of that trace.
    """
    if _tracer is None:
        return
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    given = TraceContextTextMapPropagator().extract({"traceparent": traceparent or ""})
    callers = trace.get_current_span(given).get_span_context()
    links = [trace.Link(callers)] if callers.is_valid and case else []
    span = _tracer.start_span(
        what,
        context=_context(case) if case else given,
        kind=trace.SpanKind.SERVER,
        links=links,
        start_time=began_ns,
        attributes={"caseway.request": request, "http.response.status_code": status},
    )
    if status >= 500:
        span.set_status(trace.StatusCode.ERROR)
    span.end()


@contextmanager
def _span(what: str, case: str, names: Mapping[str, str]) -> Iterator[None]:
    """Make a span of what happens inside; what a handler traces itself becomes its child."""
    from opentelemetry import trace

    assert _tracer is not None
    attributes = {f"caseway.{name}": id_ for name, id_ in names.items()}
    with _tracer.start_as_current_span(
        what, context=_context(case), attributes=attributes,
        # the message of an exception may quote a variable: only its class is told
        record_exception=False, set_status_on_exception=False,
    ) as span:  # fmt: skip
        try:
            yield
        except BaseException as error:
            span.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


def _context(case: str) -> Context:
    """Return the context of a case: the same in every process."""
    from opentelemetry import trace

    digits = case.replace("-", "")
    number = int(digits, 16) if len(digits) == 32 and digits.isalnum() else 0
    digest = hashlib.sha256(case.encode()).digest()
    parent = trace.SpanContext(
        trace_id=number or int.from_bytes(digest[:16], "big"),
        span_id=int.from_bytes(digest[16:24], "big"),
        is_remote=True,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(parent))
