"""Which node of another version a node of a case goes on at, and whether it can.

By its own id, or by what the mapping says. Node and counterpart must lie in the same scope and be
of one kind, so that what is remembered of an activation means the same there.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.kernel.activities import Activity
from engine.kernel.ad_hoc import AdHocSubProcess
from engine.kernel.compensation import Record
from engine.kernel.definition import Definition, ScopeSpec
from engine.kernel.gateways import ComplexGateway
from engine.kernel.multiple import MultipleTrigger, each
from engine.kernel.node import Node
from engine.kernel.objections import Named, Objections
from engine.kernel.repetition import MultiInstance, StandardLoop
from engine.kernel.triggers import Trigger
from engine.sentences import Phrase, phrase


class Correspondence:
    """From the nodes of one version to those of another."""

    def __init__(
        self, old: Definition, new: Definition, mapping: Mapping[str, str], report: Objections
    ) -> None:
        self.old, self.new, self.mapping = old, new, mapping
        self.report = report

    def check_names(self) -> None:
        """Object to names of the mapping that stand for nothing."""
        known, wanted = _ids(self.old), _ids(self.new)
        for source, target in self.mapping.items():
            if source not in known:
                self.report.error(
                    source,
                    "the mapping names “{name}”, which the case's version does not have",
                    "correct the id, or leave it out",
                    name=source,
                )
            if target not in wanted:
                self.report.error(
                    source,
                    "the mapping leads to “{name}”, which the new version does not have",
                    "correct the id, or leave it out",
                    name=target,
                )

    def name(self, id: str) -> str:
        """Return the id that an element or a flow has in the new version."""
        return self.mapping.get(id, id)

    def node(self, node: Node, spec: ScopeSpec) -> Node | None:
        """Return the counterpart of a node in a scope; None, with an objection, if there is none"""
        found: Node | None = spec.task_specs.get(self.name(node.bpmn_id))
        if found is None:
            self._object_to_missing(node)
            return None
        why = difference(node, found)
        if why is None:
            return found
        self.report.error(
            node.bpmn_id,
            "{element} cannot go on in the new version: {difference}",
            "map it to an element of its kind, or take its token away by a modification",
            element=node,
            difference=why,
        )
        return None

    def _object_to_missing(self, node: Node) -> None:
        name = self.name(node.bpmn_id)
        if any(name in spec.task_specs for spec in self.new.scopes.values()):
            self.report.error(
                node.bpmn_id,
                "{element} lies in another sub-process in the new version",
                "map it to an element of the same sub-process,"
                " or take its token away by a modification",
                element=node,
            )
        elif name not in self.mapping.values():
            self.report.error(
                node.bpmn_id,
                "{element} is active, and the new version does not have it",
                "map it to an element of the new version, or take its token away by a modification",
                element=node,
            )

    def records(self, found: list[Record], old: ScopeSpec, new: ScopeSpec) -> list[Record]:
        """Return what can be undone in a scope, with the names of the new version (10.7)."""
        return [self._record(record, old, new) for record in found]

    def _record(self, record: Record, old: ScopeSpec, new: ScopeSpec) -> Record:
        name, values, inside, *called = record
        node: Node = old.task_specs[name]
        found: Node | None = new.task_specs.get(self.name(node.bpmn_id))
        if found is None or type(found) is not type(node) or not _is_undone_as(node, found):
            self.report.error(
                node.bpmn_id,
                "what {element} has done can be undone, but not in the new version",
                "keep the element with its compensation there, or map it to one that has it",
                element=node,
            )
            return record
        within, there = inner_of(node), inner_of(found)
        if inside and within is not None and there is not None:
            inside = self.records(inside, within, there)
        return [found.name, values, inside, *called]


def inner_of(node: Node) -> ScopeSpec | None:
    """Return what is drawn inside a node; a called process is not."""
    return getattr(node, "inner", None)


def _ids(definition: Definition) -> set[str]:
    nodes = [node for spec in definition.scopes.values() for node in spec.nodes()]
    return {n.bpmn_id for n in nodes} | {flow.id for n in nodes for flow in n.outgoing}


def difference(node: Node, found: Node) -> Phrase | None:
    """Return why a token cannot go on at another node; None if it can."""
    if type(node) is not type(found) or node.type != found.type:
        return phrase("there it is {other}", other=Named(found))
    if kinds_of(node.trigger) != kinds_of(found.trigger):
        return phrase("there it is about an event of another kind")
    if _done_by(node) != _done_by(found):
        return phrase("there it is done in another way, with or without a handler")
    if isinstance(node, Activity) and isinstance(found, Activity):
        if _repeated(node) != _repeated(found):
            return phrase("there it is repeated in another way")
        if node.start_quantity != found.start_quantity:
            return phrase("there another number of tokens begins it")
    return None


def kinds_of(trigger: Trigger | None) -> tuple[object, ...]:
    """Return what must be the same of two events, so that one can stand for the other."""
    kinds = tuple("none" if one is None else one.kind for one in each(trigger))
    return kinds, isinstance(trigger, MultipleTrigger) and trigger.parallel


def _is_undone_as(node: Node, found: Node) -> bool:
    """Tell whether what a node has done can be undone at another, whose own way it may be."""
    whole = [getattr(one, "undone_inside", None) is not None for one in (node, found)]
    return bool(found.undo) == bool(node.undo) and whole[1] >= whole[0]


def _done_by(node: Node) -> tuple[bool, ...]:
    asks = isinstance(node, ComplexGateway) and node.activation is not None
    return (asks, *(getattr(node, name, None) is not None for name in ("job", "decision")))


def _repeated(node: Activity) -> tuple[object, ...]:
    """Return what tokens remember of a repetition."""
    repetition = node.repetition
    if isinstance(repetition, MultiInstance):
        names = (repetition.input_element, repetition.output_collection)
        return "multi", repetition.sequential, *names
    if isinstance(repetition, StandardLoop):
        return ("loop",)
    return ("once", isinstance(node, AdHocSubProcess) and node.sequential)
