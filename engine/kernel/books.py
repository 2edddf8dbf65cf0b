"""The books of one command: what it asks the runtime to store (rows, history, instances)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model import (
    CalledInstance,
    Closed,
    Event,
    InstanceState,
    NewSubscription,
    NewUserTask,
    NewWork,
    Step,
    Value,
)

if TYPE_CHECKING:
    from engine.kernel.tokens import Scope, Token


class Books:
    """Collects the effects of a command; a wait has at most one row, under its token."""

    def __init__(self) -> None:
        self.out = Step()
        self.works: dict[int, NewWork] = {}
        self.people: dict[int, NewUserTask] = {}
        self.catches: dict[int, NewSubscription] = {}

    # ------------------------------------------------ rows that stand for waits

    def await_work(self, token: Token, work: NewWork) -> None:
        """Let a token wait for a work item (a handler or a moment)."""
        token.waits = "work"
        self.works[token.id] = work

    def await_people(self, token: Token, task: NewUserTask) -> None:
        """Let a token wait for a person."""
        token.waits = "task"
        self.people[token.id] = task

    def await_event(self, token: Token, kind: str, name: str, key: str | None) -> None:
        """Let a token wait for a message or a signal."""
        token.waits = "subscription"
        if kind == "signal":
            token.memo = {**(token.memo or {}), "signal": name}
        self.catches[token.id] = NewSubscription(
            kind, token.workflow.instance_id, token.task_spec.bpmn_id, token.id, name, key
        )

    def unwait(self, token: Token, why: str) -> None:
        """End the wait of a token; a row made in this very step is never written."""
        if token.waits is None:
            return
        made_here = (
            self.works.pop(token.id, None)
            or self.people.pop(token.id, None)
            or self.catches.pop(token.id, None)
        )
        if made_here is None:
            self.out.closed.append(Closed(token.waits, token.id, why))
        token.waits = None

    # ------------------------------------------------ history

    def record(self, kind: str, token: Token, name: str | None = None, value: Value = None) -> None:
        """Note something that happened at a token."""
        self.out.events.append(
            Event(kind, token.workflow.instance_id, token.task_spec.bpmn_id, token.id, name, value)
        )

    def note(
        self,
        instance_id: str,
        kind: str,
        element_id: str | None = None,
        token: int | None = None,
        name: str | None = None,
        value: Value = None,
    ) -> None:
        """Note something that happened to an instance."""
        self.out.events.append(Event(kind, instance_id, element_id, token, name, value))

    def record_instance(self, scope: Scope, kind: str, state: InstanceState | None) -> None:
        """Note the begin or the end of an instance."""
        if state is None:
            if scope.owner is not None:
                parent = scope.owner.workflow.instance_id
                self.out.called.append(
                    CalledInstance(scope.instance_id, parent, scope.owner.id, scope.definition_id)
                )
        else:
            self.out.returned.append((scope.instance_id, state))
        self.note(scope.instance_id, kind)

    def close(self) -> Step:
        """Return all effects of this command."""
        out = self.out
        out.works.extend(self.works.values())
        out.user_tasks.extend(self.people.values())
        out.subscriptions.extend(self.catches.values())
        return out
