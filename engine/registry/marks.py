"""What the author of a handler uses: the `@handler` mark and the context a handler may ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from engine.errors import HandlerSetupError
from engine.settings import Settings

_ATTRIBUTE = "__caseway_handler__"

Function = TypeVar("Function", bound=Callable[..., Mapping[str, Any] | None])


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What `@handler` notes down; None means: as the settings say."""

    name: str
    retries: int | None
    timeout_s: float | None
    backoff_s: float | None
    at_once: int | None
    at_once_everywhere: int | None
    lane: str | None
    inline: bool
    title: str
    title_zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerContext:
    """What a handler may know beyond its inputs: asked for by a parameter named `context`.

    An inline handler runs inside the step, so it gets headers, `now` and settings only.
    """

    #: instance/element/activation: the same in every attempt, so an effect can be done just once
    key: str = ""
    #: number of this attempt, from 1
    attempt: int = 1
    root_id: str = ""
    instance_id: str = ""
    element_id: str = ""
    #: the task headers of the element
    headers: Mapping[str, str] = field(default_factory=dict)
    #: when the attempt began, aware UTC
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    #: the settings of this installation
    settings: Settings = field(default_factory=Settings)


def handler(  # noqa: PLR0913 (options, each by its name)
    name: str,
    *,
    retries: int | None = None,
    timeout_s: float | None = None,
    backoff_s: float | None = None,
    at_once: int | None = None,
    at_once_everywhere: int | None = None,
    lane: str | None = None,
    inline: bool = False,
    title: str = "",
    title_zh: str = "",
) -> Callable[[Function], Function]:
    """Mark a function as the handler of service tasks of type `name`; it stays a plain function.

    Inputs come by parameter name (`from_` for a variable `from`), each with a type hint; it
    returns a dict of outputs or None. It may raise BpmnError (drawn), Retry (try again) or anything
    else (tried again, then an incident). `retries` counts attempts beyond the first, `timeout_s`
    limits one attempt, `backoff_s` is the first wait of the back-off. `at_once` limits the calls
    that one worker process makes at the same time, `at_once_everywhere` those of all together.
    `lane` names an input: calls with an equal value of it are made one after another, in the order
    in which they were asked for. An `inline` one is called inside the step: it computes from its
    inputs, quickly, and has no other effect.
    """
    mark = Mark(
        name=name,
        retries=retries,
        timeout_s=timeout_s,
        backoff_s=backoff_s,
        at_once=at_once,
        at_once_everywhere=at_once_everywhere,
        lane=lane,
        inline=inline,
        title=title,
        title_zh=title_zh,
    )
    _refuse_nonsense(mark)

    def note_down(function: Function) -> Function:
        if mark_of(function) is not None:
            raise HandlerSetupError(f"{function.__qualname__} is marked as a handler twice")
        setattr(function, _ATTRIBUTE, mark)
        return function

    return note_down


def mark_of(function: object) -> Mark | None:
    """Return the mark of a function, None for anything that is not a handler."""
    # not getattr: a proxy or a mock in a handler module answers to every name
    mark = getattr(function, "__dict__", {}).get(_ATTRIBUTE)
    return mark if isinstance(mark, Mark) else None


def _refuse_nonsense(mark: Mark) -> None:
    if not isinstance(mark.name, str) or not mark.name.strip():
        raise HandlerSetupError("@handler needs the name that service tasks call it by")
    if mark.retries is not None and mark.retries < 0:
        raise HandlerSetupError(f"handler {mark.name!r}: retries must not be negative")
    if mark.timeout_s is not None and not mark.timeout_s > 0:
        raise HandlerSetupError(f"handler {mark.name!r}: timeout_s must be positive")
    if mark.backoff_s is not None and not mark.backoff_s >= 0:
        raise HandlerSetupError(f"handler {mark.name!r}: backoff_s must not be negative")
    for name in ("at_once", "at_once_everywhere"):
        limit = getattr(mark, name)
        if limit is not None and not limit >= 1:
            raise HandlerSetupError(f"handler {mark.name!r}: {name} must be at least 1")
    if mark.inline and (mark.lane or mark.at_once or mark.at_once_everywhere):
        raise HandlerSetupError(
            f"handler {mark.name!r} is inline, so it is called within its step: "
            "lane, at_once and at_once_everywhere are for handlers that a worker calls"
        )
