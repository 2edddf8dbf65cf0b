"""The business rule task that calls a decision (BPMN 2.0.2, 10.3.3; zeebe:calledDecision)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import ExecutionFault
from engine.kernel.activities import ServiceTask
from engine.languages import Expression

if TYPE_CHECKING:
    from engine.kernel.tokens import Token


@dataclass(frozen=True, slots=True)
class CalledDecision:
    """Which decision is called, and which variable takes its value."""

    decision_id: Expression
    #: name of the variable
    result: str
    #: latest | deployment | versionTag
    binding: str = "latest"
    version_tag: str | None = None


class BusinessRuleTask(ServiceTask):
    """Makes a decision at once; without one it calls a handler, as a service task does."""

    type = "businessRuleTask"
    decision: CalledDecision | None = None

    def perform(self, token: Token) -> bool | None:
        if self.decision is None:
            return super().perform(token)
        process, call = token.workflow.process, self.decision
        decision_id = process.evaluate(call.decision_id, token)
        if not isinstance(decision_id, str) or not decision_id:
            raise ExecutionFault(f"the called decision {call.decision_id.text!r} gives no id")
        value, explanation = process.world.decide(
            decision_id,
            call.binding,
            token.workflow.definition_id,
            call.version_tag,
            token.vars.view(),
        )
        process.record("decision.evaluated", token, decision_id, explanation)
        self.keep(token, {call.result: value})
        self.give_outputs(token)
        return True
