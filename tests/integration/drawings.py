"""Small diagrams for the tests of the runtime, written as text: one function per shape."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="defs" targetNamespace="urn:test">"""


def drawn(body: str, *, process_id: str = "p", beside: str = "") -> bytes:
    """Return a file with one process; `beside` are messages, signals and errors."""
    return (
        f'{_HEAD}{beside}<bpmn:process id="{process_id}" isExecutable="true">{body}'
        "</bpmn:process></bpmn:definitions>"
    ).encode()


def line(*ids: str) -> str:
    """Return sequence flows that connect the elements one after another."""
    return "".join(
        f'<bpmn:sequenceFlow id="flow_{a}_{b}" sourceRef="{a}" targetRef="{b}"/>'
        for a, b in pairwise(ids)
    )


def start(inside: str = "") -> str:
    """Return the start event `begin`."""
    return f'<bpmn:startEvent id="begin">{inside}</bpmn:startEvent>'


END = '<bpmn:endEvent id="end"/>'


def extended(tag: str, element_id: str, extension: str, inside: str = "") -> str:
    """Return an element with zeebe extensions."""
    return (
        f'<bpmn:{tag} id="{element_id}"><bpmn:extensionElements>{extension}'
        f"</bpmn:extensionElements>{inside}</bpmn:{tag}>"
    )


def scripts(count: int = 10) -> bytes:
    """Return a process of script tasks: r0 = a + 0, r1 = a + 1 ..."""
    ids = [f"add_{n}" for n in range(count)]
    tasks = "".join(
        extended("scriptTask", name, f'<zeebe:script expression="=a + {n}" resultVariable="r{n}"/>')
        for n, name in enumerate(ids)
    )
    return drawn(start() + tasks + END + line("begin", *ids, "end"))


def user_task(
    element_id: str, *, groups: str = "", users: str = "", assignee: str = ""
) -> str:  # fmt: skip
    """Return a user task."""
    given = {"candidateGroups": groups, "candidateUsers": users, "assignee": assignee}
    attributes = " ".join(f'{name}="{value}"' for name, value in given.items() if value)
    definition = f"<zeebe:assignmentDefinition {attributes}/>" if attributes else ""
    return extended("userTask", element_id, f"<zeebe:userTask/>{definition}")


def timer(duration: str) -> str:
    """Return the definition of a timer."""
    return (
        '<bpmn:timerEventDefinition><bpmn:timeDuration xsi:type="bpmn:tFormalExpression" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{duration}</bpmn:timeDuration>'
        "</bpmn:timerEventDefinition>"
    )


def two_tasks(*, groups: str = "sales", reminder: bool = False) -> bytes:
    """Return a process of the user tasks `offer` and `sign`, with a reminder timer if wanted."""
    extra = ""
    if reminder:
        extra = (
            '<bpmn:boundaryEvent id="late" attachedToRef="offer" cancelActivity="false">'
            f'{timer("PT1H")}</bpmn:boundaryEvent><bpmn:endEvent id="told"/>' + line("late", "told")
        )
    return drawn(
        start() + user_task("offer", groups=groups) + user_task("sign", groups=groups) + END
        + line("begin", "offer", "sign", "end") + extra
    )  # fmt: skip


def service(topic: str, element_id: str = "", *, retries: str = "") -> str:
    """Return a service task; its id is its topic if not given."""
    more = f' retries="{retries}"' if retries else ""
    return extended(
        "serviceTask", element_id or topic, f'<zeebe:taskDefinition type="{topic}"{more}/>'
    )


def services(topics: Sequence[str], *, retries: str = "") -> bytes:
    """Return a process of service tasks one after another."""
    tasks = "".join(service(topic, retries=retries) for topic in topics)
    return drawn(start() + tasks + END + line("begin", *topics, "end"))


def fork(topics: Sequence[str]) -> bytes:
    """Return a process of service tasks side by side."""
    arms = "".join(service(topic) + line("split", topic, "join") for topic in topics)
    return drawn(
        start() + '<bpmn:parallelGateway id="split"/><bpmn:parallelGateway id="join"/>' + END
        + line("begin", "split") + arms + line("join", "end")
    )  # fmt: skip


