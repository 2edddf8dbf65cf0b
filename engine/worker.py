"""The life of one work item: call the handler outside any transaction, then book what came of it.

Three kinds of failure are kept apart here (D9), and only here every exception is met. Called by
`dispatch`, and by whoever runs the due work in its own thread: tests, adapters, dry runs.
"""

from __future__ import annotations

import logging
import random
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from engine import codec, trail, watch
from engine.clock import Clock, VirtualClock
from engine.errors import BpmnError, EngineError, OutputTooLarge, Retry, Unavailable
from engine.model import Variables, Work
from engine.registry import HandlerContext, HandlerEntry, Registry

log = logging.getLogger("caseway.worker")

#: the kinds that the engine does itself, without a handler
INTERNAL = ("timer", "continue", "deliver", "start")
#: a trace longer than this keeps its end, where the error is
_TRACE_LIMIT = 16_000

#: a handler may ask for a later attempt within a year; seconds
_LONGEST_WAIT_S = 366 * 86400.0

#: returns 0..1; a fixed one makes the back-off predictable
Jitter = Callable[[], float]


class WorkEngine(Protocol):
    """What a worker needs of `runtime.Engine`; False always means: stale, nothing was changed."""

    @property
    def clock(self) -> Clock: ...
    def claim_work(
        self,
        *,
        owner: str,
        limit: int,
        kinds: Sequence[str] | None = None,
        topics: Sequence[str] | None = None,
        room: Mapping[str, int] | None = None,
        lease_s: float,
    ) -> list[Work]: ...
    def settle(self, work: Work, result: Variables, /) -> bool: ...
    def settle_many(self, settled: Sequence[tuple[Work, Variables]], /) -> Any: ...
    def throw(self, work: Work, error: BpmnError, /) -> bool: ...
    def fail(self, work: Work, error: str, trace: str, /, *, retry_at: datetime | None) -> bool: ...
    def run(self, work: Work, /) -> bool: ...
    def extend(self, work: Work, lease_s: float, /) -> bool: ...
    def release(self, works: Sequence[Work], /) -> Any: ...
    def disown(self, owner: str, held: Sequence[str], /) -> Any: ...
    def next_due(self) -> datetime | None: ...
    def reap(self) -> Any: ...
    def keep_months(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Done:
    """The handler returned."""

    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Thrown:
    """The handler raised a drawn error."""

    error: BpmnError


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed: it is repeated later, or becomes an incident."""

    error: str
    trace: str = ""
    #: wait before the next attempt in seconds; None: the back-off
    wait_s: float | None = None
    #: False where another attempt would only do more harm
    repeat: bool = True


Outcome = Done | Thrown | Failed


def execute(
    engine: WorkEngine, work: Work, registry: Registry, *, jitter: Jitter = random.random
) -> bool:
    """Do one claimed work item and book what came of it; False if it was taken away meanwhile."""
    if work.kind in INTERNAL:
        return run_internal(engine, work, registry, jitter=jitter)
    outcome = attempt(work, registry, engine.clock.now())
    return conclude(engine, work, outcome, registry, jitter=jitter)


def attempt(work: Work, registry: Registry, now: datetime) -> Outcome:
    """Call the handler of a work item; whatever it raises becomes one of three outcomes."""
    with trail.of(work):
        return _attempt(work, registry, now)


def _attempt(work: Work, registry: Registry, now: datetime) -> Outcome:
    entry = registry.get(work.topic)
    if entry is None:
        return Failed(f"no handler is named {work.topic!r} (element {work.element_id!r})")
    if work.attempt > 1 + _retries(work, entry, registry):
        # attempts are counted at the claim: this one would be too many, so none of them came back
        return Failed("the worker process ended during each attempt", repeat=False)
    context = HandlerContext(
        key=work.key,
        attempt=work.attempt,
        root_id=work.root_id,
        instance_id=work.instance_id,
        element_id=work.element_id,
        headers=trail.opened(work.headers),
        now=now,
        settings=registry.settings,
    )
    try:
        about = trail.span(f"handler {work.topic}", work.root_id)
        with about, watch.timing("handler_seconds", work.topic):
            return Done(entry.call(work.inputs, context))
    except BpmnError as error:
        return _thrown(error, entry)
    except OutputTooLarge as error:
        # the next attempt would return as much
        return Failed(str(error), repeat=False)
    except Retry as wish:
        return Failed(str(wish), wait_s=_asked_s(wish))
    except (Exception, SystemExit) as error:  # sys.exit() in a handler must not end the thread
        return failure(error)


def conclude(
    engine: WorkEngine,
    work: Work,
    outcome: Outcome,
    registry: Registry,
    *,
    jitter: Jitter = random.random,
    waits_s: Sequence[float] = (),
) -> bool:
    """Book an outcome in one transaction; False if the work was taken away meanwhile.

    If the database is away it is tried again after each of `waits_s`, since the handler's effects
    are done and only its result could be lost. What the step itself refuses counts as a failed
    attempt. Raises if even that cannot be stored: the lease then ends, and another attempt comes.
    """
    for wait_s in waits_s:
        try:
            return _book(engine, work, outcome, registry, jitter)
        except EngineError as error:
            return _book(engine, work, failure(error), registry, jitter)
        except Exception:
            log.warning("work %s cannot be booked, again in %s s", work.key, wait_s, exc_info=True)
            time.sleep(wait_s)
    try:
        return _book(engine, work, outcome, registry, jitter)
    except Exception as error:
        if isinstance(outcome, Failed):
            raise
        return _book(engine, work, failure(error), registry, jitter)


def conclude_many(
    engine: WorkEngine,
    done: Sequence[tuple[Work, Done]],
    registry: Registry,
    *,
    jitter: Jitter = random.random,
    waits_s: Sequence[float] = (),
) -> None:
    """Book several results in one transaction; if that fails, one by one, so that one is blamed.

    If the database is away all of them wait together, once: one after the other their leases could
    end meanwhile. Raises Unavailable if it stays away.
    """
    if len(done) == 1:
        conclude(engine, *done[0], registry, jitter=jitter, waits_s=waits_s)
    elif done and not _booked_together(engine, done, waits_s):
        for work, outcome in done:
            conclude(engine, work, outcome, registry, jitter=jitter, waits_s=waits_s)


def _booked_together(
    engine: WorkEngine, done: Sequence[tuple[Work, Done]], waits_s: Sequence[float]
) -> bool:
    """Book several results; False if one of them does not let the others be booked."""
    results = [(work, outcome.result) for work, outcome in done]
    left = list(waits_s)
    while True:
        try:
            engine.settle_many(results)
        except Unavailable as error:
            if not left:
                raise
            wait_s = left.pop(0)
            log.warning("%d results wait %s s for the database: %s", len(done), wait_s, error)
            time.sleep(wait_s)
        except Exception:
            log.warning("%d results could not be booked together", len(done), exc_info=True)
            return False
        else:
            return True


def run_internal(
    engine: WorkEngine, work: Work, registry: Registry, *, jitter: Jitter = random.random
) -> bool:
    """Let the engine do a work item of its own; a fault is retried, then becomes an incident."""
    try:
        with trail.of(work):
            return engine.run(work)
    except Unavailable:
        raise  # the database's fault, not this item's: the lease ends and it is claimed again
    except Exception as error:
        return _book(engine, work, failure(error), registry, jitter)


def guarded(act: Callable[[], bool], what: str) -> bool:
    """Do one round of a loop that must not end; an exception (database away) is logged, False."""
    try:
        return act()
    except Unavailable as error:
        log.error("%s failed and is tried again: %s", what, error)
        return False
    except Exception:
        log.exception("%s failed and is tried again", what)
        return False


def drain(
    engine: WorkEngine,
    until: datetime | None = None,
    *,
    registry: Registry,
    limit: int | None = None,
    batch: int = 1,
) -> int:
    """Do all due work in this thread in the order of due times; return how many items ran.

    With `until`, a virtual clock is moved to each due time up to it, and to it in the end; without,
    or with another clock, what is due now is done. `limit` ends an endless cycle after so many
    items. `batch` results of handlers are booked in one transaction.
    """
    clock = engine.clock
    ran = 0
    while limit is None or ran < limit:
        due = engine.next_due()
        if due is None or due > _horizon(clock, until):
            break
        if isinstance(clock, VirtualClock):
            clock.move_to(due)
        room = batch if limit is None else min(batch, limit - ran)
        works = engine.claim_work(owner="drain", limit=room, lease_s=registry.settings.lease_s)
        if not works and engine.next_due() == due:
            break  # another worker was faster; else the claim made an incident of what it found
        _do_all(engine, works, registry)
        ran += len(works)
    if until is not None and isinstance(clock, VirtualClock) and (limit is None or ran < limit):
        clock.move_to(until)
    return ran


def failure(error: BaseException) -> Failed:
    """Return the failed attempt that an exception means."""
    text = traceback.format_exception_only(error)[-1].strip()
    if isinstance(error, EngineError):
        text = str(error)  # written for people already
    trace = "".join(traceback.format_exception(error))
    return Failed(text, trace[-_TRACE_LIMIT:])


# ------------------------------------------------------------------ inside


def _book(
    engine: WorkEngine, work: Work, outcome: Outcome, registry: Registry, jitter: Jitter
) -> bool:
    with trail.of(work):
        return _booked(engine, work, outcome, registry, jitter)


def _booked(
    engine: WorkEngine, work: Work, outcome: Outcome, registry: Registry, jitter: Jitter
) -> bool:
    if isinstance(outcome, Done):
        return engine.settle(work, outcome.result)
    if isinstance(outcome, Thrown):
        return engine.throw(work, outcome.error)
    entry = registry.get(work.topic)
    retry_at = None
    if outcome.repeat and work.attempt <= _retries(work, entry, registry):
        wait_s = outcome.wait_s
        if wait_s is None:
            wait_s = backoff_s(work.attempt, entry, registry, jitter)
        retry_at = engine.clock.now() + timedelta(seconds=wait_s)
    _tell(work, outcome, retry_at)
    return engine.fail(work, outcome.error, outcome.trace, retry_at=retry_at)


def _tell(work: Work, outcome: Failed, retry_at: datetime | None) -> None:
    what = work.topic or work.kind
    if retry_at is None:
        log.error("incident: %s failed at %s: %s", what, work.key, outcome.error)
    else:
        # a wish for a later attempt is no error: only what left a trace is worth a warning
        level = logging.WARNING if outcome.trace else logging.INFO
        log.log(level, "%s failed at %s, again %s: %s", what, work.key, retry_at, outcome.error)


def _retries(work: Work, entry: HandlerEntry | None, registry: Registry) -> int:
    """Return the attempts beyond the first: the diagram's word, the handler's, the settings'."""
    if work.retries is not None:
        return work.retries
    return entry.retries if entry is not None else registry.settings.retries


def backoff_s(
    attempts: int, entry: HandlerEntry | None, registry: Registry, jitter: Jitter
) -> float:
    """Return the wait after so many attempts: doubled each time, capped, and half of it chance.

    The chance keeps a thousand cases that failed together from coming back together.
    """
    base_s = entry.backoff_s if entry is not None else registry.settings.backoff_base_s
    # the exponent is limited before the cap is: 2.0 ** 2000 is no float
    full_s = min(registry.settings.backoff_cap_s, base_s * 2.0 ** min(attempts - 1, 60))
    return full_s * (0.5 + 0.5 * jitter())


def _asked_s(wish: Retry) -> float | None:
    """Return the wait a handler asked for; None where it is none, so that the back-off counts."""
    asked = wish.after_s
    if not isinstance(asked, int | float) or not asked > 0:
        return None
    return min(float(asked), _LONGEST_WAIT_S)


def _thrown(error: BpmnError, entry: HandlerEntry) -> Outcome:
    try:
        variables: Any = codec.admit(dict(error.variables), max_bytes=entry.result_limit)
    except (EngineError, TypeError, ValueError) as unfit:
        return Failed(f"variables of BpmnError {error.code!r}: {unfit}")
    return Thrown(BpmnError(str(error.code), str(error.message), variables))


def _horizon(clock: Clock, until: datetime | None) -> datetime:
    now = clock.now()
    return until if until is not None and isinstance(clock, VirtualClock) else now


def _do_all(engine: WorkEngine, works: Sequence[Work], registry: Registry) -> None:
    """Do claimed work in its order, without chance; results of neighbours are booked together."""
    done: list[tuple[Work, Done]] = []
    for work in works:
        outcome = None
        if work.kind not in INTERNAL:
            outcome = attempt(work, registry, engine.clock.now())
        if isinstance(outcome, Done):
            done.append((work, outcome))
            continue
        conclude_many(engine, done, registry, jitter=_full)
        done.clear()
        if outcome is None:
            run_internal(engine, work, registry, jitter=_full)
        else:
            conclude(engine, work, outcome, registry, jitter=_full)
    conclude_many(engine, done, registry, jitter=_full)


def _full() -> float:
    return 1.0
