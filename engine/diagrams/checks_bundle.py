"""What only the whole bundle can tell: calls, handlers, forms, and what can be started."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePosixPath

from lxml.etree import _Element as Element

from engine.diagrams.checks_activities import called_process, zeebe_of
from engine.diagrams.checks_call_data import check_call_data
from engine.diagrams.checks_codes import check_codes
from engine.diagrams.checks_names import check_names
from engine.diagrams.diagram import Diagram
from engine.diagrams.global_tasks import global_tasks
from engine.diagrams.names import is_bpmn
from engine.diagrams.report import Report
from engine.sentences import Phrase, heard, phrase

_FORM_ELSEWHERE = ("embedded:", "http:", "https:", "camunda-forms:bpmn:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a bundle is checked against."""

    #: names of all files of the bundle
    files: Collection[str]
    #: ids inside form files
    form_ids: Collection[str]
    #: names of the handlers; None if they are not known here
    topics: Collection[str] | None
    #: processes that are deployed already
    processes: Collection[str]
    #: names of the fields of all forms
    form_keys: Collection[str] = ()
    #: language of texts that carry no mark
    default: str = "feel"


def check_bundle(diagrams: Sequence[tuple[Diagram, Report]], surroundings: Surroundings) -> None:
    """Check the files of a bundle against each other and against what is deployed."""
    _unique(diagrams)
    check_codes(diagrams)
    check_call_data(diagrams)
    check_names(diagrams, surroundings.default, surroundings.form_keys)
    executable = {
        str(process.get("id")): process
        for diagram, _ in diagrams
        for process in diagram.processes
        if diagram.is_executable(process)
    }
    sketches = {
        str(process.get("id")) for diagram, _ in diagrams for process in diagram.processes
    } - set(executable)
    owners = {
        str(process.get("id")): (diagram, report)
        for diagram, report in diagrams
        for process in diagram.processes
    }
    alone = {str(t.get("id")) for diagram, _ in diagrams for t in global_tasks(diagram.root)}
    known = {*executable, *alone, *surroundings.processes}
    for diagram, report in diagrams:
        _executables(diagram, report)
        for activity in diagram.all("callActivity"):
            name = called_process(activity)
            if name in executable:
                _startable(activity, executable[name], *owners[name], report)
            elif name and not name.startswith("="):
                _callable(activity, name, known, sketches, report)
                _bound(activity, name, known, report)
        for element, topic in _topics(diagram):
            _handled(element, topic, surroundings.topics, report)
        for element, form in _forms(diagram):
            _form(element, form, surroundings, report)


def _unique(diagrams: Sequence[tuple[Diagram, Report]]) -> None:
    seen: dict[str, Report] = {}
    for diagram, report in diagrams:
        for process in diagram.processes:
            name = process.get("id") or ""
            if name in seen and seen[name] is not report:
                report.error(
                    process,
                    "{process} has the id “{name}”, and so has a process in {file}",
                    "give each process of a bundle an id of its own",
                    process=process,
                    name=name,
                    file=seen[name].file,
                )
            seen.setdefault(name, report)


def _executables(diagram: Diagram, report: Report) -> None:
    marked = [process for process in diagram.processes if diagram.is_executable(process)]
    if not diagram.processes and not global_tasks(diagram.root):
        report.unsupported(
            diagram.root, "the file holds no process", "draw a process, or leave the file out"
        )
    for process in diagram.processes:
        if process in marked:
            continue
        if marked:
            report.info(
                process,
                "{process} is not marked as executable; it is not started",
                process=process,
            )
        else:
            report.unsupported(
                process,
                "{process} is not marked as executable",
                "set “Executable” in the properties of the process",
                process=process,
            )


# ------------------------------------------------------------------ calls


def _startable(
    activity: Element, process: Element, home: Diagram, home_report: Report, report: Report
) -> None:
    starts = [node for node in home.nodes(process) if is_bpmn(node, "startEvent")]
    if not starts or any(not home.definition_kinds(start) for start in starts):
        return
    report.error(
        activity,
        "{activity} calls {process}, which has no plain start",
        "draw a plain start event in the called process",
        activity=activity,
        process=process,
    )
    home_report.error(
        process,
        "{process} is called, but has no plain start event",
        "draw a plain start event in the called process",
        process=process,
    )