def message(name: str, key: str = "") -> str:
    """Return the message `m_NAME`, with a correlation key if one is given."""
    inside = ""
    if key:
        inside = (
            "<bpmn:extensionElements>"
            f'<zeebe:subscription correlationKey="{key}"/></bpmn:extensionElements>'
        )
    return f'<bpmn:message id="m_{name}" name="{name}">{inside}</bpmn:message>'


def on_message(name: str) -> str:
    """Return a message event definition."""
    return f'<bpmn:messageEventDefinition messageRef="m_{name}"/>'


def on_signal(name: str) -> str:
    """Return a signal event definition."""
    return f'<bpmn:signalEventDefinition signalRef="s_{name}"/>'


def signal(name: str) -> str:
    """Return the signal `s_NAME`."""
    return f'<bpmn:signal id="s_{name}" name="{name}"/>'


def waits_for_message(name: str, *, key: str = "=number", process_id: str = "waits") -> bytes:
    """Return a process that waits for a message, or for a person who cancels the wait."""
    catch = (
        f'<bpmn:intermediateCatchEvent id="catch">{on_message(name)}</bpmn:intermediateCatchEvent>'
    )
    return drawn(
        start() + catch + END + line("begin", "catch", "end"),
        process_id=process_id,
        beside=message(name, key),
    )


def throws_message(name: str, *, key: str = "=number", process_id: str = "throws") -> bytes:
    """Return a process that sends a message and ends."""
    event = (
        f'<bpmn:intermediateThrowEvent id="throw">{on_message(name)}</bpmn:intermediateThrowEvent>'
    )
    return drawn(
        start() + event + END + line("begin", "throw", "end"),
        process_id=process_id,
        beside=message(name, key),
    )


def begins_by_message(name: str, process_id: str = "begun") -> bytes:
    """Return a process that a message begins, with one user task."""
    return drawn(
        start(on_message(name)) + user_task("look") + END + line("begin", "look", "end"),
        process_id=process_id,
        beside=message(name),
    )


def waits_for_signal(name: str, process_id: str = "waits") -> bytes:
    """Return a process that waits for a signal."""
    catch = (
        f'<bpmn:intermediateCatchEvent id="catch">{on_signal(name)}</bpmn:intermediateCatchEvent>'
    )
    return drawn(
        start() + catch + END + line("begin", "catch", "end"),
        process_id=process_id,
        beside=signal(name),
    )


def throws_signal(name: str, process_id: str = "throws") -> bytes:
    """Return a process that sends a signal."""
    event = (
        f'<bpmn:intermediateThrowEvent id="throw">{on_signal(name)}</bpmn:intermediateThrowEvent>'
    )
    return drawn(
        start() + event + END + line("begin", "throw", "end"),
        process_id=process_id,
        beside=signal(name),
    )


def begins_by_cycle(cycle: str, process_id: str = "cyclic") -> bytes:
    """Return a process that a timer begins again and again."""
    timed = (
        '<bpmn:timerEventDefinition><bpmn:timeCycle xsi:type="bpmn:tFormalExpression" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{cycle}</bpmn:timeCycle>'
        "</bpmn:timerEventDefinition>"
    )
    return drawn(start(timed) + END + line("begin", "end"), process_id=process_id)


def pause(duration: str) -> bytes:
    """Return a process that waits for a while."""
    catch = (
        f'<bpmn:intermediateCatchEvent id="pause">{timer(duration)}</bpmn:intermediateCatchEvent>'
    )
    return drawn(start() + catch + END + line("begin", "pause", "end"))


def calls(called: str, process_id: str = "caller") -> bytes:
    """Return a process that calls another one."""
    call = extended(
        "callActivity", "call", f'<zeebe:calledElement processId="{called}"/>'
    )  # fmt: skip
    return drawn(start() + call + END + line("begin", "call", "end"), process_id=process_id)
