"""Sentences about diagrams in the languages of people: English templates, translated by catalogue.

A template is a literal English text with `{names}`; `engine/translations/LANGUAGE/*.po` has each
in another language, with the name of its rule as `#. rule: NAME`. The gate, the decision models and
the kernel's reader say what is wrong through here; nothing else is translated in the engine.
Sentences that arrive finished, such as those of exceptions, have their templates in `heard/`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from engine.model import Problem, Severity

#: the language of the templates, and what is left over where a translation is missing
ENGLISH = "en"
#: every language a sentence is said in
LANGUAGES = (ENGLISH, "zh")
_FOLDER = Path(__file__).parent / "translations"
_RULE = "rule:"
_NAME = re.compile(r"\{(\w+)(?::,)?\}")
_CAPITAL = re.compile(r"(?=[A-Z])")
#: tags of diagrams whose words are not simply their parts
_SAID = {
    "startEvent": "start event",
    "intermediateCatchEvent": "catch event",
    "intermediateThrowEvent": "throw event",
    "callActivity": "call activity",
    "adHocSubProcess": "ad-hoc sub-process",
    "subProcess": "sub-process",
    "subChoreography": "sub-choreography",
    "ioSpecification": "data specification",
    "eventBasedGateway": "event-based gateway",
    "multiInstanceLoopCharacteristics": "multi-instance loop",
    "standardLoopCharacteristics": "standard loop",
}
#: longest sentence of a problem, in characters; the texts of a file are quoted in it
MAX_MESSAGE = 500
#: values of finished sentences that are sentences themselves
_SENTENCES = frozenset({"cause", "reason", "what", "wanted", "kind", "message"})


@runtime_checkable
class Said(Protocol):
    """Anything that has its own words in each language: a phrase, an element."""

    def said(self, language: str) -> str:
        """Return the words in a language."""
        ...


Spoken = str | int | Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A sentence or a part of one, in every language."""

    #: literal English with `{names}`
    template: str
    #: what stands for the names; without any, the template is the text as it is
    values: tuple[tuple[str, Spoken], ...] = ()

    def said(self, language: str) -> str:
        """Return the sentence in a language; in English where the catalogue lacks it."""
        entry = catalogue(language).get(self.template)
        text = entry.text if entry is not None else self.template
        if not self.values:
            return text
        return text.format_map({name: _words(value, language) for name, value in self.values})

    @property
    def rule(self) -> str:
        """The stable name of the rule behind a sentence; "" for one the catalogue lacks."""
        entry = catalogue(LANGUAGES[-1]).get(self.template)
        return entry.rule if entry is not None else ""


def spoken(tag: str) -> str:
    """Return the tag of an element as words: `userTask` becomes "user task"."""
    return _SAID.get(tag) or " ".join(part.lower() for part in _CAPITAL.split(tag) if part)


