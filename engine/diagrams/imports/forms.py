"""Forms inside a diagram: `zeebe:userTaskForm`, as the Camunda Modeler embeds them.

Forms that an importer makes are embedded too, so that they are found the same way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lxml.etree import _Element as Element

from engine.diagrams.imports.passage import Passage, add, extensions_of, process_around
from engine.diagrams.names import bpmn, zeebe

#: what a form key begins with that means a form inside the diagram
EMBEDDED = "camunda-forms:bpmn:"
#: the version of the form schema that is written
SCHEMA_VERSION = 18

Form = dict[str, Any]


def new_form(identifier: str, components: list[Form]) -> Form:
    """Return a form as the Camunda Modeler writes it."""
    return {
        "id": identifier,
        "type": "default",
        "schemaVersion": SCHEMA_VERSION,
        "executionPlatform": "Camunda Cloud",
        "executionPlatformVersion": "8.9.0",
        "components": components,
    }


def embed(passage: Passage, task: Element, components: list[Form]) -> None:
    """Put a form into the process and let the task show it; nothing without components."""
    if not components:
        return
    identifier = f"userTaskForm_{task.get('id')}"
    block = add(extensions_of(process_around(task)), zeebe("userTaskForm"), task)
    block.set("id", identifier)
    passage.forms.append(identifier)
    block.text = json.dumps(new_form(identifier, components), ensure_ascii=False)
    passage.zeebe(task, "formDefinition", formKey=f"{EMBEDDED}{identifier}")


def embedded(root: Element) -> Mapping[str, bytes]:
    """Return the forms inside a file by their ids, as they were written."""
    found: dict[str, bytes] = {}
    for process in root.iterchildren(bpmn("process")):
        for one in process.iterfind(f"{bpmn('extensionElements')}/{zeebe('userTaskForm')}"):
            found.setdefault(one.get("id") or "", (one.text or "").strip().encode())
    return found
