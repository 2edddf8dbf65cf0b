"""A running case goes on in another version of its process.

Every token keeps its number, so its rows stay what they are: an open task, a leased work item, a
timer with its moment. What listens follows the new version: events that it adds are armed, those
that it lacks are not any more. Variables, what has arrived at joins and what can be undone stay.

Everything is tried on the loaded instance, which is stored only if nothing stands against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from engine.changes import Move, Moved
from engine.errors import ChangeRefused, Conflict, ExecutionFault
from engine.kernel.activities import Activity, UserTask, form_of, is_undone
from engine.kernel.correspondence import Correspondence, inner_of, kinds_of
from engine.kernel.definition import Definition, ScopeSpec
from engine.kernel.event_subprocess import EventSubProcess
from engine.kernel.events import BoundaryEvent
from engine.kernel.gateways import ComplexGateway, EventGateway, ParallelGateway, take_one_each
from engine.kernel.multiple import MultipleTrigger
from engine.kernel.node import Node
from engine.kernel.objections import Objections
from engine.kernel.process import Process
from engine.kernel.tokens import READY, Scope, Token
from engine.kernel.triggers import CancelTrigger, CompensateTrigger, ConditionTrigger
from engine.model import Migrate, Problem


class Migration:
    """One case on its way to another version: first looked at, then done."""

    def __init__(self, process: Process, command: Migrate) -> None:
        self.process = process
        self.report = Objections()
        self.scopes = scopes_of(process, command.instance_id)
        old = process.world.definition(self.scopes[0].definition_id)
        self.new: Definition = process.world.definition(command.definition_id)
        self.definition_id = command.definition_id
        self.same = Correspondence(old, self.new, command.mapping, self.report)
        #: transactions that only their cancellation, or an error of the undoing, leads out of
        self.left = [s.owner.root_body for s in self.scopes if s.owner and _is_cancelled(s)]
        #: scope -> its drawing in the new version
        self.specs: dict[Scope, ScopeSpec] = {}
        #: token -> its node in the new version
        self.nodes: dict[int, Node] = {}
        #: scope -> what waits at its joins, in the names of the new version
        self.arrivals: dict[Scope, dict[str, dict[str, int]]] = {}
        #: parts of what tokens and scopes remember that change
        self.memos: list[tuple[Token | Scope, dict[str, Any]]] = []
        #: what listens no more
        self.dropped: list[Token] = []
        #: what begins to listen: node, and the token or scope that it listens for
        self.added: list[tuple[Node, Token | Scope]] = []
        self.moves: list[Move] = []
        self.moved: list[Moved] = []

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return what stands against it."""
        return self.report.problems

    def look(self) -> None:
        """Find the counterpart of everything that is active, and all that stands against it."""
        self.same.check_names()
        for scope in self.scopes:
            owner = scope.owner
            spec = self.new.root
            if owner is not None and not scope.is_instance:
                node = self.nodes.get(owner.id)
                inner = None if node is None else inner_of(node)
                if inner is None:
                    continue  # what is around it has no counterpart: that was said
                spec = inner
            self.specs[scope] = spec
            self._look_at_tokens(scope, spec)
            self._look_at_joins(scope, spec)
        for scope, spec in self.specs.items():
            self._look_at_guards(scope, spec)
            self._look_at_memos(scope, spec)

    # ------------------------------------------------ looking

    def _look_at_tokens(self, scope: Scope, spec: ScopeSpec) -> None:
        for token in scope.tasks.values():
            if token.listens:
                continue
            node = self.same.node(token.task_spec, spec)
            if node is None:
                continue
            self._goes_on(token, node)
            if isinstance(node, EventGateway):
                self._look_at_arms(token, _targets(token.task_spec), _targets(node))
            elif isinstance(node.trigger, MultipleTrigger):
                self._parts(token, node)
            elif isinstance(node, Activity) and carries_events(token):
                self._look_at_arms(token, token.task_spec.boundaries, node.boundaries)

    def _look_at_arms(self, host: Token, olds: Sequence[Node], news: Sequence[Node]) -> None:
        fresh = self._follow(host.arms, olds, news)
        if host not in self.left:
            self.added += [(node, host) for node in fresh]

    def _look_at_guards(self, scope: Scope, spec: ScopeSpec) -> None:
        olds, news = _armable(scope.spec), _armable(spec)
        fresh = self._follow(scope.arms, olds, news)
        # a scope that is completing, was interrupted or is being undone listens no more
        over = _is_cancelled(scope) or (scope.owner is not None and is_undone(scope.owner))
        if (scope.arms or not olds) and not over:
            self.added += [(node, scope) for node in fresh]

    def _follow(
        self, arms: Iterable[Token], olds: Sequence[Node], news: Sequence[Node]
    ) -> list[Node]:
        """Match what listens with what the new version draws; return what is new there."""
        targets = {node.name: node for node in news}
        armed: set[str] = set()
        kept: set[str] = set()
        for arm in arms:
            old = arm.task_spec
            armed.add(old.name)
            node = targets.get(self.same.name(old.bpmn_id))
            fits = node is not None and kinds_of(node.trigger) == kinds_of(old.trigger)
            if node is None or not fits or node.name in kept:
                self.dropped.append(arm)
                self._tell(arm, None)
            else:
                kept.add(node.name)
                self._goes_on(arm, node)
                self._parts(arm, node)
        # what was drawn before and does not listen has its reason, which holds on
        silent = {self.same.name(old.bpmn_id) for old in olds if old.name not in armed}
        return [node for node in news if node.name not in kept and node.name not in silent]

    def _parts(self, host: Token, node: Node) -> None:
        """The parts of a multiple event listen on as parts of its counterpart."""
        for part in host.arms:
            number = part.task_spec.name.rpartition("/")[2]
            self.nodes[part.id] = node.scope.task_specs[f"{node.bpmn_id}/{number}"]

    def _look_at_joins(self, scope: Scope, spec: ScopeSpec) -> None:
        found: dict[str, dict[str, int]] = {}
        for name, waiting in scope.arrivals.items():
            old = scope.spec.task_specs[name]
            node = self.same.node(old, spec)
            if node is not None:
                kept = found.setdefault(node.name, {})
                for flow, count in waiting.items():
                    to = self._flow(old, node, flow)
                    kept[to] = kept.get(to, 0) + count
        self.arrivals[scope] = found

    def _flow(self, old: Node, node: Node, flow: str) -> str:
        name = self.same.name(flow)
        if all(one.id != name for one in node.incoming):
            self.report.error(
                old.bpmn_id,
                "a token waits at {element}, come by the flow “{flow}”,"
                " which does not lead there in the new version",
                "map the flow to one that does",
                element=old,
                flow=flow,
            )
        return name

    def _look_at_memos(self, scope: Scope, spec: ScopeSpec) -> None:
        """Find what is remembered by names: what can be undone, and what begun gateways miss."""
        memo = scope.memo or {}
        change: dict[str, Any] = {}
        if memo.get("done"):
            change["done"] = self.same.records(memo["done"], scope.spec, spec)
        if memo.get("queue"):
            queue = [self.same.node(scope.spec.task_specs[name], spec) for name in memo["queue"]]
            change["queue"] = [node.name for node in queue if node is not None]
        if memo.get("complex"):
            change["complex"] = self._begun(scope, spec, memo["complex"])
        self.memos.append((scope, change))
        for token in scope.tasks.values():
            if token.memo and token.id in self.nodes:
                self.memos.append((token, self._remembered(token)))

    def _begun(
        self, scope: Scope, spec: ScopeSpec, begun: dict[str, list[str]]
    ) -> dict[str, list[str]]:
        found = {}
        for name, flows in begun.items():
            old = scope.spec.task_specs[name]
            node = self.same.node(old, spec)
            if node is not None:
                found[node.name] = [self._flow(old, node, flow) for flow in flows]
        return found

    def _remembered(self, token: Token) -> dict[str, Any]:
        memo, change = token.memo or {}, dict[str, Any]()
        old, node = token.task_spec, self.nodes[token.id]
        inside, there = inner_of(old), inner_of(node)
        if inside is not None and there is not None:
            for part in ("done", "undo"):
                # of a repeated activity `done` is a number
                if isinstance(memo.get(part), list):
                    change[part] = self.same.records(memo[part], inside, there)
        where = self.process.subprocesses.get(memo["where"]) if memo.get("todo") else None
        if where is not None and where in self.specs:
            change["todo"] = self.same.records(memo["todo"], where.spec, self.specs[where])
        if "waiting" in memo:
            flows = memo["waiting"].items()
            change["waiting"] = {self._flow(old, node, flow): count for flow, count in flows}
        return change

    def _goes_on(self, token: Token, node: Node) -> None:
        self.nodes[token.id] = node
        self._tell(token, node.bpmn_id)

    def _tell(self, token: Token, to: str | None) -> None:
        node = token.task_spec
        self.moves.append(
            Move(token=token.id, element_id=node.bpmn_id, name=node.bpmn_name, type=node.type,
                 waits=token.waits, to=to)
        )  # fmt: skip

    # ------------------------------------------------ doing

    def go(self) -> None:
        """Do it; needs everything that is active to have its counterpart."""
        for arm in self.dropped:
            host = arm.host or arm.workflow
            host.arms.remove(arm)
            arm.cancel()
        watching = [(t, self.nodes.get(n)) for n, t in self.process.watchers.items()]
        watched = [
            t for t, node in watching if node and _condition(t.task_spec) != _condition(node)
        ]
        for token in self._tokens():
            self._rewrite(token, self.nodes[token.id])
        for scope, spec in self.specs.items():
            self._redraw(scope, spec)
        for holder, change in self.memos:
            if change:
                holder.memo = {**(holder.memo or {}), **change}
        for token in watched:
            self.process.watch(token)
        self.arm()
        for scope in self.scopes:
            _open_joins(scope)
        self.process.requeue()

    def _tokens(self) -> Iterator[Token]:
        for number in self.nodes:
            token = self.process.get_task_from_id(number)
            if token is not None:
                yield token

    def _rewrite(self, token: Token, node: Node) -> None:
        old = token.task_spec
        token.task_spec = node
        if token.host is not None and isinstance(token.host.task_spec, EventGateway):
            gateway = self.nodes[token.host.id]
            token.via = next(flow.id for flow in gateway.outgoing if flow.target is node)
        if old.bpmn_id != node.bpmn_id and not token.listens:
            self.process.record("element.migrated", token, old.bpmn_id)
        form = self._form(token, old, node) if token.waits == "task" else None
        if old.bpmn_id != node.bpmn_id or form is not None:
            name, key = form or (None, None)
            self.moved.append(Moved(token.id, token.waits, old.bpmn_id, node.bpmn_id, name, key))

    def _form(self, token: Token, old: Node, node: Node) -> tuple[str, str | None] | None:
        """Return name and form of an open task, if the new version says something else."""
        assert isinstance(old, UserTask)
        assert isinstance(node, UserTask)
        forms = [one.assignment.form_key for one in (old, node)]
        texts = [None if form is None else form.text for form in forms]
        if texts[0] == texts[1] and old.bpmn_name == node.bpmn_name:
            return None
        try:
            return node.bpmn_name, form_of(node, token)
        except ExecutionFault as fault:
            self._object_to(node, fault)
            return None

    def _redraw(self, scope: Scope, spec: ScopeSpec) -> None:
        process, old = self.process, process_of(scope)
        scope.spec, scope.definition_id = spec, self.definition_id
        if scope.is_instance and old.stores != self.new.stores:
            scope.vars.parent = process.stores_of(self.new)
        scope.arrivals = self.arrivals[scope]
        process.joining.discard(scope)
        if spec.joins and (scope.arrivals or scope.recall("complex")):
            process.joining.add(scope)

    def arm(self) -> None:
        """Let what the new version adds begin to listen."""
        for node, place in self.added:
            try:
                _listen(node, place)
            except ExecutionFault as fault:
                self._object_to(node, fault)
                continue
            self.moves.append(
                Move(token=None, element_id=node.bpmn_id, name=node.bpmn_name, type=node.type,
                     waits=None, to=node.bpmn_id)
            )  # fmt: skip

    def _object_to(self, node: Node, fault: ExecutionFault) -> None:
        self.report.error(
            node.bpmn_id,
            "{element} of the new version cannot begin for this case: {cause}",
            "correct its expression, or the variables of the case",
            element=node,
            cause=str(fault),
        )


