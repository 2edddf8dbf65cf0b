"""One instance in memory: tokens, scopes and the scheduler. Lives for one command only.

SpiffWorkflow's Task, BpmnSubWorkflow and BpmnWorkflow carry the state; its tree walks, predictions
and data copies are replaced by an index of tokens, a ready heap and variable scopes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from SpiffWorkflow.bpmn.workflow import BpmnWorkflow

from engine.errors import BpmnError, ExecutionFault
from engine.kernel.large import LargeValues
from engine.kernel.scopes import STORES, Variables
from engine.kernel.throws import Throws
from engine.kernel.tokens import COMPLETED, READY, WAITING, Scope, Token, World
from engine.kernel.triggers import ConditionTrigger
from engine.languages import Expression, same, storable
from engine.model import InstanceState, NewIncident, NewWork, Step, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.kernel.definition import Definition, Flow, ScopeSpec
    from engine.kernel.node import Node
    from engine.kernel.parked import Parked


#: types that need no closer look before they are stored
PLAIN = frozenset((int, str, bool, type(None), Decimal))


class Process(Throws, BpmnWorkflow):
    """The whole instance with all that it calls, and the scheduler."""

    subprocesses: dict[int, Scope]

    def __init__(self, world: World, now: datetime, definition: Definition) -> None:
        self.known: dict[int, Token] = {}
        #: tokens that wait and that nobody has asked for since the snapshot was read
        self.parked: Parked | None = None
        # of the stock constructor only what is used: it makes events, queues and an event manager
        self.spec = definition.root
        self.tasks: dict[int, Token] = {}
        self.subprocesses = {}
        self.last_task = None
        self.completed = False
        Throws.__init__(self)
        self.world = world
        self.now = now
        self.next_number = 1
        self.pieces = 0
        #: values that stand beside the snapshot
        self.large = LargeValues(world.limits.large_value)
        self.paused = False
        #: tokens that wait for a condition, and whether it is time to look at them
        self.watchers: dict[int, Token] = {}
        self._changed = False
        #: scopes in which tokens wait at a joining gateway
        self.joining: set[Scope] = set()
        self._stores: Variables | None = None
        #: scopes in which no token flows any more
        self._endings: list[Scope] = []
        self._ready: list[tuple[int, int, int, Token]] = []
        self._order = 0
        self._budget = world.limits.activations

    @property
    def index(self) -> dict[int, Token]:
        """All tokens by number."""
        if self.parked is not None:
            self.parked.take_all()
        return self.known

    def get_task_from_id(self, task_id: int) -> Token | None:
        found = self.known.get(task_id)
        if found is None and self.parked is not None:
            return self.parked.take(task_id)
        return found

    def has(self, token: Token) -> bool:
        """Tell whether a token is not over."""
        return self.known.get(token.id) is token

    @property
    def root(self) -> Scope:
        """Return the scope of the root instance."""
        return self.subprocesses[0]

    def result(self) -> Step:
        """Close the books; a piece of a long run asks to be continued."""
        out = self.close()
        if self.paused and out.state is InstanceState.RUNNING:
            instance_id = self.root.instance_id
            out.works.append(NewWork("continue", instance_id, "", 0, "", None, None, {}, {}))
        return out

    # ------------------------------------------------ scheduling

    def run(self) -> None:
        """Run what is ready until nothing is, or until this piece is long enough."""
        while self._ready:
            if self._budget <= 0:
                self._pause()
                return
            token = heappop(self._ready)[3]
            # it may have been cancelled since it became ready
            if token._state != READY:
                continue
            self._budget -= 1
            self._activate(token)
            self.settle()
        self.pieces = 0

    def _activate(self, token: Token) -> None:
        token.begun = True
        self.record("element.activated", token, token.via)
        self.attempt(token, token.run, "run")

    def attempt(self, token: Token, act: Callable[[], object], phase: str) -> None:
        """Do something for a token; a drawn error is thrown, a fault becomes an incident."""
        try:
            act()
        except BpmnError as error:
            self.throw_error(token, error.code, error.message, error.variables)
        except ExecutionFault as fault:
            done = token._state == COMPLETED
            self.stop_at(token, str(fault), "leave" if done else phase)

    def stop_at(self, token: Token, message: str, phase: str) -> None:
        """Leave a token where it is, with an incident that people can retry."""
        token.stopped = phase
        token._state = WAITING
        self.out.incidents.append(
            NewIncident(
                token.workflow.instance_id, token.task_spec.bpmn_id, token.id, "fault", message
            )
        )
        self.record("incident.raised", token, "fault", message)

    def _pause(self) -> None:
        self.pieces += 1
        if self.pieces >= self.world.limits.pieces:
            self.pieces = 0
            token = heappop(self._ready)[3]
            self._stop_runaway(token)
        self.paused = any(entry[3]._state == READY for entry in self._ready)

    def _stop_runaway(self, token: Token) -> None:
        count = self.world.limits.pieces * self.world.limits.activations
        node = token.task_spec
        message = f"{count} elements ran without a wait; the loop goes through {node.bpmn_id}"
        token.stopped = "pause"
        token._state = WAITING
        self.out.incidents.append(
            NewIncident(token.workflow.instance_id, node.bpmn_id, token.id, "runaway", message)
        )
        self.record("incident.raised", token, "runaway", message)

    def push(self, token: Token) -> None:
        """Queue a ready token: events first, then the outermost scope, then by arrival."""
        self._order += 1
        rank = token.task_spec.rank
        heappush(self._ready, (rank, token.workflow.depth, self._order, token))

    def requeue(self) -> None:
        """Queue the ready tokens anew, as loading does: their nodes have changed."""
        self._ready = []
        for number in sorted(self.index):
            if self.index[number]._state == READY:
                self.push(self.index[number])

    # ------------------------------------------------ tokens

    def spawn(
        self,
        scope: Scope,
        node: Node,
        *,
        via: str | None = None,
        host: Token | None = None,
        body: Token | None = None,
        listens: bool = False,
    ) -> Token:
        """Create a token; one that listens waits, everything else is ready to run."""
        number = self.next_number
        self.next_number = number + 1
        token = Token(scope, node, number, WAITING if listens else READY)
        token.via, token.host, token.body, token.listens = via, host, body, listens
        scope.known[number] = token
        self.known[number] = token
        if not listens:
            if body is None:
                scope.live += 1
            self.push(token)
        return token

    def drop(self, token: Token) -> None:
        """Forget a token that is over."""
        self.known.pop(token.id, None)
        token.workflow.known.pop(token.id, None)

    def finish(self, token: Token) -> None:
        """Take a completed token off its node: rows, listeners, history."""
        self.unwait(token, "completed")
        self.disarm(token)
        self.record("element.completed", token)
        if token.stopped:
            token.stopped = None
        self.drop(token)

    def leave(self, scope: Scope, flows: Iterable[Flow]) -> None:
        """Move the token that has just finished along its flows; none left may end the scope."""
        for flow in flows:
            flow.target.arrive(scope, flow)
        scope.live -= 1
        self.look_at_end(scope)

    def look_at_end(self, scope: Scope) -> None:
        """Draw the consequences of a token that is no more in its scope."""
        if scope.spec.ad_hoc is not None:
            scope.spec.ad_hoc.inner_done(scope)
        elif scope.live == 0:
            self.end_scope(scope)
        elif scope.arms:
            self._only_guards_run(scope)

    def _only_guards_run(self, scope: Scope) -> None:
        """Stop listening once nothing but event sub-processes runs: the scope is completing."""
        guards = scope.spec.guards
        flowing = (t for t in scope.tasks.values() if not t.listens and t.body is None)
        if not scope.arrivals and all(t.task_spec in guards for t in flowing):
            self._stop_listening(scope)

    def _stop_listening(self, scope: Scope) -> None:
        for arm in scope.arms:
            arm.cancel()
        scope.arms = []

    def withdraw(self, token: Token) -> None:
        """Undo all that a cancelled token has set up: rows, listeners, what runs inside it."""
        self.unwait(token, "cancelled")
        self.disarm(token)
        if token.memo is not None and "todo" in token.memo:
            for handler in [t for t in self.index.values() if t.body is token]:
                handler.cancel()
        if token.inner is not None:
            self.close_scope(token.inner, InstanceState.CANCELLED)
        if token.stopped:
            self.out.resolved.append(token.id)
        if token.begun:
            self.record("element.cancelled", token)
        self.drop(token)

    def interrupt(self, token: Token) -> None:
        """Cancel a flowing token with everything inside; its place in the scope is free again."""
        scope = token.workflow
        self._cancel_with_children(token)
        scope.live -= 1

    def _cancel_with_children(self, token: Token) -> None:
        for child in [t for t in self.index.values() if t.body is token]:
            child.cancel()
        token.cancel()

    def disarm(self, token: Token) -> None:
        """Remove the listeners of a token."""
        for arm in token.arms:
            if arm._state == WAITING:
                arm.cancel()
        token.arms = []

    # ------------------------------------------------ scopes

    def open_scope(
        self,
        owner: Token | None,
        spec: ScopeSpec,
        variables: Variables,
        instance_id: str,
        definition_id: str,
    ) -> Scope:
        """Create a scope; its owner waits until it ends."""
        scope = Scope(self, spec, owner, variables, instance_id, definition_id)
        self.subprocesses[owner.id if owner else 0] = scope
        if owner is not None:
            owner.inner = scope
        return scope

    def enter_scope(self, scope: Scope, entries: Sequence[Node]) -> None:
        """Arm the scope's event sub-processes, then put a token on each entry."""
        for guard in scope.spec.guards:
            guard.arm_guard(scope)
        for node in entries:
            self.spawn(scope, node)
        if not entries:
            self.end_scope(scope)

    def end_scope(self, scope: Scope) -> None:
        """End a scope in which no token flows any more, as the next thing that happens."""
        self._endings.append(scope)

    def is_ending(self, scope: Scope) -> bool:
        """Tell whether the end of a scope is the next thing that happens."""
        return scope in self._endings

    def _end_scope(self, scope: Scope) -> None:
        if self.subprocesses.get(scope.owner.id if scope.owner else 0) is not scope or scope.live:
            return  # it was cancelled in the meantime
        if scope.owner is None:
            self._end_root(InstanceState.COMPLETED)
            return
        owner = scope.owner
        self._forget_scope(scope)
        if scope.is_instance:
            self.record_instance(scope, "instance.completed", InstanceState.COMPLETED)
        self.attempt(owner, lambda: owner.task_spec.scope_ended(owner, scope), "finish")

    def terminate_scope(self, scope: Scope) -> None:
        """End a scope at once, by a terminate end event (BPMN 2.0.2, 13.5.6)."""
        self._cancel_tokens(scope)
        if scope.owner is None:
            self._end_root(InstanceState.TERMINATED)
        else:
            self.end_scope(scope)

    def clear_scope(self, scope: Scope) -> None:
        """Cancel all that runs and listens in a scope, which itself goes on."""
        self._cancel_tokens(scope)

    def close_scope(self, scope: Scope, state: InstanceState) -> None:
        """Cancel all that runs in a scope, without going on behind it."""
        self._cancel_tokens(scope)
        if scope.owner is not None:
            self._forget_scope(scope)
            if scope.is_instance:
                self.record_instance(scope, f"instance.{state}", state)

    def _cancel_tokens(self, scope: Scope) -> None:
        inside = [scope]
        for outer in inside:
            inside.extend(t.inner for t in outer.tasks.values() if t.inner is not None)
        for inner in reversed(inside[1:]):  # innermost first, so that nothing recurses
            self.close_scope(inner, InstanceState.CANCELLED)
        self._stop_listening(scope)
        for token in list(scope.tasks.values()):
            if token.id in scope.tasks:
                token.cancel()
        self.clear_joins(scope)
        scope.live = 0

    def clear_joins(self, scope: Scope) -> None:
        """Forget what waits at the gateways of a scope and which complex ones have begun."""
        scope.arrivals.clear()
        if scope.recall("complex"):
            scope.remember(complex=None)
        self.joining.discard(scope)

    def _forget_scope(self, scope: Scope) -> None:
        self._stop_listening(scope)
        assert scope.owner is not None
        scope.owner.inner = None
        self.subprocesses.pop(scope.owner.id, None)

    def _end_root(self, state: InstanceState) -> None:
        self._stop_listening(self.root)
        self.out.state = state
        self.note(self.root.instance_id, f"instance.{state}")

    def fail(self, token: Token, code: str, message: str) -> None:
        """End the whole instance because a thrown error was caught nowhere."""
        text = f"the error {code!r} was thrown and nothing drawn catches it"
        text = f"{text}: {message}" if message and message != code else text
        instance_id, element = token.workflow.instance_id, token.task_spec.bpmn_id
        self.out.incidents.append(
            NewIncident(instance_id, element, token.id, "uncaught_error", text)
        )
        self.record("incident.raised", token, "uncaught_error", text)
        self._cancel_tokens(self.root)
        self._end_root(InstanceState.FAILED)

    def cancel_all(self, reason: str) -> None:
        """End the whole instance from outside."""
        self._cancel_tokens(self.root)
        self.out.state = InstanceState.CANCELLED
        self.note(self.root.instance_id, "instance.cancelled", value=reason or None)

    def stores_of(self, definition: Definition) -> Variables | None:
        """Return the scope around an instance: the data stores that its process names."""
        if not definition.stores:
            return None
        if self._stores is None:
            self._stores = Variables(STORES, None)
        missing = [name for name in definition.stores if name not in self._stores.values]
        if missing:
            self._stores.values |= {name: None for name in missing} | dict(
                self.world.stores(missing)
            )
        return self._stores

    # ------------------------------------------------ conditions, inclusive and complex joins

    def watch(self, token: Token) -> None:
        """Look at a token's condition whenever variables have changed."""
        self.watchers[token.id] = token
        self._changed = True

    def settle(self) -> None:
        """Draw the consequences of what has just happened, before anything else runs."""
        while self._endings or self._changed:
            while self._endings:
                self._end_scope(self._endings.pop())
            self._changed = False
            for token in list(self.watchers.values()):
                if not self.has(token):
                    del self.watchers[token.id]
                elif token.stopped is None:
                    self.attempt(token, partial(self._look, token), "finish")
        self.check_joins()

    def _look(self, token: Token) -> None:
        trigger = token.task_spec.trigger
        if isinstance(trigger, ConditionTrigger) and trigger.turned_true(token):
            self.record("condition.met", token)
            token.task_spec.triggered(token, {})

    def check_joins(self) -> None:
        """Let inclusive gateways go on for which nothing can arrive any more."""
        for scope in list(self.joining):
            for join in scope.spec.joins:
                join.reconsider(scope)
            if not scope.arrivals and not scope.recall("complex"):
                self.joining.discard(scope)

    # ------------------------------------------------ variables and expressions

    def evaluate(self, expression: Expression, token: Token) -> Value:
        """Evaluate where the token stands."""
        return expression.evaluate(token.vars.view(), self.now)

    def set_variable(self, home: Variables, token: Token, name: str, value: Value) -> None:
        """Write one variable in one scope; what does not change is not recorded."""
        if type(value) not in PLAIN and not storable(value):
            message = f"{name} would be a function or a range, which no variable can hold"
            raise ExecutionFault(message)
        values = home.values
        if name in values:
            old = values[name]
            if same(old, value):
                return
        values[name] = value
        self._changed = True
        if home.owner == STORES:
            self.out.stores[name] = value
            self.record("data_store.written", token, name, value)
            return
        if home.written is not None:
            home.written.add(name)
        self.note(
            token.workflow.instance_id,
            "variable.set",
            token.task_spec.bpmn_id,
            home.owner,
            name,
            value,
        )

    def store(
        self, token: Token, result: Mapping[str, Value], start: Variables | None = None
    ) -> None:
        """Write results: each to the nearest scope that has the name, else to the instance (D3)."""
        begin = start or token.vars
        for name, value in result.items():
            self.set_variable(begin.home_of(name), token, name, value)
