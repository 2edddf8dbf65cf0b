"""Names of variables that are probably misspelled: read once, and nearly the name of another.

Cases get variables from outside, so a name that no drawing sets is no mistake by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches

from lxml.etree import _Element as Element

from engine import feel
from engine.diagrams.checks_triggers import CAUGHT
from engine.diagrams.diagram import Diagram
from engine.diagrams.expressions import Text, texts
from engine.diagrams.names import ZEEBE, attributes, local, namespace
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a
from engine.errors import FeelError

#: shorter names are too much alike by chance
_SHORTEST = 5
#: how much alike two names are, from 0 to 1
_ALIKE = 0.88
#: attribute of the zeebe dialect that names a variable, by element
_SETS = {
    "input": "target",
    "output": "target",
    "script": "resultVariable",
    "calledDecision": "resultVariable",
}
_LOOPS = ("inputElement", "outputCollection")


def check_names(
    files: Sequence[tuple[Diagram, Report]], default: str, form_keys: Collection[str]
) -> None:
    """Warn of names in FEEL texts that look like slips of the pen."""
    read: list[tuple[Report, Text, str]] = [
        (report, text, name)
        for diagram, report in files
        for text in texts(diagram, default)
        if text.language == "feel"
        for name in _reads(text)
    ]
    times = Counter(name for _, _, name in read)
    known = {name for diagram, _ in files for name in _set_in(diagram)} | set(form_keys)
    known |= {name for name, number in times.items() if number > 1}
    for report, text, name in read:
        if times[name] > 1 or name in known or len(name) < _SHORTEST:
            continue
        # one and many are two names on purpose: `reviewers` holds each `reviewer`
        others = [one for one in known if not (one.startswith(name) or name.startswith(one))]
        similar = get_close_matches(name, sorted(others), n=1, cutoff=_ALIKE)
        if similar:
            report.warning(
                text.holder,
                "the variable “{name}” that {owner} reads is set nowhere, but “{similar}” is known",
                "correct the name, or set the variable",
                name=name,
                owner=_owner(text.holder),
                similar=similar[0],
            )


def _reads(text: Text) -> Iterator[str]:
    try:
        found = feel.compile(text.text)
    except FeelError:
        return  # said by the check of texts
    yield from dict.fromkeys(name for name, _, sure in found.reads if sure)


def _set_in(diagram: Diagram) -> Iterator[str]:
    for element in diagram.root.iter("{*}*"):
        tag = local(element)
        if namespace(str(element.tag)) == ZEEBE:
            if tag == "property" and element.get("name") in CAUGHT:
                yield element.get("value") or ""
            for attribute in _LOOPS if tag == "loopCharacteristics" else (_SETS.get(tag, ""),):
                if attribute in attributes(element):
                    yield str(element.get(attribute)).removeprefix("=").strip().partition(".")[0]
        elif is_a(element, "item", "dataStoreReference"):
            yield from (v for v in (element.get("name"), element.get("id")) if v)


def _owner(holder: Element) -> Element:
    """Return the drawn element that holds a text."""
    place: Element | None = holder
    while place is not None and not is_a(place, "flowElement", "rootElement"):
        place = place.getparent()
    return holder if place is None else place