def scopes_of(process: Process, instance_id: str) -> list[Scope]:
    """Return the scopes of a running instance, the outermost first. Raises Conflict."""
    found = [s for s in process.subprocesses.values() if s.instance_id == instance_id]
    if not found:
        raise Conflict(f"instance {instance_id} has ended")
    return sorted(found, key=lambda scope: scope.depth)


def plan(process: Process, command: Migrate) -> Migration:
    """Try a migration on an instance that nobody stores afterwards."""
    tried = Migration(process, command)
    tried.look()
    if tried.problems:
        tried.arm()  # what cannot be armed is said with the rest
    else:
        tried.go()
    return tried


def migrate(process: Process, command: Migrate) -> None:
    """Move an instance to another version. Raises ChangeRefused with all that forbids it."""
    done = plan(process, command)
    if done.problems:
        raise ChangeRefused(done.problems)


def process_of(scope: Scope) -> Definition:
    """Return the definition that a scope is drawn in."""
    return scope.process.world.definition(scope.definition_id)


def carries_events(token: Token) -> bool:
    """Tell whether boundary events listen at a token, if there are any (13.5.3)."""
    if token.root_body is not token or is_undone(token) or not token.begun:
        return False
    # one that was stopped before they were armed arms them when it is tried again
    return token._state != READY and (token.stopped not in ("run", "pause") or bool(token.arms))