class Listed:
    """Several phrases in a row."""

    def __init__(self, parts: Iterable[Said], between: Said | None = None) -> None:
        self._parts = tuple(parts)
        self._between = between

    def said(self, language: str) -> str:
        """Return the row in a language."""
        between = phrase(", ") if self._between is None else self._between
        return between.said(language).join(part.said(language) for part in self._parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One template in another language."""

    text: str
    #: name of the rule; "" for what is only a part of a sentence
    rule: str
    #: sentences that arrive finished are compared with it
    heard: bool


def phrase(template: str, /, **values: Spoken) -> Phrase:
    """Return a phrase; `template` is a literal, so that a test finds its translation missing."""
    return Phrase(template=template, values=tuple(values.items()))


def heard(text: str) -> Phrase:
    """Return the phrase behind a finished English sentence, such as that of an exception.

    The sentence is compared with the templates of the catalogue; what fits none stays English.
    """
    bare = text[:1].lower() + text[1:]
    for candidate in (text, bare):
        if candidate in catalogue(LANGUAGES[-1]):
            return Phrase(template=candidate)
    for pattern, template in _patterns():
        if found := pattern.fullmatch(text) or pattern.fullmatch(bare):
            return Phrase(
                template=template,
                values=tuple(
                    (name, heard(value) if name in _SENTENCES else value)
                    for name, value in found.groupdict().items()
                ),
            )
    return Phrase(template=text)


def problem_of(
    file: str,
    place: tuple[str | None, int | None],
    message: str,
    advice: str | Phrase,
    severity: Severity,
    values: Mapping[str, Spoken],
) -> Problem:
    """Return a problem in every language, with the name of its rule.

    `place` is the id of the element and the line. The values belong to the message and to the
    advice; a message without any may be a finished sentence.
    """
    sentence = _sentence(message, values)
    wayout = advice if isinstance(advice, Phrase) else _sentence(advice, values)
    return Problem(
        file=file,
        element=place[0],
        line=place[1],
        message=_capital(sentence.said(ENGLISH)),
        advice=wayout.said(ENGLISH),
        severity=severity,
        rule=sentence.rule,
        translations=tuple(
            (language, _capital(sentence.said(language)), wayout.said(language))
            for language in LANGUAGES
            if language != ENGLISH
        ),
    )


def refusal(problems: Iterable[Problem], language: str) -> tuple[str, str]:
    """Return title and summary of a refused deployment in a language."""
    number = sum(problem.stops for problem in problems)
    title = phrase("The deployment has errors")
    if number == 1:
        summary = phrase("1 problem stops the deployment")
    else:
        summary = phrase("{number} problems stop the deployment", number=number)
    return title.said(language), summary.said(language)


def change_refusal(problems: Iterable[Problem], language: str) -> tuple[str, str]:
    """Return title and summary of a refused change of a case in a language."""
    number = sum(1 for _ in problems)
    title = phrase("The case cannot be changed so")
    if number == 1:
        summary = phrase("1 problem stops the change of the case")
    else:
        summary = phrase("{number} problems stop the change of the case", number=number)
    return title.said(language), summary.said(language)


def tally(files: int, problems: Collection[Problem], language: str) -> str:
    """Return how many problems a check of some files found, and how many of them stop."""
    return phrase(
        "{files} file(s), {problems} problem(s), {stopping} of them stop",
        files=files,
        problems=len(problems),
        stopping=sum(problem.stops for problem in problems),
    ).said(language)


def _sentence(text: str, values: Mapping[str, Spoken]) -> Phrase:
    named = {name: values[name] for name in _NAME.findall(text) if name in values}
    return phrase(text, **named) if named else heard(text)


def _capital(text: str) -> str:
    return (text[:1].upper() + text[1:])[:MAX_MESSAGE]


def _words(value: Spoken, language: str) -> str | int:
    return value if isinstance(value, str | int) else value.said(language)


@cache
def catalogue(language: str) -> Mapping[str, Entry]:
    """Return the templates of a language; empty for English."""
    from babel.messages.pofile import read_po

    found: dict[str, Entry] = {}
    for path in sorted((_FOLDER / language).rglob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                rules = [c for c in message.auto_comments if c.startswith(_RULE)]
                rule = rules[0].removeprefix(_RULE).strip() if rules else ""
                if message.id and message.string:
                    found[str(message.id)] = Entry(
                        text=str(message.string), rule=rule, heard=path.parent.name == "heard"
                    )
    return found


def about(rule: str, language: str) -> str:
    """Return what a rule is about, in a language; "" for a rule nobody knows.

    These are the templates of its problems, each name left open.
    """
    found = [
        _NAME.sub("…", entry.text if language != ENGLISH else template)
        for template, entry in catalogue(LANGUAGES[-1]).items()
        if entry.rule == rule
    ]
    return "; ".join(_capital(text) for text in dict.fromkeys(found))


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return what finished sentences are compared with, the longest templates first."""
    known = catalogue(LANGUAGES[-1]).items()
    templates = [one for one, entry in known if entry.heard and _NAME.search(one)]
    templates.sort(key=lambda one: -len(_NAME.sub("", one)))
    return tuple((_pattern(template), template) for template in templates)


def _pattern(template: str) -> re.Pattern[str]:
    parts = _NAME.split(template)
    seen: set[str] = set()
    text = ""
    for index, part in enumerate(parts):
        if index % 2 == 0:
            text += re.escape(part.replace("{{", "{").replace("}}", "}"))
        else:
            text += f"(?P={part})" if part in seen else f"(?P<{part}>.*)"
            seen.add(part)
    return re.compile(text, re.DOTALL)
