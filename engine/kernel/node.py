"""The base of every flow node: how a token arrives, runs, leaves, and is cancelled.

It keeps SpiffWorkflow's protocol (Task.run -> TaskSpec._run -> _run_hook; Task.complete ->
_on_complete; Task.cancel -> _on_cancel) and drops its task tree: a finished token is forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from SpiffWorkflow.bpmn.specs.bpmn_task_spec import BpmnTaskSpec

from engine.errors import ExecutionFault
from engine.languages import reasons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.kernel.definition import Flow, ScopeSpec
    from engine.kernel.tokens import Scope, Token
    from engine.kernel.triggers import Trigger
    from engine.model import Value


class Node(BpmnTaskSpec):
    """A flow node of a diagram. Subclasses say what it does in `_run_hook`."""

    #: BPMN tag for people and history
    type = "task"
    #: event nodes run before all others (0), the rest in order of arrival (1)
    rank = 1
    #: the activity that undoes it, drawn by a compensation boundary event
    undo: Node | None = None
    #: what it waits for, if it waits for an event
    trigger: Trigger | None = None

    def __init__(self, scope: ScopeSpec, bpmn_id: str, *, name: str = "", lane: str | None = None):
        super().__init__(scope, bpmn_id, lane=lane)
        self.bpmn_id = bpmn_id
        self.bpmn_name = name or bpmn_id
        self.scope = scope
        self.incoming: list[Flow] = []
        self.outgoing: list[Flow] = []
        #: id of the default flow
        self.default: str | None = None

    # ------------------------------------------------ arriving

    def arrive(self, scope: Scope, flow: Flow) -> None:
        """Take a token from a flow; a joining gateway may keep it there."""
        scope.process.spawn(scope, self, via=flow.id)

    # -------------------------------------- running (called by Task.run and Task.complete)

    def _run_hook(self, token: Token) -> bool | None:
        """Do the work: True when done, None to wait for the outside."""
        return True

    def _on_complete(self, token: Token) -> None:
        flows = self.choose(token)
        process = token.workflow.process
        process.finish(token)
        process.leave(token.workflow, flows)

    def choose(self, token: Token) -> Sequence[Flow]:
        """Return the flows that get a token (BPMN 2.0.2, 8.4.13 and 13.3.1)."""
        if self.default is None and not any(f.condition for f in self.outgoing):
            return self.outgoing
        return self._conditional(token)

    def _conditional(self, token: Token) -> list[Flow]:
        open_flows = [f for f in self.outgoing if f.condition is None and f.id != self.default]
        matching = [f for f in self.outgoing if f.condition is not None and self.holds(token, f)]
        if not matching and self.default is not None:
            matching = [f for f in self.outgoing if f.id == self.default]
        if not matching and not open_flows:
            raise ExecutionFault(
                f"no condition of the flows out of {self.bpmn_id} is true"
                " and there is no default flow"
            )
        taken = {f.id for f in (*open_flows, *matching)}
        return [f for f in self.outgoing if f.id in taken]

    def holds(self, token: Token, flow: Flow) -> bool:
        """Evaluate the condition of a flow; anything but true or false is a fault.

        A flow belongs to the scope around its source: what an activity has for itself alone, such
        as its inputs, is not seen (10.4.1).
        """
        assert flow.condition is not None
        seen, now = token.workflow.vars.view(), token.workflow.process.now
        value = flow.condition.evaluate(seen, now)
        if value is True or value is False:
            return bool(value)
        if value is None:
            why = reasons(flow.condition, seen, now)
            raise ExecutionFault(
                f"the condition {flow.condition.text!r} of flow {flow.id} is null: "
                + (why or "a variable is missing or has another type")
            )
        raise ExecutionFault(f"the condition of flow {flow.id} gives {value!r}, not true or false")

    # ------------------------------------------------ waiting

    def triggered(self, token: Token, payload: dict[str, Value]) -> None:
        """React to the event the token waits for."""
        raise ExecutionFault(f"{self.bpmn_id} waits for no event")

    def finished_outside(self, token: Token, result: dict[str, Value]) -> None:
        """React to a result from outside (a form, a handler)."""
        raise ExecutionFault(f"{self.bpmn_id} waits for no result")

    def part_done(self, token: Token, part: Token) -> None:
        """Go on after one of the tokens whose body this token is."""
        raise NotImplementedError(self.type)

    def prepare_part(self, token: Token, part: Token) -> None:
        """Take what a part gives while an incident can still stop it."""

    # ------------------------------------------------ cancelling (called by Task.cancel)

    def _on_cancel(self, token: Token) -> None:
        token.workflow.process.withdraw(token)


def wait_at(node: Node, scope: Scope, flow: Flow) -> dict[str, int]:
    """Put a token down at a joining gateway; return all that waits there, by flow."""
    waiting = scope.arrivals.setdefault(node.name, {})
    if scope.spec.joins:
        scope.process.joining.add(scope)
    waiting[flow.id] = waiting.get(flow.id, 0) + 1
    scope.live += 1
    return waiting