def _is_cancelled(scope: Scope) -> bool:
    """Tell whether a scope is a cancelled transaction, in which handlers undo what was done."""
    ends = (t for t in scope.tasks.values() if isinstance(t.task_spec.trigger, CancelTrigger))
    return any(token.memo is not None and "todo" in token.memo for token in ends)


def _targets(gateway: Node) -> list[Node]:
    return [flow.target for flow in gateway.outgoing]


def _armable(spec: ScopeSpec) -> list[Node]:
    """Return the event sub-processes that listen while their scope is active."""
    return [node for node in spec.guards if not isinstance(node.trigger, CompensateTrigger)]


def _condition(node: Node) -> str | None:
    return node.trigger.expression.text if isinstance(node.trigger, ConditionTrigger) else None


def _listen(node: Node, place: Token | Scope) -> None:
    if isinstance(place, Scope):
        assert isinstance(node, EventSubProcess)
        node.arm_guard(place)
    elif isinstance(node, BoundaryEvent):
        node.arm(place)
    else:
        assert isinstance(place.task_spec, EventGateway)
        place.task_spec.listen_at(place, node)


def _open_joins(scope: Scope) -> None:
    """Let joins go on that wait for nothing more, since the new version has fewer ways to them."""
    for name in list(scope.arrivals):
        node = scope.spec.task_specs[name]
        wanted = {flow.id for flow in node.incoming}
        if isinstance(node, ComplexGateway) and node.activation is not None and len(wanted) > 1:
            continue
        simple = isinstance(node, ParallelGateway) or (
            len(wanted) < 2 and not isinstance(node, Activity)
        )
        while simple and wanted and wanted <= set(scope.arrivals.get(name, ())):
            take_one_each(node, scope)
