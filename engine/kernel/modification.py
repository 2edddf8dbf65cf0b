"""Repairs from outside: tokens are taken away and put down, in one step.

What is taken away is really cancelled, with all that runs inside it and listens for it. A scope
that is left empty goes with its owner; the case itself only ends if the command says that it may.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import ChangeRefused, ExecutionFault
from engine.kernel.activities import Activity
from engine.kernel.ad_hoc import AdHocSubProcess
from engine.kernel.definition import ScopeSpec
from engine.kernel.event_subprocess import EventSubProcess
from engine.kernel.gateways import EventGateway
from engine.kernel.migration import process_of, scopes_of
from engine.kernel.node import Node
from engine.kernel.objections import Objections
from engine.kernel.process import Process
from engine.kernel.repetition import MultiInstance
from engine.kernel.tokens import STARTED, Scope, Token
from engine.model import Begin, InstanceState, Modify


def modify(process: Process, command: Modify) -> None:
    """Change where an instance stands. Raises ChangeRefused with all that forbids it."""
    done = Modification(process, command)
    done.go()
    if done.report.problems:
        raise ChangeRefused(done.report.problems)


class Modification:
    """One repair of one instance."""

    def __init__(self, process: Process, command: Modify) -> None:
        self.process, self.command = process, command
        self.report = Objections()
        self.scopes = scopes_of(process, command.instance_id)
        self.definition = process_of(self.scopes[0])
        #: scopes that have lost a token
        self.touched: list[Scope] = []

    def go(self) -> None:
        """Cancel, then begin, then see what is left."""
        command, process = self.command, self.process
        tokens, joins = self._chosen()
        gone = [[token.task_spec.bpmn_id, token.id] for token in tokens]
        told = {
            "why": command.why,
            "cancel": gone + [[name, None] for _, name in joins],
            "before": [one.element_id for one in command.begin if not one.after],
            "after": [one.element_id for one in command.begin if one.after],
        }
        process.note(command.instance_id, "instance.modified", value=told)
        for token in tokens:
            if process.has(token):  # it may have gone with an outer one
                self._cancel(token)
        for scope, name in joins:
            scope.live -= sum(scope.arrivals.pop(name, {}).values())
            self.touched.append(scope)
        for one in command.begin:
            self._begin(one)
        self._clear_empty()

    # ------------------------------------------------ what is taken away

    def _chosen(self) -> tuple[list[Token], list[tuple[Scope, str]]]:
        """Return the tokens to cancel, and the joins whose arrived tokens go."""
        tokens: dict[int, Token] = {}
        joins: list[tuple[Scope, str]] = []
        for name in self.command.cancel:
            if isinstance(name, int):
                token = self._numbered(name)
                if token is not None:
                    tokens[token.id] = token
                continue
            here = [token for token in self._flowing() if token.task_spec.bpmn_id == name]
            waiting = [(scope, name) for scope in self.scopes if name in scope.arrivals]
            tokens.update({token.id: token for token in here})
            joins += waiting
            if not here and not waiting:
                self._object_to_name(name)
        return list(tokens.values()), joins

    def _flowing(self) -> Iterator[Token]:
        """Yield what can be taken away by the id of its element: whole activities."""
        for scope in self.scopes:
            for token in scope.tasks.values():
                if not token.listens and token.body is None:
                    yield token

    def _numbered(self, number: int) -> Token | None:
        token = self.process.get_task_from_id(number)
        if token is None or token.workflow not in self.scopes:
            self.report.error(
                None,
                "no token {number} is active in this case",
                "look at where the case stands now",
                number=number,
            )
        elif token.listens:
            self.report.error(
                token.task_spec.bpmn_id,
                "{element} only listens; it goes with what it listens for",
                "name the activity that carries it",
                element=token.task_spec,
            )
        elif self._goes_alone(token):
            return token
        return None

    def _goes_alone(self, token: Token) -> bool:
        """Tell whether a token can be taken away; object to a round of a loop and to a handler."""
        body = token.body
        if body is None or _is_instance(token):
            return True
        self.report.error(
            token.task_spec.bpmn_id,
            "{element} is a part of something larger and cannot be taken out of it",
            "name {whole}",
            element=token.task_spec,
            whole=body.task_spec,
        )
        return False

    def _object_to_name(self, name: str) -> None:
        node = self._node(name)
        if node is None:
            self._object_to_unknown(name)
        else:
            self.report.error(
                name,
                "nothing is active at {element}",
                "look at where the case stands now",
                element=node,
            )

    def _cancel(self, token: Token) -> None:
        body = token.body
        if body is not None:
            token.cancel()
            repetition = body.task_spec.repetition
            assert isinstance(repetition, MultiInstance)
            repetition.child_cancelled(body)
        else:
            self.process.interrupt(token)
        self.touched.append(token.workflow)

    # ------------------------------------------------ what begins

    def _begin(self, one: Begin) -> None:
        node = self._node(one.element_id)
        if node is None:
            self._object_to_unknown(one.element_id)
        elif self._may_begin(node, one.after):
            scope = self._scope_for(node, one.inside)
            if scope is None:
                return
            if one.after:
                flow = node.outgoing[0]
                flow.target.arrive(scope, flow)
            else:
                self.process.spawn(scope, node)

    def _may_begin(self, node: Node, after: bool) -> bool:
        if isinstance(node, EventSubProcess) or node in node.scope.handlers:
            self.report.error(
                node.bpmn_id,
                "{element} begins by its event only",
                "begin at an element inside it, or at one of the flow",
                element=node,
            )
        elif after and len(node.outgoing) != 1:
            self.report.error(
                node.bpmn_id,
                "{number} flows lead on from {element}, so where is “after” it",
                "say before which element to begin",
                element=node,
                number=len(node.outgoing),
            )
        elif after and isinstance(node, EventGateway):
            self.report.error(
                node.bpmn_id,
                "what comes after {element} is decided by an event",
                "begin at the gateway, or at what follows the event",
                element=node,
            )
        else:
            return True
        return False

    def _scope_for(self, node: Node, inside: int | None) -> Scope | None:
        """Return the scope in which a node begins; its sub-processes are entered if need be."""
        found = [scope for scope in self._running() if scope.spec is node.scope]
        if inside is not None:
            found = [s for s in found if s.owner is not None and s.owner.id == inside]
        if len(found) == 1:
            return found[0]
        if found:
            owners = ", ".join(str(s.owner.id) for s in found if s.owner is not None)
            self.report.error(
                node.bpmn_id,
                "{element} lies in a sub-process that runs {number} times",
                "say inside which of its tokens: {tokens}",
                element=node,
                number=len(found),
                tokens=owners,
            )
        elif inside is not None:
            self.report.error(
                node.bpmn_id,
                "token {number} owns no sub-process with {element} in it",
                "look at where the case stands now",
                element=node,
                number=inside,
            )
        else:
            return self._enter(node.scope, node)
        return None

    def _running(self) -> list[Scope]:
        """Return the scopes of the instance as they are at this moment."""
        known = self.process.subprocesses.values()
        return [scope for scope in known if scope.instance_id == self.command.instance_id]

    def _enter(self, spec: ScopeSpec, wanted: Node) -> Scope | None:
        """Begin a sub-process that does not run, without its start event."""
        owner = next(node for node in self._nodes() if getattr(node, "inner", None) is spec)
        assert isinstance(owner, Activity)
        special = isinstance(owner, (EventSubProcess, AdHocSubProcess))
        if special or owner.repetition is not None or owner in owner.scope.handlers:
            self.report.error(
                wanted.bpmn_id,
                "{element} lies in {whole}, which does not run and cannot begin in its middle",
                "begin at {whole}, or at an element that is not inside it",
                element=wanted,
                whole=owner,
            )
            return None
        outer = self._scope_for(owner, None)
        return None if outer is None else self._open(outer, owner)

    def _open(self, outer: Scope, owner: Activity) -> Scope | None:
        process = self.process
        token = process.spawn(outer, owner)
        token._state, token.begun = STARTED, True
        process.record("element.activated", token)
        try:
            owner.take_inputs(token)
            owner.arm_boundaries(token)
            scope = owner.open_inside(token)
            for guard in scope.spec.guards:
                assert isinstance(guard, EventSubProcess)
                guard.arm_guard(scope)
        except ExecutionFault as fault:
            self.report.error(
                owner.bpmn_id,
                "{element} cannot begin for this case: {cause}",
                "correct its expression, or the variables of the case",
                element=owner,
                cause=str(fault),
            )
            return None
        return scope

    def _nodes(self) -> Iterator[Node]:
        for spec in self.definition.scopes.values():
            yield from spec.nodes()

    def _node(self, name: str) -> Node | None:
        return next((n for n in self._nodes() if n.name == n.bpmn_id == name), None)

    def _object_to_unknown(self, name: str) -> None:
        self.report.error(
            name,
            "the case's version has no element “{name}”",
            "take the id from the diagram of that version",
            name=name,
        )

    # ------------------------------------------------ what is left

    def _clear_empty(self) -> None:
        """Take away what owns an empty scope, from the inside out; the case itself last."""
        process = self.process
        while self.touched:
            scope = self.touched.pop(0)
            if process.subprocesses.get(scope.owner.id if scope.owner else 0) is not scope:
                continue
            if process.is_ending(scope):
                continue  # it goes on behind its end by itself
            # of an ad hoc sub-process more may be to come
            if scope.live or scope.recall("queue"):
                process.look_at_end(scope)
            elif scope.owner is not None and self._may_go(scope, scope.owner):
                self._cancel(scope.owner)
        if process.out.state is InstanceState.RUNNING and not process.root.live:
            self._end()

    def _may_go(self, scope: Scope, owner: Token) -> bool:
        """Tell whether an empty scope may go with its owner; a called instance has to be let."""
        if scope is self.scopes[0] and not self._may_end():
            return False
        return self._goes_alone(owner)

    def _may_end(self) -> bool:
        if not self.command.ends:
            self.report.error(
                None,
                "nothing would be left of the case",
                "begin somewhere, or say that the case may end",
            )
        return self.command.ends

    def _end(self) -> None:
        if self._may_end() and not self.process.is_ending(self.process.root):
            self.process.cancel_all(self.command.why)


def _is_instance(token: Token) -> bool:
    """Tell whether a token is one instance of a multi-instance activity."""
    body = token.body
    return (
        body is not None
        and body.task_spec is token.task_spec
        and isinstance(getattr(body.task_spec, "repetition", None), MultiInstance)
    )
