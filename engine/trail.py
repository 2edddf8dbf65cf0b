"""What the present thread works for: request, case, element, work item. Logs and traces name it.

Names are ids, never values of variables. A request's id travels with the work it makes due, so that
what a worker logs hours later still names the call that led to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.model import Work

#: header of a work item that holds the id of the request; handlers do not see it
REQUEST = "caseway:request"

#: begins a span: its name, the root id of the case, what else it is about
Tracer = Callable[[str, str, Mapping[str, str]], AbstractContextManager[None]]

#: set by who sends traces; None: none are made
tracer: Tracer | None = None

_NOTHING: Mapping[str, str] = {}
_names: ContextVar[Mapping[str, str]] = ContextVar("names", default=_NOTHING)
_touched: ContextVar[list[str] | None] = ContextVar("touched", default=None)


def names() -> Mapping[str, str]:
    """Return what the thread works for: name -> id."""
    return _names.get()


@contextmanager
def on(**more: str | None) -> Iterator[None]:
    """Work for something inside; what is None is left as it was."""
    token = _names.set({**_names.get(), **{name: id_ for name, id_ in more.items() if id_}})
    touched, case = _touched.get(), more.get("case")
    if touched is not None and case and case not in touched:
        touched.append(case)
    try:
        yield
    finally:
        _names.reset(token)


@contextmanager
def span(what: str, case: str, **more: str | None) -> Iterator[None]:
    """Work for a case inside, and trace it where traces are made."""
    with on(case=case, **more):
        if tracer is None:
            yield
        else:
            with tracer(what, case, names()):
                yield


def of(work: Work) -> AbstractContextManager[None]:
    """Work for a work item inside, and for the request that led to it."""
    request = work.headers.get(REQUEST)
    return on(
        case=work.root_id, element=work.element_id, work=work.id,
        request=request if isinstance(request, str) else None,
    )  # fmt: skip


def begin_request(request: str) -> list[str]:
    """Work for a request from now on; return the list that the cases it touches are added to."""
    touched: list[str] = []
    _names.set({"request": request})
    _touched.set(touched)
    return touched


def end_request() -> None:
    """Work for nothing any more."""
    _names.set(_NOTHING)
    _touched.set(None)


def sealed(headers: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the headers of new work, with the request that leads to it."""
    request = _names.get().get("request")
    return {**headers, REQUEST: request} if request else headers


def opened(headers: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the headers as their handler sees them."""
    if REQUEST not in headers:
        return headers
    return {name: value for name, value in headers.items() if name != REQUEST}
