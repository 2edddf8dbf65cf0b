"""Draws small diagrams for tests: each function returns a piece of BPMN XML in the zeebe dialect.

diagram(process("p", start("s"), user("a"), end("e"), path("s", "a", "e")))
"""

from __future__ import annotations

from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:cw="https://caseway.dev/internal"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="drawing"'
    ' targetNamespace="http://example.org/drawing">'
)


def diagram(*parts: str) -> bytes:
    """Return a whole file."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n' + HEAD + "\n".join(parts) + "</definitions>"
    ).encode()


def node(tag: str, id: str, *inside: str, **attributes: str) -> str:
    """Return any element with an id; attribute names may end in an underscore."""
    pairs = "".join(f" {k.rstrip('_')}={quoteattr(v)}" for k, v in attributes.items())
    return f"<{tag} id={quoteattr(id)}{pairs}>{''.join(inside)}</{tag}>"


def process(id: str, *inside: str) -> str:
    """Return an executable process."""
    return node("process", id, *inside, isExecutable="true")


def path(*ids: str) -> str:
    """Return the sequence flows along a chain of nodes, named a-b."""
    return "".join(flow(a, b) for a, b in pairwise(ids))


def flow(source: str, target: str, condition: str = "", id: str = "") -> str:
    """Return one sequence flow; a condition is FEEL."""
    inside = ""
    if condition:
        inside = f"<conditionExpression>={escape(condition)}</conditionExpression>"
    return node(
        "sequenceFlow", id or f"{source}-{target}", inside, sourceRef=source, targetRef=target
    )


def start(id: str, *inside: str) -> str:
    return node("startEvent", id, *inside)


def end(id: str, *inside: str) -> str:
    return node("endEvent", id, *inside)


def catch(id: str, *inside: str) -> str:
    return node("intermediateCatchEvent", id, *inside)


def throw(id: str, *inside: str) -> str:
    return node("intermediateThrowEvent", id, *inside)


def boundary(id: str, host: str, *inside: str, cancels: bool = True) -> str:
    return node(
        "boundaryEvent",
        id,
        *inside,
        attachedToRef=host,
        cancelActivity="true" if cancels else "false",
    )


def user(id: str, *inside: str) -> str:
    return node("userTask", id, *inside)


def task(id: str, *inside: str) -> str:
    return node("task", id, *inside)


def script(id: str, expression: str, result: str, *inside: str) -> str:
    """Return a script task that sets one variable by a FEEL expression."""
    text = quoteattr("=" + expression)
    say = f"<zeebe:script expression={text} resultVariable={quoteattr(result)}/>"
    return node("scriptTask", id, extension(say), *inside)


def service(id: str, topic: str, *inside: str, retries: str = "") -> str:
    """Return a service task done by a handler."""
    more = f" retries={quoteattr(retries)}" if retries else ""
    return node(
        "serviceTask",
        id,
        extension(f"<zeebe:taskDefinition type={quoteattr(topic)}{more}/>"),
        *inside,
    )


def extension(*inside: str) -> str:
    return f"<extensionElements>{''.join(inside)}</extensionElements>"


def mapping(inputs: dict[str, str] | None = None, outputs: dict[str, str] | None = None) -> str:
    """Return zeebe:ioMapping; targets to FEEL sources."""
    parts = [
        f"<zeebe:{kind} source={quoteattr('=' + source)} target={quoteattr(target)}/>"
        for kind, pairs in (("input", inputs or {}), ("output", outputs or {}))
        for target, source in pairs.items()
    ]
    return f"<zeebe:ioMapping>{''.join(parts)}</zeebe:ioMapping>"


def gateway(kind: str, id: str, default: str = "") -> str:
    """Return an exclusive, parallel, inclusive or eventBased gateway."""
    return node(f"{kind}Gateway", id, **({"default": default} if default else {}))


def sub(id: str, *inside: str) -> str:
    return node("subProcess", id, *inside)


def call(id: str, process_id: str, *inside: str, **attributes: str) -> str:
    """Return a call activity in the zeebe dialect."""
    more = "".join(f" {k}={quoteattr(v)}" for k, v in attributes.items())
    called = f"<zeebe:calledElement processId={quoteattr(process_id)}{more}/>"
    return node("callActivity", id, extension(called), *inside)


def repeat(
    collection: str = "",
    element: str = "",
    *,
    sequential: bool = False,
    collect: str = "",
    result: str = "",
    until: str = "",
    times: str = "",
) -> str:
    """Return multi-instance characteristics; all texts are FEEL."""
    zeebe = ""
    if collection:
        more = (
            f" outputCollection={quoteattr(collect)} outputElement={quoteattr('=' + result)}"
            if collect
            else ""
        )
        zeebe = extension(
            f"<zeebe:loopCharacteristics inputCollection={quoteattr('=' + collection)}"
            f" inputElement={quoteattr(element)}{more}/>"
        )
    count = f"<loopCardinality>={escape(times)}</loopCardinality>" if times else ""
    done = f"<completionCondition>={escape(until)}</completionCondition>" if until else ""
    kind = ' isSequential="true"' if sequential else ""
    tag = "multiInstanceLoopCharacteristics"
    return f"<{tag}{kind}>{zeebe}{count}{done}</{tag}>"


def timer(form: str, text: str) -> str:
    """Return a timer definition; form is Date, Duration or Cycle."""
    return f"<timerEventDefinition><time{form}>{escape(text)}</time{form}></timerEventDefinition>"


def about(kind: str, reference: str = "") -> str:
    """Return a message, signal, error, escalation, link or terminate event definition."""
    if kind == "link":
        return f"<linkEventDefinition name={quoteattr(reference)}/>"
    more = f" {kind}Ref={quoteattr(reference)}" if reference else ""
    return f"<{kind}EventDefinition{more}/>"


def message(id: str, name: str, key: str = "") -> str:
    """Return a root message; the correlation key is FEEL."""
    inside = (
        extension(f"<zeebe:subscription correlationKey={quoteattr('=' + key)}/>") if key else ""
    )
    return node("message", id, inside, name=name)


def signal(id: str, name: str) -> str:
    return node("signal", id, name=name)


def error(id: str, code: str) -> str:
    return node("error", id, name=code, errorCode=code)


def escalation(id: str, code: str) -> str:
    return node("escalation", id, name=code, escalationCode=code)
