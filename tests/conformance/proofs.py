"""Which tests prove an element: found by watching what the tests play, never typed.

A pytest plugin (`-p tests.conformance.proofs --proofs FILE`): for each test that passes it takes
apart the drawings that were played and notes the entries of SUPPORTED whose elements were executed.
The process tests and probes of the conformance kit prove what stands in their diagrams.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from lxml.etree import _Element as Element

from engine import kernel
from engine.diagrams import bundle
from engine.diagrams.diagram import Diagram, is_compensation
from engine.diagrams.names import is_bpmn
from engine.diagrams.schema import is_a
from engine.diagrams.support import _scope_features, features
from engine.model import Event, Step

#: feature -> names of the tests; those with the fewest other elements first
Proofs = dict[str, list[str]]

#: tests that look at elements and at nothing else are named before all others
_NEAR, _AWAY = "tests/unit/kernel/", 1000


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--proofs", type=Path, help="write which tests prove which element")


def pytest_configure(config: pytest.Config) -> None:
    """Watch if a file is wanted."""
    path = config.getoption("--proofs")
    if path is not None:
        config.pluginmanager.register(Watcher(path))


class Watcher:
    """Collects what each test draws and executes, on whichever way it reaches the kernel."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._drawn: list[Element] = []
        self._events: list[Event] = []
        self._found: dict[str, list[tuple[int, str]]] = {}
        parse, step, read_xml = kernel.parse, kernel.step, vars(bundle)["read_xml"]

        def watched_parse(tree: Element, *rest: Any, **options: Any) -> Any:
            self._drawn.append(tree)
            return parse(tree, *rest, **options)

        def watched_read(*rest: Any, **options: Any) -> Any:
            tree = read_xml(*rest, **options)
            # the gate rewrites what it has read; what counts is what was drawn
            self._drawn += [] if tree is None else [deepcopy(tree)]
            return tree

        def watched_step(*rest: Any) -> Step:
            out = step(*rest)
            self._events += out.events
            return out

        vars(kernel).update(parse=watched_parse, step=watched_step)
        vars(bundle).update(read_xml=watched_read)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        report = yield
        if call.when == "call" and report.passed:
            self._note(item.nodeid.partition("[")[0])
        if call.when != "setup":
            self._drawn, self._events = [], []
        return report

    def _note(self, name: str) -> None:
        """Note what a test has executed; the fewer kinds of elements, the better it shows each."""
        features = {f for tree in self._drawn for f in executed(tree, self._events)}
        for feature in features:
            known = self._found.setdefault(feature, [])
            if name not in (other for _, other in known):
                known.append((len(features) + _AWAY * (_NEAR not in name), name))

    def pytest_sessionfinish(self) -> None:
        found = {f: [name for _, name in sorted(tests)] for f, tests in sorted(self._found.items())}
        self._path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def executed(tree: Element, events: Sequence[Event]) -> set[str]:
    """Return the entries of SUPPORTED whose elements have really been executed."""
    done = {event.element_id for event in events if event.kind == "element.completed"}
    begun = {event.element_id for event in events if event.kind == "element.activated"}
    undone = any(event.kind == "compensation.started" for event in events)
    found: set[str] = set()
    for element, entries in _entries(Diagram("drawing", tree)):
        id = element.get("id")
        by_event = is_bpmn(element, "boundaryEvent", "startEvent") or is_compensation(element)
        # what names a handler, and what is called or stored, has no token of its own
        without_token = ("boundary compensate" in entries and undone) or (
            is_a(element, "process", "globalTask", "dataStoreReference", "eventBasedGateway")
            and bool(begun)
            and (id in done or not {"eventBasedGateway"} & entries)
        )
        if id in done or without_token or (by_event and id in begun):
            found |= entries
    return found


def contained(bpmn: str) -> set[str]:
    """Return the entries of SUPPORTED that stand in a diagram."""
    diagram = Diagram("diagram", etree.fromstring(bpmn.encode()))
    return {entry for _, entries in _entries(diagram) for entry in entries}


def _entries(diagram: Diagram) -> Iterator[tuple[Element, set[str]]]:
    for element in diagram.elements:
        if is_a(element, "flowNode", "globalTask", "dataStoreReference"):
            yield element, set(features(diagram, element))
    for scope in diagram.scopes:
        if not is_bpmn(scope, "adHocSubProcess"):
            yield scope, set(_scope_features(diagram, scope))


def of_kit(records: Iterable[Mapping[str, Any]]) -> Proofs:
    """Return what the records of a corpus prove, by the names of the records."""
    found: dict[str, list[tuple[int, str]]] = {}
    for record in records:
        features = contained(record["bpmn"])
        for feature in features:
            found.setdefault(feature, []).append((len(features), record["name"]))
    return {feature: [name for _, name in sorted(tests)] for feature, tests in found.items()}
