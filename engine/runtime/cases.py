"""Cases: start, cancel, erase, and what there is to see of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from engine import dmn, kernel
from engine.clock import new_id
from engine.errors import BadInput, Conflict, NotFound, TooBusy
from engine.model import (
    Cancel,
    Event,
    HistoryRow,
    Instance,
    InstanceState,
    Start,
)
from engine.runtime import steps
from engine.runtime.archive import Archive, Rewritten
from engine.runtime.base import admitted, note, optional_text, page_size, plain_text, verb
from engine.runtime.library import deployed
from engine.runtime.transaction import Transaction
from engine.store import archive, blobs, history, instances, tokens, work
from engine.store.archive import Part
from engine.store.connect import Connection, Duplicate

#: how long the answer "not too busy" holds
_FRESH_S = 1.0
#: how often an erasure begins again because others have rewritten the same file
_TRIES = 5


class Cases(Archive):
    """The verbs about process instances."""

    #: when it was last seen that the due work is not too old
    _calm_at: datetime | None = None

    @verb
    def start(
        self,
        process_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        business_key: str | None = None,
        start_key: str | None = None,
        version: int | None = None,
        start_event: str | None = None,
        by: str | None = None,
    ) -> Instance:
        """Start a case of a process: of its active version, or of the one that is named.

        It begins at the none start event, or at the start event that is named. The same
        `start_key` never starts twice: the case of the first call comes back, with created=False.
        Raises NotFound, BadInput, and TooBusy while old work is waiting.
        """
        values = admitted(variables, self.settings.input_limit)
        optional_text(business_key, "business_key")
        optional_text(start_key, "start_key")
        optional_text(start_event, "start_event")
        optional_text(by, "by")
        given = (process_id, values, business_key, start_key, version, start_event, by)
        try:
            return self._start(*given)
        except Duplicate:
            # another process has started with the same key since this one looked
            return self._start(*given)

    def _start(
        self, process_id: str, values: dict[str, Any], business_key: str | None,
        start_key: str | None, version: int | None, start_event: str | None, by: str | None,
    ) -> Instance:  # fmt: skip
        with self.transaction() as tx:
            if start_key is not None:
                known = instances.by_start_key(tx.connection, start_key)
                if known is not None:
                    tx.abandon()
                    return replace(known, created=False)
            self._refuse_if_busy(tx)
            definition = deployed(tx.connection, plain_text(process_id, "process_id"), version)
            command = Start(
                instance_id=new_id(), definition_id=definition.id, variables=values,
                business_key=business_key, element_id=start_event,
            )  # fmt: skip
            return steps.begin(tx, definition, command, start_key=start_key, by=by).value()

    @verb
    def cancel(self, instance_id: str, *, by: str, why: str = "") -> Instance:
        """End a case with all that is open in it; results that come later change nothing.

        Raises NotFound, and Conflict for one that has ended or runs inside another.
        """
        plain_text(by, "by")
        plain_text(why, "why")
        with self.transaction() as tx:
            case = instances.lock_root_of(tx.connection, instance_id)
            if case is None:
                raise NotFound(f"there is no case {instance_id!r}")
            if case.id != instance_id:
                raise Conflict(f"{instance_id} was called by a case; cancel that: {case.id}")
            if case.state != InstanceState.RUNNING:
                raise Conflict(f"case {case.id} has ended: {case.state} at {case.ended_at}")
            case = steps.advance(tx, case, Cancel(reason=why), by=by)
            _record(tx, "cancel", case.id, by, why)
            return case.value()

    @verb
    def erase(self, instance_id: str, names: list[str], *, by: str, why: str = "") -> int:
        """Remove values of variables from the history of a case; return how many rows lost some.

        The rows stay, marked as erased, so that the numbering keeps no gap. What a running case
        still needs, its present variables, is not touched.
        """
        plain_text(by, "by")
        wanted = frozenset(plain_text(name, "the name of a variable") for name in names)
        for _ in range(_TRIES):
            with self.reading() as connection:
                found = _found(connection, instance_id)
                parts = archive.parts(connection, [found.root_id])
            changed = [self.rewritten(part, _among(found, wanted)) for part in parts]
            rows = self._erase(found, wanted, parts, changed, by, why)
            if rows is not None:
                if parts:
                    self.tidy_archive()
                return rows
            for file in changed:
                if file is not None:
                    self.give_up(file.new, file.month)
        raise Conflict(f"others are changing the archived history of {instance_id}: try again")

    def _erase(
        self, found: Instance, wanted: frozenset[str], parts: Sequence[Part],
        changed: Sequence[Rewritten | None], by: str, why: str,
    ) -> int | None:  # fmt: skip
        """Erase and let the new file count; None if the archived part stands elsewhere by now."""
        with self.transaction() as tx:
            event = Event("history.erased", found.id, None, None, None, sorted(wanted))
            note(tx, found.root_id, [event], by)
            fresh = [file for file in changed if file is not None]
            same = archive.parts(tx.connection, [found.root_id]) == parts
            if not same or not all(_replaced(tx, file) for file in fresh):
                tx.abandon()
                return None
            rows = _all_rows(found, partial(history.page, tx.connection))
            hit = list(_erasable(rows, wanted))
            history.replace(tx.connection, found.root_id, hit)
            stored = instances.snapshot_of(tx.connection, found.root_id)
            present = None if stored is None else stored[1]
            needed = [] if present is None else kernel.large_in(present)
            blobs.drop(tx.connection, found.root_id, needed)
            _record(tx, "erase", found.id, by, why)
            return len(hit) + sum(file.changed for file in fresh)

    # -------------------------------------------------------------- reads

    def case(self, instance_id: str) -> Instance:
        """Return an instance, root or called. Raises NotFound."""
        with self.reading() as connection:
            return _found(connection, instance_id)

    def cases(
        self,
        *,
        state: str | None = None,
        process_id: str | None = None,
        business_key: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> list[Instance]:
        """Return cases (root instances), newest first; `after` is the id of the last one seen."""
        given = {"state": state, "process_id": process_id, "business_key": business_key}
        if state is not None and state not in [known.value for known in InstanceState]:
            raise BadInput(f"state is one of {', '.join(InstanceState)}, not {state!r}")
        filters = {
            name: plain_text(value, name) for name, value in given.items() if value is not None
        }
        with self.reading() as connection:
            return instances.page(connection, filters, after, page_size(limit))

    @verb
    def history(self, instance_id: str, *, after: int = 0, limit: int = 500) -> list[HistoryRow]:
        """Return what has happened behind number `after`; of a called instance its own part."""
        with self.reading() as connection:
            found = _found(connection, instance_id)
            size = page_size(limit)
            return self.past.page(connection, found.root_id, found.id, after, size)

    @verb
    def variables(self, instance_id: str) -> dict[str, Any]:
        """Return the variables of an instance itself, not those of the scopes inside.

        Of an ended instance they are put together from its history.
        """
        with self.reading(one_moment=True) as connection:
            found = _found(connection, instance_id)
            stored = instances.snapshot_of(connection, found.id)
            if stored is not None and stored[1] is not None:
                scopes = kernel.variables_of(stored[1], self.fetch(connection)).get(found.id)
                if scopes:
                    return dict(scopes[0]["variables"])
            return _last_values(found, _all_rows(found, partial(self.past.page, connection)))

    def scopes(self, instance_id: str) -> list[dict[str, Any]]:
        """Return all variable scopes of a running instance, the outermost first."""
        with self.reading(one_moment=True) as connection:
            found = _found(connection, instance_id)
            stored = instances.snapshot_of(connection, found.id)
            if stored is None or stored[1] is None:
                return []
            return kernel.variables_of(stored[1], self.fetch(connection)).get(found.id, [])

    # -------------------------------------------------------------- inside

    def _refuse_if_busy(self, tx: Transaction) -> None:
        """Raise TooBusy while the oldest due work is too old; looked at once a second."""
        calm = self._calm_at
        if calm is not None and 0 <= (tx.now - calm).total_seconds() < _FRESH_S:
            return
        oldest = work.next_due(tx.connection)
        age_s = 0.0 if oldest is None else (tx.now - oldest).total_seconds()
        if age_s > self.settings.max_due_age_s:
            raise TooBusy(f"work has been waiting for {age_s:.0f} s; no new case before it is done")
        self._calm_at = tx.now


def _found(connection: Connection, instance_id: str) -> Instance:
    found = instances.get(connection, instance_id)
    if found is None:
        raise NotFound(f"there is no case {instance_id!r}")
    return found


def _record(tx: Transaction, what: str, subject: str, by: str, why: str) -> None:
    tokens.record(
        tx.connection, id=new_id(), at=tx.now, by=by, verb=what, subject=subject, why=why
    )  # fmt: skip


def _all_rows(
    found: Instance, page: Callable[[str, str, int, int], list[HistoryRow]]
) -> list[HistoryRow]:
    rows: list[HistoryRow] = []
    while True:
        after = rows[-1].seq if rows else 0
        more = page(found.root_id, found.id, after, 1000)
        rows += more
        if len(more) < 1000:
            return rows


def _replaced(tx: Transaction, file: Rewritten) -> bool:
    """Let a file of the archive count instead of the one it was written from."""
    rows = sum(part.rows for part in file.parts)
    if not archive.keep(tx.connection, file.new, file.written, len(file.parts), rows):
        return False
    archive.move(tx.connection, file.new, file.parts)
    return archive.drop(tx.connection, file.old, archive.KEPT)


def _among(
    found: Instance, names: frozenset[str]
) -> Callable[[Sequence[HistoryRow]], Mapping[int, Any]]:
    """Return what picks, of the rows of a case, those of an instance that carry a variable."""

    def pick(rows: Sequence[HistoryRow]) -> Mapping[int, Any]:
        whole = found.id == found.root_id
        own = [row for row in rows if whole or row.instance_id == found.id]
        return dict(_erasable(own, names))

    return pick


def _erasable(rows: Sequence[HistoryRow], names: frozenset[str]) -> list[tuple[int, Any]]:
    """Return number and remaining value of the rows that carry one of the variables."""
    hit: list[tuple[int, Any]] = []
    for row in rows:
        if row.value is None:
            continue
        if row.kind == "variable.set":
            if row.name in names:
                hit.append((row.seq, None))
        elif row.kind == "decision.evaluated":
            # the explanation shows what the decision was given
            if names and dmn.mentions(row.value, names):
                hit.append((row.seq, None))
        elif isinstance(row.value, dict) and names & row.value.keys():
            # the payload of a message or signal
            kept = {name: value for name, value in row.value.items() if name not in names}
            hit.append((row.seq, kept))
    return hit


def _last_values(found: Instance, rows: Sequence[HistoryRow]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    outermost: int | None = None if found.parent_id else 0
    for row in rows:
        if row.kind == "variable.set" and row.instance_id == found.id and row.name is not None:
            # the first variable of a called instance is one of its own scope
            outermost = row.token if outermost is None else outermost
            if row.token == outermost:
                values[row.name] = row.value
    return values
