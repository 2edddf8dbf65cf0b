"""Global tasks: callable on their own, executed as processes of one task (BPMN 2.0.2, 10.3.6).

What a caller sees of it, name and data, is the process's; what is done is the task's.
"""

from __future__ import annotations

from lxml import etree
from lxml.etree import _Element as Element

from engine.diagrams.names import bpmn, is_bpmn, local

#: tag of the global task -> tag of the task inside
TASKS = {
    "globalTask": "task",
    "globalUserTask": "userTask",
    "globalManualTask": "manualTask",
    "globalScriptTask": "scriptTask",
    "globalBusinessRuleTask": "businessRuleTask",
}
#: what stays at the process: its documentation and what it takes and gives
_OF_THE_PROCESS = ("documentation", "supportedInterfaceRef", "ioSpecification", "ioBinding")


def global_tasks(root: Element) -> list[Element]:
    """Return the global tasks of a file."""
    return [child for child in root.iterchildren("{*}*") if is_bpmn(child, *TASKS)]


def as_processes(root: Element) -> None:
    """Replace each global task by a process with one task in it, `<id>.task`, in place."""
    for found in global_tasks(root):
        place = found.getparent()
        assert place is not None
        place.replace(found, _process(found))


def _process(found: Element) -> Element:
    identifier, name = found.get("id") or "", found.get("name")
    process = etree.Element(bpmn("process"), {"id": identifier, "isExecutable": "true"})
    task = etree.Element(bpmn(TASKS[local(found)]), {"id": f"{identifier}.task"})
    for element in (process, task):
        element.sourceline = found.sourceline
        if name:
            element.set("name", name)
    if found.get("scriptLanguage"):
        task.set("scriptFormat", str(found.get("scriptLanguage")))
    if found.get("implementation"):
        task.set("implementation", str(found.get("implementation")))
    for child in list(found):
        (process if is_bpmn(child, *_OF_THE_PROCESS) else task).append(child)
    process.append(task)
    process.tail = found.tail
    return process