def _callable(
    activity: Element, name: str, known: Collection[str], sketches: Collection[str], report: Report
) -> None:
    if name in known:
        return
    if name in sketches:
        report.error(
            activity,
            "{activity} calls the process “{name}”, which is not marked as executable",
            "set “Executable” in the properties of that process",
            activity=activity,
            name=name,
        )
        return
    report.error(
        activity,
        "{activity} calls the process “{name}”, which is neither in this bundle nor deployed",
        _similar(name, known) or "add its file to the bundle, or deploy it first",
        activity=activity,
        name=name,
    )


def _bound(activity: Element, name: str, known: Collection[str], report: Report) -> None:
    element = zeebe_of(activity, "calledElement")
    if name in known and element is not None and element.get("bindingType") == "deployment":
        report.error(
            activity,
            "{activity} calls the version of “{name}” in its own deployment, where it is not",
            "add its file to the bundle, or set the binding to latest",
            activity=activity,
            name=name,
        )


def _similar(name: str, known: Collection[str]) -> Phrase | None:
    found = get_close_matches(name, sorted(known), n=3, cutoff=0.6)
    return phrase("similar names are: {names}", names=", ".join(found)) if found else None


# ------------------------------------------------------------------ handlers and forms


def _topics(diagram: Diagram) -> Iterator[tuple[Element, str]]:
    for element in diagram.all("activity", "anyEvent", "globalTask"):
        definition = zeebe_of(element, "taskDefinition")
        topic = (definition.get("type") or "").strip() if definition is not None else ""
        if topic and not topic.startswith("="):
            yield element, topic


def _handled(element: Element, topic: str, topics: Collection[str] | None, report: Report) -> None:
    if topics is None or topic in topics:
        return
    report.error(
        element,
        "{element} needs the handler “{topic}”, which is not there",
        _similar(topic, topics) or "choose a handler of the catalogue, or install it",
        element=element,
        topic=topic,
    )


def _forms(diagram: Diagram) -> Iterator[tuple[Element, str]]:
    for element in diagram.all("userTask", "globalUserTask", "startEvent"):
        form = zeebe_of(element, "formDefinition")
        name = (form.get("formKey") or form.get("formId") or "") if form is not None else ""
        if name and not name.startswith(("=", *_FORM_ELSEWHERE)):
            yield element, name.strip()


def _form(element: Element, form: str, surroundings: Surroundings, report: Report) -> None:
    wanted = form.rpartition(":")[2].lstrip("/")
    if wanted in surroundings.form_ids:
        return
    for file in surroundings.files:
        path = PurePosixPath(file)
        if wanted in (file, path.name, path.stem, str(path.with_suffix(""))):
            return
    report.warning(
        element,
        "{element} shows the form “{form}”, which is not in this bundle",
        "add the form's file; without it people see all variables",
        element=element,
        form=form,
    )


def read_form(data: bytes, report: Report) -> str | None:
    """Return the id inside a form's file, after reporting what is wrong with it."""
    try:
        form = json.loads(data)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        report.at_line(
            line,
            "the form is not JSON: {cause}",
            "export the form again",
            cause=heard(str(error)),
        )
        return None
    if not isinstance(form, Mapping):
        report.at_line(1, "the form is no JSON object", "export the form again")
        return None
    identifier = form.get("id")
    return identifier if isinstance(identifier, str) else None


def unique_form(identifier: str, first: str, report: Report) -> None:
    """Report a form whose id an earlier file has used: nobody can tell which one is shown."""
    if first != report.file:
        report.at_line(
            None,
            "the form has the id “{id}”, and so has that in {first}",
            "give each form of a bundle an id of its own",
            id=identifier,
            first=first,
        )


def keys_of(data: bytes) -> set[str]:
    """Return the names of the fields in a form's file; nothing for one that cannot be read."""
    try:
        waiting: list[object] = [json.loads(data)]
    except (ValueError, RecursionError):
        return set()
    found: set[str] = set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, Mapping):
            waiting += [value for value in part.values() if isinstance(value, list | Mapping)]
            key = part.get("key") or part.get("path")
            found |= {key.partition(".")[0]} if isinstance(key, str) and key else set()
    return found
