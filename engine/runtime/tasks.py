"""User tasks: lists, claim, give back, complete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NoReturn

from engine.errors import Conflict, NotFound
from engine.model import Complete, Event, Instance, UserTask
from engine.runtime import steps
from engine.runtime.base import Base, admitted, found_task, note, page_size, plain_text, verb
from engine.runtime.transaction import Transaction
from engine.store import instances, tasks
from engine.store.connect import Connection


class Tasks(Base):
    """The verbs about user tasks. Who may do what is the caller's matter, see engine/access.py."""

    @verb
    def claim(self, task_id: str, *, by: str) -> UserTask:
        """Take an open task; the same person may claim it twice.

        Raises NotFound, and Conflict, naming who and when, if somebody else has it or it is over.
        """
        plain_text(by, "by")
        with self.transaction() as tx:
            task = found_task(tx.connection, task_id)
            if task.state == "open" and task.assignee == by:
                tx.abandon()
                return task
            _note(tx, task, "task.claimed", by)
            if not tasks.claim(tx.connection, task_id, by, tx.now):
                _refuse(tx, task_id)
            return found_task(tx.connection, task_id)

    @verb
    def unclaim(self, task_id: str, *, by: str) -> UserTask:
        """Give a task back, so that its candidates see it again. Raises NotFound, Conflict."""
        plain_text(by, "by")
        with self.transaction() as tx:
            task = found_task(tx.connection, task_id)
            if task.state == "open" and task.assignee is None:
                tx.abandon()
                return task
            _note(tx, task, "task.unclaimed", by)
            if not tasks.unclaim(tx.connection, task):
                _refuse(tx, task_id)
            return found_task(tx.connection, task_id)

    @verb
    def complete(
        self, task_id: str, variables: Mapping[str, Any] | None = None, *, by: str
    ) -> Instance:
        """End a task with the data of its form; return its case as it stands then.

        Of several who try, one wins. Raises NotFound, BadInput, and Conflict for the others.
        """
        values = admitted(variables, self.settings.input_limit)
        plain_text(by, "by")
        with self.transaction() as tx:
            found = tasks.lock(tx.connection, task_id)
            if found is None:
                raise NotFound(f"there is no user task {task_id!r}")
            task, case = found
            if not tasks.complete(tx.connection, task, by, tx.now):
                _refuse(tx, task_id)
            done = Event("task.completed", task.instance_id, task.element_id, task.token)
            command = Complete(token=task.token, result=values)
            return steps.advance(tx, case, command, by=by, before=[done]).value()

    # -------------------------------------------------------------- reads

    def task(self, task_id: str) -> UserTask:
        """Return a user task, open or over. Raises NotFound."""
        with self.reading() as connection:
            return found_task(connection, task_id)

    def tasks(
        self,
        *,
        user: str | None = None,
        groups: Iterable[str] = (),
        instance_id: str | None = None,
        process_id: str | None = None,
        state: str | None = "open",
        after: str | None = None,
        limit: int = 50,
    ) -> list[UserTask]:
        """Return user tasks, oldest first; `after` is the id of the last one seen.

        With `user` those the person has, and of the open ones those without assignee that the
        person or one of the groups may claim; with `groups` alone only the latter. `state` None
        means all states.
        """
        filters = {
            name: plain_text(value, name)
            for name, value in (("process_id", process_id), ("state", state))
            if value is not None
        }
        names = _candidates(user, groups)
        size = page_size(limit)
        with self.reading() as connection:
            if instance_id is not None and not _in_case(connection, instance_id, filters):
                return []
            if not names:
                return tasks.page(connection, filters, after or "", size)
            return _for_people(connection, user, names, filters, after or "", size)


def _candidates(user: str | None, groups: Iterable[str]) -> list[str]:
    names = [f"group:{group}" for group in dict.fromkeys(groups)]
    if user is not None:
        names += [f"user:{user}", tasks.ANYBODY]
    return names


def _in_case(connection: Connection, instance_id: str, filters: dict[str, str]) -> bool:
    """Add the filters for one instance; False if there is no such instance."""
    found = instances.get(connection, instance_id)
    if found is None:
        return False
    filters["root_id"] = found.root_id
    if found.id != found.root_id:
        filters["instance_id"] = found.id
    return True


def _for_people(
    connection: Connection, user: str | None, names: list[str], filters: Mapping[str, str],
    after: str, limit: int,
) -> list[UserTask]:  # fmt: skip
    """Merge what a person has with what the person may claim, page by page, until it is enough."""
    wanted = {name: value for name, value in filters.items() if name != "state"}
    found: list[UserTask] = []
    while len(found) < limit:
        own = [] if user is None else tasks.page(
            connection, {**filters, "assignee": user}, after, limit
        )  # fmt: skip
        claimable = []
        if filters.get("state", "open") == "open":
            claimable = tasks.claimable(connection, names, after, limit)
        seen = sorted((*own, *claimable), key=lambda task: task.id)[:limit]
        found += [
            task
            for task in seen
            if all(getattr(task, name) == value for name, value in wanted.items())
        ]
        if len(seen) < limit:
            break
        after = seen[-1].id
    return found[:limit]


def _note(tx: Transaction, task: UserTask, kind: str, by: str) -> None:
    """Lock the case of a task and write down what a person does with it."""
    note(tx, task.root_id, [Event(kind, task.instance_id, task.element_id, task.token, by)], by)


def _refuse(tx: Transaction, task_id: str) -> NoReturn:
    """Say who was faster."""
    found = tasks.ended(tx.connection, task_id)
    if found is None:
        raise NotFound(f"there is no user task {task_id!r}")
    if found.state == "open":
        when = _told(found.claimed_at)
        raise Conflict(f"task {task_id} was claimed by {found.assignee} at {when}")
    who = f" by {found.ended_by}" if found.ended_by else ""
    raise Conflict(f"task {task_id} was {found.state}{who} at {_told(found.ended_at)}")


def _told(moment: datetime | None) -> str:
    return "an unknown time" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
