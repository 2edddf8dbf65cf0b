"""The texts that leave the house, by template and language, from the letters.*.txt beside this.

`write` fills a template with facts; what customers wrote is only ever put in, never read as one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from importlib import resources
from typing import Any, NamedTuple


class Letter(NamedTuple):
    """One text: subject and body."""

    subject: str
    body: str


#: template -> purpose of the link in it (handlers/links.py); "" has none
LINKS: dict[str, str] = {
    "confirm_needs": "confirm",
    "confirm_needs_reminder": "confirm",
    "proposal": "answer",
    "proposal_reminder": "answer",
    "survey": "rate",
    "survey_reminder": "rate",
    "escalation": "",
    "escalation_note": "",
}
_FOLLOW = "follow"
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")
#: parts of the requirements, as people call them
_PARTS = {
    "zh": {"what": "内容", "why": "原因", "who": "使用人", "when": "时间", "where": "地点",
           "how": "方式", "result": "期望结果"},
    "en": {"what": "What", "why": "Why", "who": "Who", "when": "When", "where": "Where",
           "how": "How", "result": "Expected result"},
}  # fmt: skip
_UNITS = {"zh": ("天", "小时", "分钟"), "en": ("day", "hour", "minute")}


def read_letters(text: str) -> dict[str, Letter]:
    """Return the letters of a file: `## name`, the subject, an empty line, the body."""
    parts = (part.partition("\n") for part in text.split("## ")[1:])
    found = ((name.strip(), *rest.partition("\n")[::2]) for name, _, rest in parts)
    return {name: Letter(subject.strip(), body.strip()) for name, subject, body in found}


def _file(language: str) -> str:
    return resources.files("handlers").joinpath(f"letters.{language}.txt").read_text("utf-8")


#: language -> template -> letter
TEMPLATES = {language: read_letters(_file(language)) for language in ("zh", "en")}


class _Facts(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "-"


def write(
    template: str, language: str, facts: Mapping[str, Any], *, name: str | None, link: str
) -> Letter:
    """Return a letter with its greeting, its link, and the number of the case in the subject."""
    texts = TEMPLATES.get(language, TEMPLATES["en"])
    if template not in texts:
        raise ValueError(f"there is no template {template!r}; there are {', '.join(texts)}")
    flat = _flat(facts, language)
    known = _Facts({key: plain(value) for key, value in flat.items() if value is not None})
    if isinstance(within := known.get("within"), str):
        known["within"] = spoken(within, language)
    letter = texts[template]
    number = facts.get("case_number")
    subject = letter.subject.format_map(known) + (f" [{number}]" if number else "")
    hello = f"{name or '您好'}：" if language == "zh" else f"Dear {name or 'customer'},"
    paragraphs = letter.body.format_map(known).strip().split("\n\n")
    # a paragraph of which nothing is known is left out
    body = "\n\n".join([hello, *(part for part in paragraphs if part.strip() != "-")]) + "\n"
    return Letter(subject, f"{body}\n{link}\n" if link else body)


def link_purpose(template: str) -> str:
    """Return what the link in a letter is for; "" for letters without one."""
    return LINKS.get(template, _FOLLOW)


def plain(value: Any) -> str:
    """Return a fact as people read it; lists stand one item a line."""
    if isinstance(value, list):
        return "\n".join(f"- {plain(item)}" for item in value)
    if isinstance(value, Mapping):
        return " · ".join(plain(part) for part in value.values() if part is not None)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def spoken(duration: str, language: str) -> str:
    """Return an ISO 8601 duration of days, hours and minutes in words, any other text as it is."""
    found = _DURATION.fullmatch(duration)
    if found is None or not any(found.groups()):
        return duration
    units = _UNITS.get(language, _UNITS["en"])
    parts = [(int(n), unit) for n, unit in zip(found.groups(), units, strict=True) if n]
    if language == "zh":
        return " ".join(f"{n} {unit}" for n, unit in parts)
    return " ".join(f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in parts)


def _flat(facts: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return facts with those of a proposal or of requirements beside the others."""
    flat = {**facts, "what": facts.get("subject")}
    proposal = facts.get("proposal")
    if isinstance(proposal, Mapping):
        flat = {**flat, **proposal, "lines": _lines(proposal.get("lines"))}
    requirements = facts.get("requirements")
    if isinstance(requirements, Mapping):
        flat["requirements"] = _requirements(requirements, language)
    return flat


def _lines(lines: Any) -> str | None:
    """Return the lines of a quote, each with its sum; of other values nothing."""
    if not isinstance(lines, list | tuple):
        return None
    return "\n".join(
        f"- {plain(line.get('title'))}: {plain(line.get('count'))} × {plain(line.get('price'))}"
        f" = {plain(line.get('amount'))}"
        for line in lines
        if isinstance(line, Mapping)
    )


def _requirements(parts: Mapping[str, Any], language: str) -> str:
    """Return what is needed, each part with its name."""
    names = _PARTS.get(language, _PARTS["en"])
    colon = "：" if language == "zh" else ": "
    told = [f"{names.get(k, k)}{colon}{plain(v)}" for k, v in parts.items() if v and k != "items"]
    for item in parts.get("items") or ():
        if isinstance(item, Mapping):
            known = [plain(item[key]) for key in ("title", "criterion") if item.get(key)]
            told.append(f"- {' – '.join(known)}")
    return "\n".join(told)
