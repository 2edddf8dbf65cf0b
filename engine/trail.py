"""What the present thread works for: request, case, element, work item. Logs and traces name it.

Names are ids, never values of variables. A request's id travels with the work it makes due, so that
what a worker logs hours later still names the call that led to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.model import Work

#: header of a work item that holds the id of the request; handlers do not see it
REQUEST = "caseway:request"

#: begins a span: its name, the root id of the case, what else it is about
Tracer = Callable[[str, str, Mapping[str, str]], AbstractContextManager[None]]

#: set by who sends traces; None: none are made
tracer: Tracer | None = None


class _Names:
    """Names that were added to those around them; put together only for who asks."""

    __slots__ = ("around", "more")

    def __init__(self, around: _Names | None, more: Mapping[str, str | None]) -> None:
        self.around = around
        self.more = more

    def get(self, name: str) -> str | None:
        """Return one name; what is None was left as it is around."""
        found = self.more.get(name)
        return found or (None if self.around is None else self.around.get(name))

    def all(self) -> dict[str, str]:
        """Return all names."""
        found = {} if self.around is None else self.around.all()
        found.update((name, id_) for name, id_ in self.more.items() if id_)
        return found


_NOTHING = _Names(None, {})
_names: ContextVar[_Names] = ContextVar("names", default=_NOTHING)
_touched: ContextVar[list[str] | None] = ContextVar("touched", default=None)


def names() -> Mapping[str, str]:
    """Return what the thread works for: name -> id."""
    return _names.get().all()


class on:  # noqa: N801 (reads as a function)
    """Work for something inside; what is None is left as it was."""

    __slots__ = ("_more", "_token")

    _token: Token[_Names]

    def __init__(self, **more: str | None) -> None:
        self._more = more

    def __enter__(self) -> None:
        self._token = _names.set(_Names(_names.get(), self._more))
        touched, case = _touched.get(), self._more.get("case")
        if touched is not None and case and case not in touched:
            touched.append(case)

    def __exit__(self, *raised: object) -> None:
        _names.reset(self._token)


def span(what: str, case: str, **more: str | None) -> AbstractContextManager[None]:
    """Work for a case inside, and trace it where traces are made."""
    if tracer is None:
        return on(case=case, **more)
    return _traced(tracer, what, case, more)


@contextmanager
def _traced(begin: Tracer, what: str, case: str, more: Mapping[str, str | None]) -> Iterator[None]:
    with on(case=case, **more), begin(what, case, names()):
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
    _names.set(_Names(None, {"request": request}))
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
