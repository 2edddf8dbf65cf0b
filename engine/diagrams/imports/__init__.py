"""Importers: diagrams of other tools become diagrams of the zeebe dialect, tree to tree.

`adopt` is the first step for every file, before the gate looks at it and before it is rewritten;
what cannot be carried over is reported at the element and line of the original.
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml.etree import _Element as Element

from engine.diagrams.imports import camunda_rules, spiff_rules
from engine.diagrams.imports.camunda import import_camunda
from engine.diagrams.imports.forms import EMBEDDED, embedded
from engine.diagrams.imports.passage import NO_FILES, Files, Passage
from engine.diagrams.imports.plain import import_plain
from engine.diagrams.imports.spiff import import_spiff
from engine.diagrams.imports.zeebe import import_listeners
from engine.diagrams.names import CAMUNDA, SPIFF
from engine.diagrams.report import Report
from engine.diagrams.xml import read_xml

__all__ = ["EMBEDDED", "Files", "Passage", "adopt", "embedded", "forms_inside"]


def adopt(
    root: Element, report: Report, *, python: bool = False, files: Files = NO_FILES
) -> Passage:
    """Turn a parsed file into one of the zeebe dialect, in place; problems go to the report.

    `python`: scripts in Python run here. `files` are those of the bundle.
    """
    passage = Passage(root=root, report=report, python=python, files=files)
    spaces = _spaces(root)
    passage.foreign.update(spaces & {CAMUNDA, SPIFF})
    if CAMUNDA in spaces:
        import_camunda(passage)
    if SPIFF in spaces:
        import_spiff(passage)
    import_plain(passage)
    import_listeners(passage)
    tell_notes(passage)
    return passage


def forms_inside(content: bytes, files: Files) -> Mapping[str, bytes]:
    """Return the forms inside a diagram, drawn there or made by an importer, by their ids."""
    report = Report("")
    root = read_xml(content, report, max_bytes=len(content) + 1)
    if root is None:
        return {}
    adopt(root, report, files=files)
    return embedded(root)


def tell_notes(passage: Passage) -> None:
    """Say once for each kind what has no effect here, and how often it stands there."""
    for name, elements in passage.noted.items():
        reason = camunda_rules.NOTED.get(name) or spiff_rules.NOTED[name]
        if len(elements) == 1:
            passage.report.info(
                elements[0], "“{name}” has no effect here: {reason}", name=name, reason=reason
            )
            continue
        passage.report.info(
            elements[0],
            "“{name}” has no effect here ({count} times): {reason}",
            name=name,
            count=len(elements),
            reason=reason,
        )


def _spaces(root: Element) -> set[str]:
    return {
        str(space) for element in root.iter("{*}*") for space in element.nsmap.values() if space
    }
