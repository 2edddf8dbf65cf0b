"""The data of Camunda 7's activities: inputs and outputs, call activities, decisions."""

from __future__ import annotations

from collections.abc import Iterator

from lxml.etree import _Element as Element

from engine.diagrams.imports import juel_feel
from engine.diagrams.imports.camunda_rules import take, taken
from engine.diagrams.imports.juel import Untranslated, is_juel
from engine.diagrams.imports.passage import Passage, drop, zeebe_block
from engine.diagrams.names import CAMUNDA, is_bpmn, local
from engine.sentences import phrase

_BINDINGS = ("latest", "deployment", "versionTag")
_FORM = "{" + CAMUNDA + "}"
#: how deep lists, maps and scripts of a parameter may be nested
_DEEPEST = 20


def read_data(passage: Passage, owner: Element) -> None:
    """Read camunda:inputOutput of an activity or event."""
    for block in taken(owner, "inputOutput"):
        for which in ("inputParameter", "outputParameter"):
            for one in block.iterchildren(f"{_FORM}{which}"):
                _parameter(passage, owner, one, which.removesuffix("Parameter"))
    if zeebe_block(owner, "ioMapping") is not None and has_outputs(owner):
        _keep_results(passage, owner)


def _parameter(passage: Passage, owner: Element, one: Element, which: str) -> None:
    name = (one.get("name") or "").strip()
    try:
        source = _source(one)
    except Untranslated as fault:
        passage.untranslated(owner, f"{which}Parameter {name}", _written(one), fault)
        source = "=null"
    if not name:
        passage.report.error(
            owner, "a parameter of {who} has no name", "name it, or delete it", who=owner
        )
        return
    passage.mapping(owner, which, source, name)


def _source(one: Element) -> str:
    inside = list(one.iterchildren("{*}*"))
    if inside:
        return f"={_value(inside[0], 0)}"
    text = (one.text or "").strip()
    return juel_feel.attribute(text) if text else "=null"


def _written(one: Element) -> str:
    """Return what stands in a parameter as people know it: its texts, and the files it names."""
    parts = (" ".join(filter(None, (part.text, part.get("resource")))) for part in one.iter("{*}*"))
    return " ".join(part.strip() for part in parts if part.strip())


def _value(one: Element, depth: int) -> str:
    """Return the FEEL of a list, a map, a script or a value. Raises Untranslated."""
    if depth > _DEEPEST:
        raise Untranslated(phrase("the expression is nested too deeply"))
    kind, inside = local(one), list(one.iterchildren("{*}*"))
    if kind == "list":
        return f"[{', '.join(_value(part, depth + 1) for part in inside)}]"
    if kind == "map":
        return f"{{{', '.join(_entry(part, depth + 1) for part in inside)}}}"
    if kind == "script":
        return _script(one)
    text = (one.text or "").strip()
    return juel_feel.translate(text) if text else "null"


def _entry(one: Element, depth: int) -> str:
    inside = list(one.iterchildren("{*}*"))
    text = (one.text or "").strip()
    value = _value(inside[0], depth) if inside else juel_feel.translate(text) if text else "null"
    return f"{juel_feel.quoted(one.get('key') or '')}: {value}"


def _script(one: Element) -> str:
    language, text = (one.get("scriptFormat") or "").lower(), (one.text or "").strip()
    if one.get("resource"):
        raise Untranslated(
            phrase("the script stands in another file"),
            phrase("put the script into the diagram, in FEEL"),
        )
    if language == "feel":
        return text.removeprefix("=").strip()
    if language == "juel":
        return juel_feel.translate(text)
    raise Untranslated(phrase("it is a script in “{language}”", language=language[:40]))


# ------------------------------------------------------------------ what leaves an activity


def has_outputs(owner: Element) -> bool:
    """Tell whether only outputs leave an element."""
    block = zeebe_block(owner, "ioMapping")
    return block is not None and any(local(one) == "output" for one in block.iterchildren())


def _targets(owner: Element) -> Iterator[str]:
    block = zeebe_block(owner, "ioMapping")
    for one in () if block is None else block.iterchildren():
        if local(one) == "output":
            yield one.get("target") or ""


