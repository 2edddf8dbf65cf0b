"""Diagrams for tests: one that is good, and the wrong ones that a deployment must refuse."""

from __future__ import annotations

from dataclasses import dataclass

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'id="definitions" targetNamespace="https://caseway.dev/tests">\n'
)
_TAIL = "</bpmn:definitions>\n"
TASK = '<bpmn:userTask id="work" name="Work"/>'


def drawn(task: str = TASK, *, process: str = "plain") -> str:
    """Return a process: start, one task with the id `work`, end."""
    return (
        f'{_HEAD}<bpmn:process id="{process}" isExecutable="true">\n'
        '<bpmn:startEvent id="begin"/>\n'
        '<bpmn:sequenceFlow id="f1" sourceRef="begin" targetRef="work"/>\n'
        f"{task}\n"
        '<bpmn:sequenceFlow id="f2" sourceRef="work" targetRef="finish"/>\n'
        '<bpmn:endEvent id="finish"/>\n'
        f"</bpmn:process>\n{_TAIL}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A file that must be refused."""

    name: str
    content: bytes
    #: must stand in one of the problems, in small letters
    says: str
    #: id of the element that a problem must name; None where the file as a whole is wrong
    element: str | None = None


_ENTITIES = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "ha">' for n in range(10)
)


def _with_doctype(subset: str, text: str) -> bytes:
    """Return the good diagram with a DOCTYPE, and a name that uses one of its entities."""
    doctype = f"<!DOCTYPE x [{subset}]><bpmn:definitions"
    whole = drawn(TASK.replace("Work", text)).replace("<bpmn:definitions", doctype, 1)
    return whole.encode()


_EXTERNAL = '<!ENTITY e SYSTEM "file:///etc/hostname">'
_UNKNOWN_EXTENSION = (
    '<bpmn:userTask id="work"><bpmn:extensionElements><zeebe:teleport to="mars"/>'
    "</bpmn:extensionElements></bpmn:userTask>"
)
_MISSING_HANDLER = (
    '<bpmn:serviceTask id="work"><bpmn:extensionElements>'
    '<zeebe:taskDefinition type="nobody.does.this"/>'
    "</bpmn:extensionElements></bpmn:serviceTask>"
)
_FEEL_ERROR = (
    '<bpmn:scriptTask id="work"><bpmn:extensionElements>'
    '<zeebe:script expression="=1 + (" resultVariable="x"/>'
    "</bpmn:extensionElements></bpmn:scriptTask>"
)

WRONG = (
    Wrong(name="not_xml", content=b"this is a letter, not a diagram", says="xml"),
    Wrong(name="cut_off", content=drawn().encode()[:300], says="xml"),
    Wrong(name="bomb", content=_with_doctype(_ENTITIES, "&l9;"), says="document type"),
    Wrong(name="external_entity", content=_with_doctype(_EXTERNAL, "&e;"), says="document type"),
    Wrong(name="wrong_namespace",
          content=drawn().replace("20100524/MODEL", "20990101/MODEL").encode(), says="20990101"),
    Wrong(name="no_bpmn_at_all", content=b"<html><body/></html>", says="bpmn"),
    Wrong(name="duplicate_ids", content=drawn(TASK + TASK).encode(), says="work", element="work"),
    Wrong(name="unknown_element", content=drawn('<bpmn:magicTask id="work"/>').encode(),
          says="magictask", element="work"),
    Wrong(name="unknown_extension", content=drawn(_UNKNOWN_EXTENSION).encode(), says="teleport",
          element="work"),
    Wrong(name="missing_handler", content=drawn(_MISSING_HANDLER).encode(),
          says="nobody.does.this", element="work"),
    Wrong(name="feel_error", content=drawn(_FEEL_ERROR).encode(), says="", element="work"),
)  # fmt: skip


def many_wrongs() -> bytes:
    """Return one file with three different errors, all of which must be told."""
    tasks = (
        _MISSING_HANDLER
        + _FEEL_ERROR.replace('id="work"', 'id="second"')
        + _UNKNOWN_EXTENSION.replace('id="work"', 'id="third"')
        + '<bpmn:sequenceFlow id="g1" sourceRef="work" targetRef="second"/>'
        + '<bpmn:sequenceFlow id="g2" sourceRef="second" targetRef="third"/>'
        + '<bpmn:sequenceFlow id="g3" sourceRef="third" targetRef="finish"/>'
    )
    whole = drawn(tasks)
    return whole.replace(
        '<bpmn:sequenceFlow id="f2" sourceRef="work" targetRef="finish"/>\n', ""
    ).encode()
