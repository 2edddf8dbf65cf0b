"""The requirement graph: input data, decisions, functions and services, and how they are evaluated.

A `Space` is what one file draws, with the files it imports; a `Sitting` holds the values of one
evaluation, so that a decision is made once however many others require it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.dmn.boxed import make_function
from engine.dmn.evaluation import Code, Evaluation, shown
from engine.errors import FeelError
from engine.feel.types import ANY, Mismatch, Type
from engine.feel.values import Function


@dataclass(slots=True, eq=False)
class Node:
    """Anything a decision may require."""

    id: str
    name: str
    #: namespace of its file
    space: str
    type: Type | None = None
    line: int | None = None
    version_tag: str | None = None


@dataclass(slots=True, eq=False)
class InputData(Node):
    """A value that comes from outside."""


@dataclass(slots=True, eq=False)
class Required:
    """A requirement: what, and under which names it is seen."""

    node: Node
    #: name of the import it is reached through; "" for the own file
    alias: str = ""


@dataclass(slots=True, eq=False)
class Decision(Node):
    """A decision; without logic its value comes from outside."""

    requires: list[Required] = field(default_factory=list)
    logic: Code | None = None
    #: every name that the logic reads and nobody draws
    reads: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class Knowledge(Node):
    """A business knowledge model: a function of the model."""

    requires: list[Required] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)
    types: list[Type] = field(default_factory=list)
    body: Code | None = None


@dataclass(slots=True, eq=False)
class ServiceNode(Node):
    """A decision service: a function that makes decisions from given inputs."""

    outputs: list[Node] = field(default_factory=list)
    given: list[Node] = field(default_factory=list)


class Sitting:
    """The values of one evaluation, or of one call of a decision service inside it."""

    def __init__(
        self,
        run: Evaluation,
        inputs: Mapping[Any, object],
        given: Mapping[Node, object] | None = None,
        *,
        drawn: Collection[str] = (),
    ) -> None:
        self.run = run
        self._inputs = inputs
        #: inputs that no model draws are seen everywhere; others only where they are required
        self._visible = {
            name: value
            for name, value in inputs.items()
            if isinstance(name, str) and name not in drawn
        }
        self._values: dict[Node, object] = dict(given or {})
        self._making: set[Node] = set()

    def value(self, node: Node) -> object:
        """Return the value of a node, made now if it was not made before."""
        if node not in self._values:
            self._values[node] = self._made(node)
        return self._values[node]

    def _made(self, node: Node) -> object:
        if node in self._making:
            raise FeelError(f"“{node.name}” requires itself")
        self._making.add(node)
        if isinstance(node, Decision):
            found = self._decided(node)
        elif isinstance(node, Knowledge):
            found = self._function(node)
        elif isinstance(node, ServiceNode):
            found = self._service(node)
        else:
            found = self.typed(node, self.given(node))
        self._making.discard(node)
        return found

    def scope(self, requires: list[Required]) -> dict[str, object]:
        """Return what the logic of a node sees: the inputs, and what it requires."""
        seen: dict[str, object] = dict(self._visible)
        imported: dict[str, dict[str, object]] = {}
        for required in requires:
            value = self.value(required.node)
            if required.alias:
                imported.setdefault(required.alias, {})[required.node.name] = value
            else:
                seen[required.node.name] = value
                if isinstance(required.node, Decision):
                    seen.setdefault(required.node.id, value)
        return {**seen, **imported}

    def _decided(self, node: Decision) -> object:
        if node.logic is None:
            return self.typed(node, self.given(node))
        run, outer = self.run, self.run.entry
        run.entry = {}  # what is noted about the inputs belongs to this decision
        scope = self.scope(node.requires)
        entry = run.open(node.id, node.name)
        entry["inputs"] = {
            required.node.name: shown(self._values[required.node])
            for required in node.requires
            if isinstance(required.node, (InputData, Decision))
        }
        given = {name: shown(self._visible[name]) for name in node.reads if name in self._visible}
        if given:  # what nobody draws
            entry["given"] = given
        found = self.typed(node, node.logic(scope, run))
        entry["value"] = shown(found)
        run.entry = outer
        return found

    def input_of(self, node: Node) -> object:
        """Return what is given for a node, in its type."""
        return self.typed(node, self.given(node))

    def given(self, node: Node) -> object:
        """Return what stands for a node in the inputs: by namespace and name, or by name."""
        key = (node.space, node.name)
        return self._inputs[key] if key in self._inputs else self._inputs.get(node.name)

    def typed(self, node: Node, value: object) -> object:
        """Return a value in the type of its node, or null with a note."""
        if node.type is None:
            return value
        try:
            return node.type.coerce(value)
        except Mismatch as cause:
            self.run.note(node.id, f"{node.name}: {cause}")
            return None

    # ------------------------------------------------ functions

    def _function(self, node: Knowledge) -> Function | None:
        if node.body is None:
            return None
        scope = Sitting(self.run, {}).scope(node.requires)
        made = make_function(
            node.name, node.parameters, node.types, node.body, scope, self.run, node.type
        )
        scope.setdefault(node.name, made)
        return made

    def _service(self, node: ServiceNode) -> Function:
        kinds = [given.type or ANY for given in node.given]
        return Function(
            node.name,
            [given.name for given in node.given],
            lambda values: self.served(node, dict(zip(node.given, values, strict=True))),
            parameter_types=kinds,
            result_type=node.type,
        )

    def served(self, node: ServiceNode, given: Mapping[Node, object]) -> object:
        """Make the output decisions of a service from what it is given."""
        run, outer = self.run, self.run.entry
        run.enter()
        inner = Sitting(run, {}, given)
        values = {output.name: inner.value(output) for output in node.outputs}
        run.depth -= 1
        run.entry = outer
        return next(iter(values.values())) if len(node.outputs) == 1 else values


def inputs_of(node: Node) -> set[str]:
    """Return the names of all that may be given to a decision or service from outside."""
    if isinstance(node, ServiceNode):
        return {one.name for one in node.given}
    found: set[str] = set()
    seen: set[Node] = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one not in seen and isinstance(one, Decision):
            found |= one.reads
            waiting.extend(required.node for required in one.requires)
        if isinstance(one, InputData) or (isinstance(one, Decision) and one.logic is None):
            found.add(one.name)
        seen.add(one)
    return found


def circle(node: Decision) -> bool:
    """Tell whether a decision requires itself, by any way."""
    seen: set[Node] = set()
    waiting: list[Node] = [required.node for required in node.requires]
    while waiting:
        found = waiting.pop()
        if found is node:
            return True
        if found not in seen and isinstance(found, (Decision, Knowledge)):
            waiting.extend(required.node for required in found.requires)
        elif found not in seen and isinstance(found, ServiceNode):
            waiting.extend(found.outputs)
        seen.add(found)
    return False