def _keep_results(passage: Passage, owner: Element) -> None:
    """In Camunda 7 outputs come on top of what a task sets; here only outputs leave the task."""
    script = zeebe_block(owner, "script")
    decision = zeebe_block(owner, "calledDecision")
    known = [one.get("resultVariable") or "" for one in (script, decision) if one is not None]
    for name in known:
        if name and name != "decisionResult" and name not in set(_targets(owner)):
            passage.mapping(owner, "output", f"={name}", name)
    works = zeebe_block(owner, "taskDefinition") is not None and "result" not in _sources(owner)
    if works or is_bpmn(owner, "receiveTask", "intermediateCatchEvent", "userTask"):
        passage.report.warning(
            owner,
            "only the outputs of {who} reach the case; in Camunda 7 all that it sets does",
            "add an output for each variable that is needed later",
            who=owner,
        )


def _sources(owner: Element) -> set[str]:
    block = zeebe_block(owner, "ioMapping")
    return {
        (one.get("source") or "").removeprefix("=")
        for one in (() if block is None else block.iterchildren())
        if local(one) == "output"
    }


# ------------------------------------------------------------------ call activities


def read_calls(passage: Passage, call: Element) -> None:
    """Read what a call activity calls, and what it gives and takes."""
    called, binding = call.get("calledElement"), take(call, "calledElementBinding")
    tag = take(call, "calledElementVersionTag")
    gives, takes = taken(call, "in"), taken(call, "out")
    if called is None and not (gives or takes or binding):
        return
    process = passage.attribute(call, "calledElement", called or "")
    whole = [one for one in gives if one.get("variables") == "all" and one.get("local") != "true"]
    back = [one for one in takes if one.get("variables") == "all"]
    passage.zeebe(
        call,
        "calledElement",
        processId=process or called,
        propagateAllParentVariables="true" if whole else "false",
        propagateAllChildVariables="true" if back else "false",
        bindingType=_binding(passage, call, binding),
        versionTag=tag,
    )
    drop(call, "calledElement")
    for which, entries in (("input", gives), ("output", takes)):
        for one in entries:
            _passed(passage, call, one, which)


def _passed(passage: Passage, call: Element, one: Element, which: str) -> None:
    if one.get("variables") == "all":
        return
    if one.get("businessKey") is not None:
        passage.report.info(
            call, "{who} passes on the business key; called cases are found by their parent",
            who=call,
        )  # fmt: skip
        return
    target, source = one.get("target"), one.get("sourceExpression")
    if source is None and one.get("source"):
        source = f"${{{one.get('source')}}}"
    if not target or not source:
        passage.report.error(
            call, "{who} passes something on, but does not say what to where",
            "name the source and the target", who=call,
        )  # fmt: skip
        return
    written = passage.attribute(call, "source", source)
    passage.mapping(call, which, written or "=null", target)


def _binding(passage: Passage, owner: Element, binding: str | None) -> str | None:
    if binding is None or binding in _BINDINGS:
        return binding
    passage.report.unsupported(
        owner,
        "{who} is bound to a number of a version; numbers are not the same here",
        "bind it to a version tag, to latest or to its deployment",
        who=owner,
    )
    return None


# ------------------------------------------------------------------ decisions


def read_decision(passage: Passage, task: Element) -> None:
    """Read the decision of a business rule task, and how its result is taken."""
    decision = take(task, "decisionRef")
    binding, tag = take(task, "decisionRefBinding"), take(task, "decisionRefVersionTag")
    shape = take(task, "mapDecisionResult")
    if decision is None:
        return
    variable = take(task, "resultVariable")
    identifier = passage.attribute(task, "decisionRef", decision)
    passage.zeebe(
        task,
        "calledDecision",
        decisionId=identifier or "=null",
        resultVariable=variable or "decisionResult",
        bindingType=_binding(passage, task, binding),
        versionTag=tag,
    )
    if variable is None:
        return
    if shape in (None, "resultList"):
        passage.report.unsupported(
            task,
            "{who} keeps the result as a list of rows, which a decision here does not give",
            "take a single entry (mapDecisionResult), and use the variable as the value itself",
            who=task,
        )
    elif shape == "singleResult" and not is_juel(decision):
        passage.report.warning(
            task,
            "a decision with one output gives {who} the value itself, not a row with one entry",
            "use the variable as the value where the table has a single output",
            who=task,
        )
