"""Fail points: named places where the process ends, so that a test sees what a crash there leaves.

For the fault tests alone (tests/chaos/points.py). `CASEWAY_FAILPOINT=NAME:COUNT` kills the process,
as `kill -9` does, when it comes to the point NAME for the COUNT-th time; the name `*` means any
point, `watch` only notes them. A name is `VERB:PLACE`, such as `settle:insert work`. The place is
the statement that would be sent next, `begun`, `computed` (the step is known, nothing of it is
written), `written` (all is written, nothing committed), `after commit` (nobody has heard of it),
`after rollback` or `announced`. The variable is read once, when this module is loaded: without it
`ON` is False, no verb is wrapped and no statement is looked at.
"""

from __future__ import annotations

import functools
import os
import re
import signal
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

VARIABLE = "CASEWAY_FAILPOINT"
WATCH = "watch"
#: an engine of this process may come to fail points at all
ON = bool(os.environ.get(VARIABLE))

#: the points that were passed, in their order
passed: list[str] = []
_VERB = re.compile(r"\s*\(*(INSERT|UPDATE|DELETE|SELECT|WITH)\b", re.IGNORECASE)
_TABLE = re.compile(r"\b(?:INTO|FROM|UPDATE)\s+(\w+)", re.IGNORECASE)


class _Here(threading.local):
    #: the verb that this thread is in
    verb = "-"


class _Armed:
    #: where the process ends: the name of a point, and at which passing
    name = ""
    left = 0


_here = _Here()


def arm(spec: str) -> None:
    """Say where this process ends: `NAME:COUNT` or `watch`. Raises ValueError for all else."""
    passed.clear()
    _Armed.name, _Armed.left = "", 0
    if spec != WATCH:
        name, _, count = spec.rpartition(":")
        if not name or not count.isdigit():
            raise ValueError(f"{VARIABLE} is NAME:COUNT or {WATCH}, not {spec!r}")
        _Armed.name, _Armed.left = name, int(count)


def reach(place: str) -> None:
    """Pass a point of the verb that is running, or end here."""
    name = f"{_here.verb}:{place}"
    passed.append(name)
    if _Armed.name in ("*", name):
        _Armed.left -= 1
        if not _Armed.left:
            os.kill(os.getpid(), signal.SIGKILL)


def sent(text: str) -> None:
    """Pass the point before a statement, or after a commit; what `Database.trace` is told."""
    if " " not in text:  # the end of a transaction
        reach(f"after {text.lower()}")
        return
    verb, table = _VERB.match(text), _TABLE.search(text)
    reach(f"{verb[1].lower() if verb else 'other'} {table[1] if table else ''}".strip())


def named(method: Callable[P, R]) -> Callable[P, R]:
    """Note the name of a verb while it runs."""

    @functools.wraps(method)
    def in_verb(*args: P.args, **kwargs: P.kwargs) -> R:
        before, _here.verb = _here.verb, method.__name__
        try:
            return method(*args, **kwargs)
        finally:
            _here.verb = before

    return in_verb


if ON:
    arm(os.environ[VARIABLE])
