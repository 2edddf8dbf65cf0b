"""The other system that chaos cases call, and the handlers that call it, badly.

Loaded by the worker as a file of `--handlers`, and imported by the test, so it knows only `engine`.
The callee is a SQLite file of its own, named by CHAOS_CALLEE: it notes every attempt and keeps one
effect for each idempotency key.
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from engine import BpmnError, HandlerContext, failpoints, handler

FILE = "CHAOS_CALLEE"
#: without it the callee does not fail by chance
SEED = "CHAOS_SEED"
#: what a result may be refused with, drawn as a boundary event
REFUSED = "REFUSED"
#: each so many-th case is refused once, and in each so many-th one `fragile` breaks until mended
REFUSED_EACH, BROKEN_EACH = 7, 20

SCHEMA = """
CREATE TABLE IF NOT EXISTS attempt (
    ticket INTEGER PRIMARY KEY, key TEXT NOT NULL, element_id TEXT NOT NULL,
    attempt INTEGER NOT NULL, round INTEGER NOT NULL, pid INTEGER NOT NULL,
    begun REAL NOT NULL, returned REAL);
CREATE INDEX IF NOT EXISTS attempt_key ON attempt (key);
CREATE TABLE IF NOT EXISTS effect (key TEXT PRIMARY KEY, number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS mended (at REAL NOT NULL);
"""
_MOMENT_S = 0.3
#: how long a `hold` waits for what its test does; seconds
_HOLD_S, _OVERTAKEN_S, _STEP_S = 15.0, 0.8, 0.02


class Trouble(Exception):
    """What the callee raises now and then."""


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[sqlite3.Connection]:
    """Yield the callee's database; every statement is a transaction of its own."""
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        # processes are killed here, not machines: what was written stays
        connection.execute("PRAGMA synchronous=OFF")
        yield connection
    finally:
        connection.close()


def prepare(path: str | os.PathLike[str]) -> None:
    """Make the callee's tables."""
    with opened(path) as callee:
        callee.execute("PRAGMA journal_mode=WAL")
        callee.executescript(SCHEMA)


def mend(path: str | os.PathLike[str]) -> None:
    """Begin the second round: `fragile` works, and nothing goes wrong by chance any more."""
    with opened(path) as callee:
        callee.execute("INSERT INTO mended VALUES (?)", (time.time(),))


def is_locked(path: str | os.PathLike[str]) -> bool:
    """Tell whether nobody else may write to a SQLite file now, and not in a moment either."""
    connection = sqlite3.connect(path, timeout=_MOMENT_S, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return True
    finally:
        connection.close()
    return False


@handler("chaos.step", retries=5, backoff_s=0.05)
def step(number: int, context: HandlerContext) -> dict:  # type: ignore[type-arg]
    """Have an effect; sometimes fail before or after it, dawdle, or kill the worker."""
    with opened(os.environ[FILE]) as callee:
        ticket, round_ = begin(callee, context)
        fate = 1.0
        if round_ == 1 and SEED in os.environ:
            fate = random.Random(f"{os.environ[SEED]}/{context.key}/{ticket}").random()
        if fate < 0.05:
            raise Trouble("before the effect")
        affect(callee, context, number)
        if fate < 0.10:
            raise Trouble("after the effect")
        if fate < 0.11:
            time.sleep(1.5 * context.settings.lease_s)
        elif fate < 0.113:
            os._exit(137)
        finish(callee, ticket)
    result: dict[str, object] = {context.element_id: ticket}
    if context.element_id == "may_refuse" and number % REFUSED_EACH == 0:
        raise BpmnError(REFUSED, "not for this case", result)
    return result


@handler("chaos.fragile", retries=1, backoff_s=0.05)
def fragile(number: int, context: HandlerContext) -> dict:  # type: ignore[type-arg]
    """Fail for some cases as long as nobody has mended it."""
    with opened(os.environ[FILE]) as callee:
        ticket, round_ = begin(callee, context)
        if round_ == 1 and is_broken(number):
            raise Trouble("broken until somebody mends it")
        affect(callee, context, number)
        finish(callee, ticket)
    return {context.element_id: ticket}


@handler("chaos.hold", retries=9, backoff_s=0.05)
def hold(number: int, context: HandlerContext) -> dict:  # type: ignore[type-arg]
    """Return only after another process has begun the same work, whose attempt lasts longer."""
    with opened(os.environ[FILE]) as callee:
        ticket, _ = begin(callee, context)
        affect(callee, context, number)
        first = not _any(callee, "key = ? AND ticket < ?", context.key, ticket)
        if first:
            _wait(callee, "key = ? AND ticket > ?", context.key, ticket)
        else:
            _wait(callee, "key = ? AND ticket < ? AND returned IS NOT NULL", context.key, ticket)
            # the overtaken attempt has returned: its worker settles now, while this one holds on
            time.sleep(_OVERTAKEN_S)
        finish(callee, ticket)
    return {context.element_id: ticket}


def is_broken(number: int) -> bool:
    """Tell whether `fragile` breaks for this case until it is mended."""
    return number % BROKEN_EACH == 3


def begin(callee: sqlite3.Connection, context: HandlerContext) -> tuple[int, int]:
    """Note an attempt; return its ticket and the round it is in."""
    added = callee.execute(
        "INSERT INTO attempt (key, element_id, attempt, pid, begun, round)"
        " SELECT ?, ?, ?, ?, ?, 1 + count(*) FROM mended RETURNING ticket, round",
        (context.key, context.element_id, context.attempt, os.getpid(), time.time()),
    )
    (row,) = added.fetchall()
    _point("begun")
    return int(row[0]), int(row[1])


def affect(callee: sqlite3.Connection, context: HandlerContext, number: int) -> None:
    """Have the effect, once for each key."""
    callee.execute("INSERT OR IGNORE INTO effect VALUES (?, ?)", (context.key, number))
    _point("effected")


def finish(callee: sqlite3.Connection, ticket: int) -> None:
    """Note that an attempt is about to return its result."""
    callee.execute("UPDATE attempt SET returned = ? WHERE ticket = ?", (time.time(), ticket))
    _point("returning")


def _point(place: str) -> None:
    """Pass a fail point inside a handler."""
    if failpoints.ON:
        failpoints.reach(f"handler {place}")


def _any(callee: sqlite3.Connection, condition: str, *values: object) -> bool:
    found = callee.execute(f"SELECT 1 FROM attempt WHERE {condition}", values)
    return found.fetchone() is not None


def _wait(callee: sqlite3.Connection, condition: str, *values: object) -> None:
    end = time.monotonic() + _HOLD_S
    while time.monotonic() < end and not _any(callee, condition, *values):
        time.sleep(_STEP_S)
