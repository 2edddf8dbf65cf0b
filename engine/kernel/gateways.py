"""Exclusive, parallel, inclusive and event-based gateways (BPMN 2.0.2, 10.6 and 13.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.errors import ExecutionFault
from engine.kernel.conditions import holds
from engine.kernel.node import Node, wait_at
from engine.kernel.scopes import Overlay
from engine.languages import Expression

if TYPE_CHECKING:
    from engine.kernel.definition import Flow
    from engine.kernel.tokens import Scope, Token
    from engine.model import Value


class ExclusiveGateway(Node):
    """Passes each token on along the first flow whose condition is true (13.4.2)."""

    type = "exclusiveGateway"

    def choose(self, token: Token) -> Sequence[Flow]:
        if len(self.outgoing) < 2:
            return self._only(token)
        for flow in self.outgoing:
            if flow.condition is not None and flow.id != self.default and self.holds(token, flow):
                return (flow,)
        for flow in self.outgoing:
            if flow.id == self.default:
                return (flow,)
        raise ExecutionFault(
            f"no condition of the flows out of {self.bpmn_id} is true and there is no default flow"
        )

    def _only(self, token: Token) -> Sequence[Flow]:
        for flow in self.outgoing:
            if (
                flow.condition is not None
                and flow.id != self.default
                and not self.holds(token, flow)
            ):
                raise ExecutionFault(
                    f"the only condition out of {self.bpmn_id} is not true and there is no default"
                )
        return self.outgoing


def take_one_each(node: Node, scope: Scope) -> None:
    """Consume one token from every flow that holds one, and begin the gateway."""
    waiting = scope.arrivals.pop(node.name)
    scope.live -= len(waiting)
    rest = {flow: count - 1 for flow, count in waiting.items() if count > 1}
    if rest:
        scope.arrivals[node.name] = rest
    scope.process.spawn(scope, node, via=next(iter(waiting)))


class ParallelGateway(Node):
    """Waits for one token on each incoming flow, then puts one on each outgoing (13.4.1)."""

    type = "parallelGateway"

    def arrive(self, scope: Scope, flow: Flow) -> None:
        if len(self.incoming) < 2:
            super().arrive(scope, flow)
            return
        waiting = wait_at(self, scope, flow)
        if len(waiting) == len(self.incoming):
            take_one_each(self, scope)

    def choose(self, token: Token) -> Sequence[Flow]:
        return self.outgoing


class InclusiveGateway(Node):
    """Splits along every true condition; joins what can still arrive and not more (13.4.3)."""

    type = "inclusiveGateway"
    #: incoming flow -> names of the nodes from which a token could still come along it, also by a
    #: boundary event of the node
    reach: dict[str, frozenset[str]]
    #: the same by sequence flows alone
    paths: dict[str, frozenset[str]]

    def arrive(self, scope: Scope, flow: Flow) -> None:
        if len(self.incoming) < 2:
            super().arrive(scope, flow)
        else:
            wait_at(self, scope, flow)

    def choose(self, token: Token) -> Sequence[Flow]:
        if len(self.outgoing) < 2:
            return self.outgoing
        return self._conditional(token)

    def reconsider(self, scope: Scope) -> None:
        """Go on if no token elsewhere can reach an empty incoming flow any more.

        A token that can also reach a flow which already holds one does not count (13.4.3).
        """
        if self.name not in scope.arrivals:
            return
        marked = scope.arrivals[self.name]
        empty = [f.id for f in self.incoming if f.id not in marked]
        if empty and any(self._blocks(name, marked, empty) for name in _positions(scope, self)):
            return
        take_one_each(self, scope)

    def _blocks(self, name: str, marked: dict[str, int], empty: list[str]) -> bool:
        """Tell whether a token at a node can still bring one to a flow that is empty.

        Both ways are of one kind: sequence flows where they suffice, else over boundary events too.
        """
        ways = self.paths if any(name in self.paths[flow] for flow in empty) else self.reach
        if not any(name in ways[flow] for flow in empty):
            return False
        return not any(name in ways[flow] for flow in marked)


def _positions(scope: Scope, join: Node) -> set[str]:
    """Return the nodes of a scope at which a token stands, without those waiting at `join`."""
    names = {t.task_spec.name for t in scope.tasks.values() if not t.listens}
    return names | {name for name in scope.arrivals if name != join.name}


def incoming_reach(join: Node, *, hosts: bool) -> dict[str, frozenset[str]]:
    """Return for each incoming flow the nodes from which it is reachable without passing `join`.

    With `hosts` an activity counts too if an event at its border reaches the flow.
    """
    return {flow.id: _upstream(flow.source, join, hosts) for flow in join.incoming}


def _upstream(begin: Node, join: Node, hosts: bool) -> frozenset[str]:
    seen: set[str] = set()
    todo = [begin]
    while todo:
        node = todo.pop()
        if node is join or node.name in seen:
            continue
        seen.add(node.name)
        todo.extend(flow.source for flow in node.incoming)
        host = getattr(node, "host_node", None) if hosts else None
        if host is not None:
            todo.append(host)
    return frozenset(seen)


class ComplexGateway(InclusiveGateway):
    """Starts when its activation condition says so, then waits for the rest (13.4.5)."""

    type = "complexGateway"
    activation: Expression | None = None

    def arrive(self, scope: Scope, flow: Flow) -> None:
        if self.activation is None or len(self.incoming) < 2:
            Node.arrive(self, scope, flow)
        else:
            wait_at(self, scope, flow)

    def reconsider(self, scope: Scope) -> None:
        """Begin (the condition is true) or reset (nothing more can arrive)."""
        started = self._started(scope)
        waiting = scope.arrivals.get(self.name, {})
        if started is None:
            if waiting:
                self._begin(scope, waiting)
            return
        late = [f.id for f in self.incoming if f.id not in started]
        marked = {flow: n for flow, n in waiting.items() if flow in late}
        empty = [flow for flow in late if flow not in marked]
        if any(self._blocks(name, marked, empty) for name in _positions(scope, self)):
            return
        self._note(scope, None)
        self._go(scope, list(marked), False)

    def _begin(self, scope: Scope, waiting: dict[str, int]) -> None:
        try:
            active = self._is_active(scope, waiting)
        except ExecutionFault as fault:
            self._stop(scope, waiting, str(fault))
            return
        if active:
            self._note(scope, sorted(waiting))
            self._go(scope, list(waiting), True)

    def _stop(self, scope: Scope, waiting: dict[str, int], message: str) -> None:
        """Take all that waits as one token, at which people can retry."""
        scope.arrivals.pop(self.name)
        token = scope.process.spawn(scope, self)
        scope.live -= sum(waiting.values())
        token.memo = {"waiting": waiting}
        scope.process.stop_at(token, message, "finish")

    def finish_again(self, token: Token) -> None:
        """Put down again what waited when the condition failed; it is asked once more."""
        scope = token.workflow
        scope.process.drop(token)
        scope.live -= 1
        for flow in self.incoming:
            for _ in range((token.memo or {})["waiting"].get(flow.id, 0)):
                wait_at(self, scope, flow)

    def _is_active(self, scope: Scope, waiting: dict[str, int]) -> bool:
        assert self.activation is not None
        names = {"activationCount": len(waiting), "waitingForStart": True}
        seen = Overlay(names, scope.vars.view())
        return holds(self.activation, seen, scope.process.now, "activation condition")

    def _go(self, scope: Scope, flows: list[str], starts: bool) -> None:
        waiting = scope.arrivals.get(self.name, {})
        for flow in flows:
            waiting[flow] -= 1
            if not waiting[flow]:
                del waiting[flow]
        if not waiting:
            scope.arrivals.pop(self.name, None)
        scope.live -= len(flows)
        token = scope.process.spawn(scope, self, via=flows[0] if flows else None)
        token.memo = {"starts": starts}

    def _started(self, scope: Scope) -> list[str] | None:
        found: list[str] | None = (scope.recall("complex") or {}).get(self.name)
        return found

    def _note(self, scope: Scope, flows: list[str] | None) -> None:
        known = {**(scope.recall("complex") or {}), self.name: flows}
        scope.remember(complex={k: v for k, v in known.items() if v})

    def choose(self, token: Token) -> Sequence[Flow]:
        starts = (token.memo or {}).get("starts", True)
        view = Overlay({"waitingForStart": starts}, token.vars.view())
        now = token.workflow.process.now
        taken = [
            f
            for f in self.outgoing
            if f.id != self.default
            and (f.condition is None or holds(f.condition, view, now, f"condition of flow {f.id}"))
        ]
        if taken or not starts:
            return taken if starts else [f for f in taken if f.condition is not None]
        by_default = [f for f in self.outgoing if f.id == self.default]
        if not by_default:
            raise ExecutionFault(f"no flow out of {self.bpmn_id} is true and none is the default")
        return by_default


class EventGateway(Node):
    """Waits for the first of several events (13.4.4); each branch waits for itself."""

    type = "eventBasedGateway"
    #: its events begin an instance
    instantiates = False
    #: of one that begins instances: each event has to happen, in any order (10.6.6, Parallel)
    all_needed = False

    def _run_hook(self, token: Token) -> bool | None:
        for flow in self.outgoing:
            self._listen(token, flow)
        return None

    def listen_at(self, token: Token, target: Node) -> None:
        """Wait for one more event: the one at the end of a flow."""
        self._listen(token, next(flow for flow in self.outgoing if flow.target is target))

    def _listen(self, token: Token, flow: Flow) -> None:
        scope = token.workflow
        arm = scope.process.spawn(scope, flow.target, via=flow.id, host=token, listens=True)
        token.arms.append(arm)
        trigger = flow.target.trigger
        assert trigger is not None
        trigger.arm(arm)

    def chosen(self, arm: Token, payload: dict[str, Value]) -> None:
        """Take the branch whose event came first; the others stop listening."""
        scope, gateway = arm.workflow, arm.host
        process = scope.process
        assert gateway is not None
        process.unwait(arm, "completed")
        process.finish(gateway)
        token = process.spawn(scope, arm.task_spec, via=arm.via)
        token.memo = {"payload": payload}
        scope.live -= 1
