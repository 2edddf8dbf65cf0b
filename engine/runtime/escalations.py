"""Tasks that run late: who takes them over, how much longer they may take, who was told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine import kernel
from engine.clock import new_id
from engine.errors import BadInput, Conflict, NotFound
from engine.model import Complete, Event, Instance, UserTask
from engine.runtime import steps
from engine.runtime.base import Base, admitted, found_task, note, page_size, plain_text, verb
from engine.runtime.transaction import Transaction
from engine.store import instances, pressure, tasks, tokens


class Escalations(Base):
    """The verbs of the escalation board; each is an act with who and why."""

    @verb
    def take_over(self, task_id: str, *, by: str, why: str = "") -> UserTask:
        """Take an open task, from whoever has it. Raises NotFound, and Conflict if it is over."""
        plain_text(by, "by")
        plain_text(why, "why")
        with self.transaction() as tx:
            task = _open(tx, task_id)
            if task.assignee == by:
                tx.abandon()
                return task
            events = [_event(task, "task.claimed", by)]
            if task.assignee is not None:
                events.insert(0, _event(task, "task.unclaimed", task.assignee))
            note(tx, task.root_id, events, by)
            if task.assignee is not None:
                tasks.unclaim(tx.connection, task)
            if not tasks.claim(tx.connection, task_id, by, tx.now):
                raise Conflict(f"task {task_id} was taken by somebody else just now")
            _record(tx, task, "take_over", by, why)
            return found_task(tx.connection, task_id)

    @verb
    def postpone(self, task_id: str, until: datetime, *, by: str, why: str) -> UserTask:
        """Give an open task until then; the timers drawn at its border run later by as much.

        Raises NotFound, Conflict if it is over, BadInput for a moment that is past or not later
        than the present one, and for a missing reason.
        """
        plain_text(by, "by")
        if not plain_text(why, "why").strip():
            raise BadInput("why: say for what reason the task may take longer")
        with self.transaction() as tx:
            task = _open(tx, task_id)
            event = _event(task, "task.extended", why, until)
            # locks the case: its timers cannot fire meanwhile
            note(tx, task.root_id, [event], by)
            timers = pressure.timers(tx.connection, task.root_id, _border(tx, task))
            before = task.due_at or (timers[0][1] if timers else tx.now)
            if until <= max(tx.now, before):
                raise BadInput("until: choose a time later than the present one")
            if not pressure.postpone(tx.connection, task_id, until):
                raise Conflict(f"task {task_id} is over")
            tx.due += pressure.shift(tx.connection, timers, until - before)
            _record(tx, task, "extend", by, why)
            return found_task(tx.connection, task_id)

    @verb
    def answer_escalation(
        self, task_id: str, decision: Mapping[str, Any], *, by: str, act: str, why: str
    ) -> Instance:
        """Complete an open task, whoever has it, and write that down as an act with its reason.

        Raises NotFound, BadInput, and Conflict if it is over.
        """
        values = admitted(decision, self.settings.input_limit)
        plain_text(by, "by")
        plain_text(why, "why")
        with self.transaction() as tx:
            found = tasks.lock(tx.connection, task_id)
            if found is None:
                raise NotFound(f"there is no user task {task_id!r}")
            task, case = found
            if not tasks.complete(tx.connection, task, by, tx.now):
                raise Conflict(f"task {task_id} is over: it was {task.state}")
            _record(tx, task, act, by, why)
            done = Event("task.completed", task.instance_id, task.element_id, task.token)
            command = Complete(token=task.token, result=values)
            return steps.advance(tx, case, command, by=by, before=[done]).value()

    @verb
    def notified(self, task_id: str, *, whom: str, by: str, why: str) -> UserTask:
        """Write down that somebody was told about a task. Raises NotFound, Conflict."""
        plain_text(by, "by")
        plain_text(whom, "whom")
        with self.transaction() as tx:
            task = _open(tx, task_id)
            event = _event(task, "task.notified", whom, plain_text(why, "why"))
            note(tx, task.root_id, [event], by)
            _record(tx, task, "notify", by, f"{whom}: {why}"[:1000])
            return task

    def running(self, process_id: str, *, limit: int = 300) -> list[Instance]:
        """Return the running instances of a process, cases and called ones, oldest first."""
        with self.reading() as connection:
            return pressure.running(connection, process_id, page_size(limit))

    def pressing(self, ladder: str, *, until: datetime, limit: int = 300) -> list[UserTask]:
        """Return the open tasks of the process `ladder`, and of all others what is due by then."""
        with self.reading() as connection:
            return pressure.pressing(connection, ladder, until, page_size(limit))


def _open(tx: Transaction, task_id: str) -> UserTask:
    task = found_task(tx.connection, task_id)
    if task.state != "open":
        raise Conflict(f"task {task_id} is over: it was {task.state}")
    return task


def _event(task: UserTask, kind: str, name: str, value: object = None) -> Event:
    return Event(kind, task.instance_id, task.element_id, task.token, name, value)


def _border(tx: Transaction, task: UserTask) -> list[int]:
    """Return the tokens of the boundary events that listen at a task."""
    stored = instances.snapshot_of(tx.connection, task.root_id)
    if stored is None or stored[1] is None:
        return []
    return kernel.listeners_of(stored[1], task.token)


def _record(tx: Transaction, task: UserTask, what: str, by: str, why: str) -> None:
    tokens.record(
        tx.connection, id=new_id(), at=tx.now, by=by, verb=what, subject=task.root_id, why=why
    )  # fmt: skip
