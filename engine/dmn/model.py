"""A decision model: read once with all files it imports, then evaluated as often as wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.dmn.boxed import call
from engine.dmn.evaluation import Evaluation
from engine.dmn.findings import Findings
from engine.dmn.graph import Decision, Knowledge, Node, ServiceNode, Sitting, inputs_of
from engine.dmn.space import Space
from engine.dmn.xml import read_xml
from engine.errors import FeelError, NotFound
from engine.feel.values import Function
from engine.model import Problem, Value


@dataclass(frozen=True, slots=True)
class Decided:
    """The value of a decision, and how it came about."""

    value: Value
    #: one dict per decision, in the order in which they were made; made of JSON and FEEL values
    explanation: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class DrawnDecision:
    """A decision that can be called by its id."""

    id: str
    name: str
    #: line in the file
    line: int | None
    #: what a call may be bound to; None for no tag
    version_tag: str | None = None


class Model:
    """What a file decides. Immutable, may be shared by threads."""

    def __init__(self, space: Space | None, problems: tuple[Problem, ...], file: str) -> None:
        #: name of the model
        self.name = file if space is None else space.root.get("name") or file
        #: every objection to the file and to those it imports
        self.problems = problems
        self._tables = () if space is None else tuple(space.tables)
        self._drawn = frozenset() if space is None else _drawn(space)
        self._nodes: Mapping[str, Node] = {} if space is None else space.nodes
        self._by_name = {node.name: node for node in reversed(list(self._nodes.values()))}

    @property
    def rules(self) -> Mapping[str, tuple[str, ...]]:
        """Return the rules of every table: id of the table -> remark of each rule, in order."""
        return {
            table.id or "": tuple(rule.annotation for rule in table.rules) for table in self._tables
        }

    @property
    def decisions(self) -> tuple[DrawnDecision, ...]:
        """Return the decisions that have logic, and the services, in the order of the file."""
        return tuple(
            DrawnDecision(node.id, node.name, node.line, node.version_tag)
            for node in self._nodes.values()
            if isinstance(node, ServiceNode)
            or (isinstance(node, Decision) and node.logic is not None)
        )

    def evaluate(
        self,
        id_or_name: str,
        inputs: Mapping[Any, Value],
        *,
        now: datetime | None = None,
    ) -> Decided:
        """Make a decision, and first all that it requires.

        `inputs` are values by name (of an imported model also by namespace and name). Raises
        NotFound for an unknown decision, ExecutionFault where rules contradict each other, and
        FeelError where a limit is broken.
        """
        run = Evaluation(now)
        found = self._made(run, self._decision(id_or_name), inputs)
        if run.entries and run.entry:  # about the inputs of a service
            run.entries[-1].setdefault("notes", []).extend(run.entry["notes"])
        return Decided(found, run.entries)

    def inputs(self, id_or_name: str) -> frozenset[str]:
        """Return the names that a decision may be given values for. Raises NotFound."""
        return frozenset(inputs_of(self._decision(id_or_name)))

    def _decision(self, id_or_name: str) -> Decision | ServiceNode:
        node = self._nodes.get(id_or_name) or self._by_name.get(id_or_name)
        if isinstance(node, (Decision, ServiceNode)):
            return node
        known = ", ".join(one.id for one in self.decisions)
        way = f"its decisions are {known}" if known else "it has none"
        raise NotFound(f"the model has no decision “{id_or_name}”; {way}")

    def invoke(
        self, id_or_name: str, inputs: Mapping[Any, Value], *, now: datetime | None = None
    ) -> Value:
        """Call a decision service or a business knowledge model with named arguments.

        What is left out is null. Raises NotFound and what `evaluate` raises.
        """
        found = self._by_name.get(id_or_name)
        node = self._nodes.get(id_or_name) or found
        if not isinstance(node, (ServiceNode, Knowledge)):
            raise NotFound(f"the model has no service or function “{id_or_name}”")
        return self._made(Evaluation(now), node, inputs)

    def _made(self, run: Evaluation, node: Node, inputs: Mapping[Any, Value]) -> Value:
        """Return the value of a decision, or what a service or function gives for inputs."""
        sitting = Sitting(run, inputs, drawn=self._drawn)
        try:
            if isinstance(node, ServiceNode):
                given = {one: sitting.input_of(one) for one in node.given}
                return sitting.typed(node, sitting.served(node, given))
            found = sitting.value(node)
            if not isinstance(node, Knowledge) or not isinstance(found, Function):
                return found
            arguments = {name: inputs.get(name) for name in found.parameters}
            return call(run, found, arguments, node.id)
        except RecursionError:
            raise FeelError("the decision or its data are nested too deeply") from None


def load(
    xml: bytes,
    imports: Mapping[str, bytes] | None = None,
    *,
    file: str = "",
    checks: bool = True,
) -> Model:
    """Read a model. `imports` are the files of imported models by namespace.

    With `checks`, tables are searched for gaps, overlaps and rules that never fire. Whatever
    is wrong stands in `problems`; what is wrong there is null when it is evaluated.
    """
    main, said = _read(file, xml)
    spaces = {} if main is None else {main.namespace: main}
    for namespace, data in (imports or {}).items():
        other, _ = _read(namespace, data)
        if other is not None:
            spaces.setdefault(namespace, other)
    if main is None:
        return Model(None, said.problems, file)
    needed = _compiled([main], spaces, checks)
    problems = tuple(problem for space in needed for problem in space.findings.problems)
    return Model(main, problems, file)


def load_files(files: Mapping[str, bytes], *, checks: bool = True) -> dict[str, Model]:
    """Read files that may import each other: a model for each, with its own problems only."""
    read = {name: _read(name, data) for name, data in files.items()}
    spaces: dict[str, Space] = {}
    for space, findings in read.values():
        if space is not None and spaces.setdefault(space.namespace, space) is not space:
            findings.error(
                space.root,
                "the namespace “{namespace}” is also that of {file}",
                "give each model of a bundle a namespace of its own",
                namespace=space.namespace,
                file=spaces[space.namespace].file,
            )
    _compiled([space for space, _ in read.values() if space is not None], spaces, checks)
    return {name: Model(space, said.problems, name) for name, (space, said) in read.items()}


def _drawn(space: Space) -> frozenset[str]:
    return space.drawn.union(*(imported.drawn for imported in space.imports.values()))


def _read(file: str, xml: bytes) -> tuple[Space | None, Findings]:
    findings = Findings(file)
    root = read_xml(xml, findings)
    return (None if root is None else Space(root, findings)), findings


def _compiled(wanted: list[Space], spaces: Mapping[str, Space], checks: bool) -> list[Space]:
    """Connect files with their imports, and these with theirs, and compile all of them."""
    order: list[Space] = []
    waiting = [*wanted]
    while waiting:
        space = waiting.pop(0)
        if space not in order:
            space.connect(spaces)
            order.append(space)
            waiting.extend(space.imports.values())
    for space in order:
        space.link()
    for space in order:
        space.compile(checks=checks)
    return order
