"""Call activities: another process in the caller's snapshot (BPMN 2.0.2, 10.3.6 and 13.3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import ExecutionFault
from engine.kernel.activities import Activity, is_undone
from engine.kernel.compensation import note_inside
from engine.kernel.scopes import Variables
from engine.languages import Expression
from engine.model import Value

if TYPE_CHECKING:
    from engine.kernel.tokens import Scope, Token

#: calls within calls; a process that calls itself without end stops here
DEEPEST_CALL = 100


@dataclass(frozen=True, slots=True)
class Called:
    """Which process a call activity calls, and what data cross the border."""

    process_id: Expression
    #: latest | deployment | versionTag
    binding: str = "latest"
    version_tag: str | None = None
    #: True with zeebe:calledElement: data as Camunda 8 does; else declared inputs and outputs
    zeebe: bool = False
    all_in: bool = True
    all_out: bool = True


class CallActivity(Activity):
    """Runs another process in the caller's snapshot, as an instance of its own."""

    type = "callActivity"
    called: Called

    def perform(self, token: Token) -> bool | None:
        process, outer = token.workflow.process, token.workflow
        call = self.called
        process_id = process.evaluate(call.process_id, token)
        if not isinstance(process_id, str) or not process_id:
            raise ExecutionFault(f"the called process {call.process_id.text!r} gives no id")
        definition_id = process.world.resolve(
            process_id, call.binding, outer.definition_id, call.version_tag
        )
        definition = process.world.definition(definition_id)
        if not definition.root.entries:
            raise ExecutionFault(f"the called process {process_id} has no none start event")
        if definition.root.bpmn_start_events and len(definition.root.entries) > 1:
            raise ExecutionFault(
                f"the called process {process_id} has several none start events;"
                " a call cannot say which one"
            )
        if outer.calls >= DEEPEST_CALL:
            raise ExecutionFault(f"calls are nested deeper than {DEEPEST_CALL}, by {process_id}")
        scope = self._open_called(token, definition_id, self._given(token, definition.inputs))
        process.enter_scope(scope, definition.root.entries)
        return None

    def _open_called(self, token: Token, definition_id: str, values: dict[str, Value]) -> Scope:
        process = token.workflow.process
        definition = process.world.definition(definition_id)
        variables = Variables(token.id, process.stores_of(definition), values)
        variables.written = set()
        scope = process.open_scope(
            token, definition.root, variables, process.world.new_id(), definition_id
        )
        process.record_instance(scope, "instance.started", None)
        for name, value in values.items():
            process.note(scope.instance_id, "variable.set", None, token.id, name, value)
        return scope

    def open_again(self, token: Token) -> Scope:
        definition_id, values = (token.memo or {})["called"]
        return self._open_called(token, definition_id, dict(values))

    def _given(self, token: Token, declared: Sequence[str] | None) -> dict[str, Value]:
        seen = token.vars.own_view()
        if not self.called.zeebe:
            return {name: seen[name] for name in declared or () if name in seen}
        if self.called.all_in:
            return dict(seen)
        return dict(token.vars.values) if token.vars.owner == token.id else {}

    def scope_ended(self, token: Token, scope: Scope) -> None:
        note_inside(token, scope)
        if is_undone(token):
            self.finish_again(token)
            return
        inside = scope.vars
        if not self.called.zeebe:
            declared = token.workflow.process.world.definition(scope.definition_id).outputs or ()
            names = [n for n in declared if n in inside.values]
        else:
            names = sorted(inside.written or ())
        result: dict[str, Value] = {n: inside.values[n] for n in names}
        if self.outputs:
            self.keep(token, result)
        elif not self.called.zeebe or self.called.all_out:
            token.workflow.process.store(token, result)
        self.finish_again(token)
