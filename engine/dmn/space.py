"""What one file draws, read: its nodes, their requirements and their compiled logic."""

from __future__ import annotations

from collections.abc import Mapping

from lxml.etree import _Element as Element

from engine.dmn import boxed, loops, table_reader
from engine.dmn.compiler import Compiler, members_of
from engine.dmn.findings import Findings, line_of
from engine.dmn.graph import Decision, InputData, Knowledge, Node, Required, ServiceNode, circle
from engine.dmn.tables import Table
from engine.dmn.types import Types
from engine.dmn.xml import child, children, local, named
from engine.feel.types import FunctionType, Type

#: importing these fills the table of boxed expressions
LOADED = (boxed, loops, table_reader)
_KINDS: dict[str, type[Node]] = {
    "inputData": InputData,
    "decision": Decision,
    "businessKnowledgeModel": Knowledge,
    "decisionService": ServiceNode,
}
_VERSION_TAG = "{http://camunda.org/schema/zeebe/1.0}versionTag"
_REQUIREMENTS = {
    "informationRequirement": ("requiredDecision", "requiredInput"),
    "knowledgeRequirement": ("requiredKnowledge",),
}


class Space:
    """One file of a model. All files are connected, then linked, then compiled."""

    def __init__(self, root: Element, findings: Findings) -> None:
        self.root = root
        self.file = findings.file
        self.findings = findings
        self.namespace = (root.get("namespace") or "").strip()
        self.nodes: dict[str, Node] = {}
        self.tables: list[Table] = []
        self._elements: dict[Node, Element] = {}
        #: name of an import -> the file it means
        self.imports: dict[str, Space] = {}
        self.types = Types(root, findings, self._foreign)
        #: as FEEL sees them, without allowed values
        self.plain_types = Types(root, findings, self._foreign, constrained=False)
        self._read()
        #: names of all that is drawn
        self.drawn = frozenset(node.name for node in self.nodes.values())

    def _read(self) -> None:
        for element in self.root.iter():
            kind = _KINDS.get(local(element))
            if kind is None or not self._is_drawn(element):
                continue
            name = named(element)
            id = element.get("id") or name
            if not name and not id:
                self.findings.error(element, "an element has neither id nor name", "give it a name")
                continue
            if id in self.nodes:
                self.findings.error(element, "the id “{id}” occurs twice", "rename one", id=id)
            variable = child(element, "variable")
            seen = named(variable) if variable is not None else ""
            node = kind(id, seen or name or id, self.namespace, line=line_of(element))
            node.version_tag = _tag(element) or _tag(self.root)
            self.nodes[id] = node
            self._elements[node] = element

    def _is_drawn(self, element: Element) -> bool:
        """Tell a node from a reference of the same name inside a decision service."""
        return element.getparent() is self.root

    def _foreign(self, alias: str, constrained: bool) -> Types | None:
        """Return the types of an imported file by its name, or by the prefix of its namespace."""
        found = self.imports.get(alias)
        if found is None and alias:
            space = self.root.nsmap.get(alias)
            found = next((one for one in self.imports.values() if one.namespace == space), None)
        if found is None:
            return None
        return found.types if constrained else found.plain_types

    def connect(self, spaces: Mapping[str, Space]) -> None:
        """Find the files that are imported."""
        for element in children(self.root, "import"):
            space = (element.get("namespace") or "").strip()
            if "DMN" not in (element.get("importType") or "DMN"):
                continue
            if space not in spaces:
                self.findings.error(
                    element, "the imported model {space} is missing", "add its file to the bundle",
                    space=space,
                )  # fmt: skip
                continue
            self.imports[named(element)] = spaces[space]

    def _unseen(self) -> frozenset[str] | None:
        """Return the names that a decision sees only if it requires them; None where the inputs
        are not drawn, as the modeler of Camunda leaves it."""
        drawn = any(isinstance(node, InputData) for node in self.nodes.values())
        return self.drawn if drawn else None

    def link(self) -> None:
        """Read the types, and give every node its own and what it requires."""
        self.types.all()
        for node, element in self._elements.items():
            node.type = self._type_of(node, element)
            self._link(node, element)

    def compile(self, *, checks: bool) -> None:
        """Compile the logic of every node."""
        members = members_of(self.root)
        for name, space in self.imports.items():
            members |= members_of(space.root) | {name}
        feel_types = dict(self.plain_types.all())
        for name, space in self.imports.items():
            prefix = f"{name}." if name else ""
            feel_types |= {prefix + key: kind for key, kind in space.plain_types.all().items()}
        compiler = Compiler(
            self.root, self.findings, self.types, feel_types, members, self._unseen(),
            checks=checks,
        )  # fmt: skip
        self.tables = compiler.tables
        for node, element in self._elements.items():
            if isinstance(node, Decision) and circle(node):
                self.findings.error(
                    element, "“{name}” requires itself", "break the circle", name=node.name
                )
            self._compile(node, element, compiler)

    def _type_of(self, node: Node, element: Element) -> Type | None:
        kind = self.types.of(child(element, "variable"))
        if isinstance(node, (Knowledge, ServiceNode)) and isinstance(kind, FunctionType):
            return kind.result
        return kind

    def _link(self, node: Node, element: Element) -> None:
        if isinstance(node, ServiceNode):
            node.outputs = self._listed(element, "outputDecision")
            node.given = [
                *self._listed(element, "inputData"),
                *self._listed(element, "inputDecision"),
            ]
            if not node.outputs:
                self.findings.error(
                    element, "the service “{name}” has no output decision",
                    "draw the decision that it gives into it", name=node.name,
                )  # fmt: skip
        elif isinstance(node, (Decision, Knowledge)):
            node.requires = [
                found
                for tag, inner in _REQUIREMENTS.items()
                for requirement in children(element, tag)
                for reference in children(requirement, *inner)
                if (found := self._required(reference)) is not None
            ]

    def _listed(self, element: Element, tag: str) -> list[Node]:
        found = [self._required(reference) for reference in children(element, tag)]
        return [required.node for required in found if required is not None]

    def _required(self, reference: Element) -> Required | None:
        space, _, id = (reference.get("href") or "").strip().rpartition("#")
        if space in ("", self.namespace) and id in self.nodes:
            return Required(self.nodes[id])
        for alias, imported in self.imports.items():
            if imported.namespace == space and id in imported.nodes:
                return Required(imported.nodes[id], alias)
        self.findings.error(
            reference, "the reference “{href}” leads nowhere", "draw it anew",
            href=reference.get("href") or "",
        )  # fmt: skip
        return None

    def _compile(self, node: Node, element: Element, compiler: Compiler) -> None:
        if isinstance(node, Decision):
            logic = compiler.boxed(element)
            if logic is None:
                self.findings.warning(
                    element, "“{name}” has no logic; its value must be given as an input",
                    name=node.name,
                )  # fmt: skip
                return
            compiler.reads.clear()
            compiler.kinds = {
                one.node.name: one.node.type for one in node.requires if not one.alias
            }
            node.logic = compiler.box(logic, _names(node.requires) | set(self.imports) - {""})
            node.reads = frozenset(compiler.reads)
        elif isinstance(node, Knowledge):
            logic = child(element, "encapsulatedLogic")
            if logic is None:
                self.findings.error(element, "“{name}” has no logic", "fill it in", name=node.name)
                return
            names = _names(node.requires) | {node.name}
            node.body, node.parameters, node.types = boxed.function_parts(compiler, logic, names)
            if node.body is not None:
                node.body = compiler.coerced(node.body, compiler.types.of(logic), logic)


def _tag(element: Element) -> str | None:
    """Return the version tag that a modeler wrote into the extensions."""
    found = element.find(f"{{*}}extensionElements/{_VERSION_TAG}")
    return None if found is None else found.get("value")


def _names(requires: list[Required]) -> frozenset[str]:
    """Return the names under which requirements are seen."""
    return frozenset(
        name
        for required in requires
        for name in (required.alias or required.node.name, required.node.name)
    )
