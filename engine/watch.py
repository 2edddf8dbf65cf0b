"""What this process has done, counted in memory: verbs, statements, steps, handlers, requests.

Nothing here talks to anybody: web/metrics.py shows it. Counting costs a dictionary entry under a
lock, so it is always on.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

#: upper ends of the classes of times; seconds
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Something that is counted or timed: how it is called outside, and what it means."""

    #: name without the prefix `caseway_` and without the suffix of its type
    name: str
    help: str
    labels: tuple[str, ...] = ()


COUNTERS = (
    Kind(name="verbs", help="Verbs of the engine that were called", labels=("verb", "outcome")),
    Kind(name="sql_statements", help="SQL statements, by the verb that sent them",
         labels=("verb",)),
    Kind(name="history_events", help="Events of cases that were committed: instance.started, ...",
         labels=("kind",)),
    Kind(name="work_claimed", help="Work items claimed", labels=("topic",)),
    Kind(name="work_failed", help="Attempts that failed; next: retry or incident",
         labels=("topic", "next")),
    Kind(name="http_requests", help="HTTP requests answered",
         labels=("method", "route", "status")),
)  # fmt: skip
TIMES = (
    Kind(name="verb_seconds", help="Time of a verb of the engine, commit included",
         labels=("verb",)),
    Kind(name="step_seconds", help="Time of a step of the kernel, without the database"),
    Kind(name="handler_seconds", help="Time of a call of a handler", labels=("topic",)),
    Kind(name="http_request_seconds", help="Time of an HTTP request", labels=("method", "route")),
)  # fmt: skip

#: name and values of the labels
Key = tuple[str, tuple[str, ...]]


@dataclass(slots=True)
class Times:
    """A histogram: how many took up to each bound, and all together."""

    #: one more than bounds: the last is for what took longer
    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    sum_s: float = 0.0

    def add(self, took_s: float) -> None:
        """Take one time in."""
        self.counts[bisect_left(BOUNDS, took_s)] += 1
        self.sum_s += took_s


class _Sent(threading.local):
    """How many statements this thread has sent to the database, ever."""

    statements = 0


#: counted up by the one place where statements go out
sent = _Sent()
_lock = threading.Lock()
_counts: dict[Key, int] = {}
_times: dict[Key, Times] = {}


def count(name: str, *labels: str, by: int = 1) -> None:
    """Count something of COUNTERS."""
    key = name, labels
    with _lock:
        _counts[key] = _counts.get(key, 0) + by


def observe(name: str, took_s: float, *labels: str) -> None:
    """Take in how long something of TIMES took."""
    with _lock:
        _timed((name, labels)).add(took_s)


def _timed(key: Key) -> Times:
    found = _times.get(key)
    if found is None:
        found = _times[key] = Times()
    return found


def count_all(name: str, kinds: Iterable[str]) -> None:
    """Count something of COUNTERS once for each value of its only label."""
    with _lock:
        for kind in kinds:
            key = name, (kind,)
            _counts[key] = _counts.get(key, 0) + 1


def verb(name: str, outcome: str, took_s: float, statements: int) -> None:
    """Take in how a verb went: COUNTERS and TIMES of verbs, in one go."""
    label = (name,)
    went, sent_by, took = (
        ("verbs", (name, outcome)),
        ("sql_statements", label),
        ("verb_seconds", label),
    )
    with _lock:
        _counts[went] = _counts.get(went, 0) + 1
        _counts[sent_by] = _counts.get(sent_by, 0) + statements
        _timed(took).add(took_s)


class timing:  # noqa: N801 (reads as a function)
    """Time what happens inside, whether it succeeds or not."""

    __slots__ = ("_began", "_labels", "_name")

    _began: float

    def __init__(self, name: str, *labels: str) -> None:
        self._name = name
        self._labels = labels

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *raised: object) -> None:
        observe(self._name, time.perf_counter() - self._began, *self._labels)


def told() -> tuple[Mapping[Key, int], Mapping[Key, Times]]:
    """Return copies of all counts and times of this process."""
    with _lock:
        times = {key: Times(list(one.counts), one.sum_s) for key, one in _times.items()}
        return dict(_counts), times
