"""Engines that are wrong on purpose: the fault tests are worth something because they notice.

`CASEWAY_MUTANT` names one; it is read when this module is loaded, which changes the engine of this
process. `ignore_fence` and `no_sweep` are built into the engine, since they must also run in real
processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine import failpoints
from engine.model import Work
from engine.runtime import delivery, internal
from engine.runtime.transaction import Transaction
from engine.store import work
from engine.store.connect import Connection
from engine.store.statement import Statement
from engine.store.tables import work as table


class _Equal(int):
    """A fence that is equal to any other."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def _ignore_fence_in_batches() -> None:
    """Take results in batches without a look at the fence."""
    looked = work.fences

    def fences(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
        return {work_id: _Equal(fence) for work_id, fence in looked(connection, ids).items()}

    work.fences = fences


def _second_transaction() -> None:
    """Store the next work of a case in a transaction after that of the step."""
    flush = Transaction.flush

    def flush_twice(self: Transaction) -> None:
        later, self.pending.works = self.pending.works, []
        flush(self)
        if later:
            self.connection.commit()
            if failpoints.ON:
                failpoints.reach("between")
            self.connection.begin(write=True)
            work.insert(self.connection, later)

    Transaction.flush = flush_twice  # type: ignore[method-assign]


def _attempts_on_exception() -> None:
    """Count an attempt when it has failed, not when it begins."""
    claimed = Statement[Any](
        sa.update(table)
        .where(table.c.tenant == sa.bindparam("tenant"), table.c.id == sa.bindparam("b_id"))
        .values(owner=sa.bindparam("owner"), free_at=sa.bindparam("until"),
                fence=table.c.fence + 1)
    )  # fmt: skip
    counted = Statement[Any](
        sa.update(table)
        .where(table.c.tenant == sa.bindparam("tenant"), table.c.id == sa.bindparam("b_id"))
        .values(attempt=table.c.attempt + 1)
    )
    later = work.later

    def take(connection: Connection, ids: Sequence[str], owner: str, until: datetime) -> None:
        for work_id in ids:
            connection.run(claimed, b_id=work_id, owner=owner, until=until)

    def fail(connection: Connection, work_id: str, fence: int, free_at: datetime) -> bool:
        connection.run(counted, b_id=work_id)
        return later(connection, work_id, fence, free_at)

    work.take, work.later = take, fail


def _message_without_key() -> None:
    """Forget the id that the sender of a message gave."""
    made = delivery.new_message

    def nameless(*given: Any, **more: Any) -> Any:
        return made(*given, **{**more, "message_id": None})

    delivery.new_message = nameless


def _timer_without_claim() -> None:
    """Let a timer fire for whoever believes that it is due, without a look at its row."""
    done, run = work.done, internal.run

    def believed(connection: Connection, work_id: str, fence: int | None) -> work.Gone:
        found = done(connection, work_id, None)
        nothing: dict[str, Any] = dict.fromkeys(work.Gone._fields)
        return found or work.Gone(**nothing)

    def fire(tx: Transaction, item: Work) -> bool:
        work.done = believed if item.kind == "timer" else done
        try:
            return run(tx, item)
        finally:
            work.done = done

    internal.run = fire


#: name -> what makes this process one
MUTANTS: dict[str, Callable[[], None]] = {
    "ignore_fence": lambda: None,
    "no_sweep": lambda: None,
    "ignore_fence_in_batches": _ignore_fence_in_batches,
    "second_transaction": _second_transaction,
    "attempts_on_exception": _attempts_on_exception,
    "message_without_key": _message_without_key,
    "timer_without_claim": _timer_without_claim,
}
#: which one this process is; None for the real engine
NAME = os.environ.get("CASEWAY_MUTANT") or None

if NAME is not None:
    MUTANTS[NAME]()
