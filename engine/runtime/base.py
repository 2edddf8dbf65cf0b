"""What all verbs share: settings, clock, database, and the one way to a transaction.

`Base.transaction` is the only place that commits. `verb` repeats a verb once if the database went
away before anything was stored.
"""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from engine import codec, failpoints, kernel, watch
from engine.clock import Clock, SystemClock
from engine.errors import BadInput, EngineError, NotFound
from engine.languages import Languages
from engine.runtime.library import Library
from engine.runtime.past import Past
from engine.runtime.transaction import Transaction
from engine.runtime.world import Limits
from engine.store import blobs, instances, migrate, tasks
from engine.store.connect import Connection, Database, Disconnected

if TYPE_CHECKING:
    from engine.model import Event, UserTask
    from engine.registry import Registry
    from engine.settings import Settings
    from engine.store.instances import Numbers

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Base")
#: told after a commit when there is work: the moment, or None for now
Announce = Callable[[datetime | None], None]
#: told within the transaction of work that is due now or soon: (kind, topic) -> new id, how many
Herald = Callable[[Connection, Mapping[tuple[str, str], tuple[str, int]]], None]
#: longest text that names or explains something
_LONGEST = 1000


def verb(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Run a verb again, once, if its connection was lost or lost a deadlock before the commit."""
    name = method.__name__
    if failpoints.ON:
        method = failpoints.named(method)

    @functools.wraps(method)
    def with_second_try(self: S, *args: P.args, **kwargs: P.kwargs) -> R:
        outcome, before, began = "failed", watch.sent.statements, time.perf_counter()
        try:
            try:
                found = method(self, *args, **kwargs)
            except Disconnected:
                found = method(self, *args, **kwargs)
            outcome = "ok"
            return found
        except EngineError:
            outcome = "refused"
            raise
        finally:
            # what a verb inside this one took and sent counts for both
            took_s = time.perf_counter() - began
            watch.verb(name, outcome, took_s, watch.sent.statements - before)

    return cast("Callable[Concatenate[S, P], R]", with_second_try)


class Base:
    """The surroundings of every verb."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        registry: Registry | None = None,
        languages: Languages | None = None,
        url: str | None = None,
        announce: Announce | None = None,
    ) -> None:
        self.settings = settings
        #: the time of every verb
        self.clock: Clock = clock or SystemClock()
        #: the handlers; without them every service task waits for a worker
        self.registry = registry
        self.languages = languages or _languages(settings)
        #: told after a commit; may be set later by whoever dispatches
        self.announce = announce
        #: told before the commit; set by whoever announces work to other machines
        self.herald: Herald | None = None
        self.database = Database(url or settings.url, settings.tenant)
        if failpoints.ON:
            self.database.trace = failpoints.sent
        self.library = Library(self.languages)
        #: histories, wherever they stand
        self.past = Past(settings.archive_dir)
        self.limits = Limits(
            settings.activations_per_piece, settings.pieces_per_run, settings.large_value_limit
        )
        #: large values that were used lately
        self.memory = blobs.Memory()

    def migrate(self) -> None:
        """Bring the schema up to date. Raises SchemaTooNew if a newer Caseway has changed it."""
        written = migrate.migrate(self.database, kernel.FORMAT)
        if written < kernel.REFERENCES_FROM:
            # a node that is still to be upgraded reads what is written here
            self.limits = dataclasses.replace(self.limits, large_value=0)
        if self.settings.dispatcher == "cluster":
            migrate.make_hints(self.database)

    def close(self) -> None:
        """Close the idle connections."""
        self.database.close()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Yield the one transaction of a verb: all of it is stored at the end, or nothing.

        After the commit the dispatcher hears of new work. An abandoned one is rolled back.
        """
        with self.database.writing() as connection:
            tx = Transaction(self, connection)
            if failpoints.ON:
                failpoints.reach("begun")
            yield tx
            if tx.abandoned:
                return
            if failpoints.ON:
                failpoints.reach("computed")
            tx.flush()
            if tx.fresh and self.herald is not None:
                self.herald(connection, tx.fresh)
            if failpoints.ON:
                failpoints.reach("written")
            connection.commit()
        if tx.happened:
            watch.count_all("history_events", tx.happened)
        if tx.due and self.announce is not None:
            earliest = min(tx.due)
            self.announce(None if earliest <= tx.now else earliest)
        if failpoints.ON:
            failpoints.reach("announced")

    def fetch(self, connection: Connection) -> kernel.Fetch:
        """Return how to read the large values that a snapshot refers to."""
        return functools.partial(blobs.read, connection, self.memory)

    def reading(
        self, *, queries: int = 2, one_moment: bool = False
    ) -> AbstractContextManager[Connection]:
        """Yield a connection for queries; it waits for no writer. A single one costs less.

        `one_moment` is for who reads a snapshot and the large values that it refers to.
        """
        return self.database.reading(queries=queries, one_moment=one_moment)


def note(
    tx: Transaction, root_id: str, events: Sequence[Event], by: str | None, *, owns: int = 0
) -> Numbers | None:
    """Lock a case and write down what no step of the kernel has done; None if there is none."""
    numbers = instances.number(tx.connection, root_id, len(events), owns)
    if numbers is not None:
        tx.history.add(root_id, numbers.before, by, events)
    return numbers


def found_task(connection: Connection, task_id: str) -> UserTask:
    """Return a user task. Raises NotFound."""
    task = tasks.get(connection, task_id)
    if task is None:
        raise NotFound(f"there is no user task {task_id!r}")
    return task


def plain_text(value: Any, what: str, *, longest: int = _LONGEST) -> str:
    """Return a text from outside that may be stored. Raises BadInput."""
    if not isinstance(value, str):
        raise BadInput(f"{what} is a text, not {type(value).__name__}")
    if len(value) > longest:
        raise BadInput(f"{what} has {len(value)} characters, at most {longest} are allowed")
    if "\0" in value or (not value.isprintable() and any(0xD800 <= ord(c) < 0xE000 for c in value)):
        raise BadInput(f"{what} contains a character that no text may contain")
    return value


def admitted(given: Mapping[str, Any] | None, limit: int) -> dict[str, Any]:
    """Return variables from outside, checked and in the types of the engine. Raises BadInput."""
    if given is not None and not isinstance(given, Mapping):
        raise BadInput(f"variables are an object of names and values, not {type(given).__name__}")
    checked = codec.admit(dict(given or {}), max_bytes=limit)
    assert isinstance(checked, dict)
    return checked


def optional_text(value: Any, what: str) -> str | None:
    """Return a text from outside, or None. Raises BadInput."""
    return None if value is None else plain_text(value, what)


def page_size(limit: int) -> int:
    """Return a page size that a database likes. Raises BadInput for nonsense."""
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise BadInput(f"limit is a whole number from 1, not {limit!r}")
    return min(limit, 1000)


def _languages(settings: Settings) -> Languages:
    from engine import languages

    more = {"python": languages.Python()} if settings.python_scripts else {}
    return Languages(settings.default_language, **more)
