"""Ad hoc sub-processes: activities in no fixed order, until a condition holds (13.3.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import ExecutionFault
from engine.kernel.activities import SubProcess, UserTask
from engine.kernel.conditions import holds, shown
from engine.languages import Expression

if TYPE_CHECKING:
    from engine.kernel.node import Node
    from engine.kernel.tokens import Scope, Token


class AdHocSubProcess(SubProcess):
    """Offers its user tasks at once; the other activities run together or one after the other."""

    type = "adHocSubProcess"
    sequential = False
    cancels_rest = True
    completion: Expression | None = None
    #: gives the ids of the activities that begin, and their order; without it all of them do
    active: Expression | None = None

    def perform(self, token: Token) -> bool | None:
        entries = self._chosen(token)
        scope = self.open_inside(token)
        if self.sequential:
            people = [n for n in entries if isinstance(n, UserTask)]
            queue = [n for n in entries if not isinstance(n, UserTask)]
            scope.remember(queue=[n.name for n in queue[1:]])
            entries = people + queue[:1]
        scope.process.enter_scope(scope, entries)
        return None

    def _chosen(self, token: Token) -> list[Node]:
        """Return what begins inside. Raises ExecutionFault for what cannot begin there."""
        entries = list(self.inner.entries)
        if self.active is None:
            return entries
        ids = token.workflow.process.evaluate(self.active, token)
        if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
            wanted = "a list of ids of the activities that begin"
            raise ExecutionFault(f"{self.active.text!r} is {shown(ids)}, not {wanted}")
        known = {node.bpmn_id: node for node in entries}
        strange = [one for one in ids if one not in known]
        if strange:
            begin = ", ".join(sorted(known))
            raise ExecutionFault(f"no activity {strange[0]!r} can begin here; those are: {begin}")
        return [known[one] for one in dict.fromkeys(ids)]

    def inner_done(self, scope: Scope) -> None:
        """Look at the completion condition after each activity; then end, or select the next."""
        assert scope.owner is not None
        process, owner = scope.process, scope.owner
        process.attempt(owner, lambda: self._inner_done(scope), "finish")

    def _inner_done(self, scope: Scope) -> None:
        process = scope.process
        if self._is_complete(scope):
            scope.remember(queue=[])
            if self.cancels_rest:
                process.clear_scope(scope)
            else:
                self._withdraw_offers(scope)
        elif not self._busy(scope):
            queue = scope.recall("queue") or []
            if queue:
                scope.remember(queue=queue[1:])
                process.spawn(scope, scope.spec.task_specs[queue[0]])
        if scope.live == 0:
            process.end_scope(scope)

    def _withdraw_offers(self, scope: Scope) -> None:
        """Take back what was only offered: nothing more begins, what runs may end (13.3.5)."""
        offered = (t for t in scope.tasks.values() if isinstance(t.task_spec, UserTask))
        for token in [t for t in offered if t.via is None and not t.listens and t.body is None]:
            scope.process.interrupt(token)

    def _busy(self, scope: Scope) -> bool:
        return any(
            not t.listens and not isinstance(t.task_spec, UserTask) for t in scope.tasks.values()
        )

    def _is_complete(self, scope: Scope) -> bool:
        if self.completion is None:
            return False
        now = scope.process.now
        return holds(self.completion, scope.vars.view(), now, "completion condition")

    def finish_again(self, token: Token) -> None:
        if token.inner is not None:  # it was the condition that failed
            self._inner_done(token.inner)
        else:
            super().finish_again(token)
