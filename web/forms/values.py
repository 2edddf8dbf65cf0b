"""Between what stands in a field of HTML and a variable: one reader and one writer per kind."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from web.forms.model import Part
from web.language import _

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?:\D|$))")
_MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_PHONE = re.compile(r"\+?[\d ()./-]{5,30}")
#: digits of a number that a person types
_MOST_DIGITS = 60
#: characters in which a pattern of a form is looked for: patterns can be slow
_MATCHED = 10_000


class Wrong(Exception):
    """What was typed does not fit the field; the text says so to the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One choice of a select, radio or checklist."""

    value: Any
    label: str

    @property
    def text(self) -> str:
        """What stands for the value in HTML."""
        return str(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What reading a field depends on."""

    part: Part
    options: Sequence[Option]
    zone: ZoneInfo
    now: datetime
    #: a limit of the validation, evaluated: min, max
    limit: Callable[[str], Any]


def read(asked: Asked, texts: Sequence[str]) -> Any:
    """Return the value that was typed, None for nothing. Raises Wrong."""
    value = _READERS[asked.part.kind](asked, texts)
    if asked.part.rule("required") and value in (None, "", [], False):
        raise Wrong(_("Please fill this in.") if value is not False else _("Please tick this."))
    return value


def write(part: Part, value: Any, zone: ZoneInfo) -> list[str]:
    """Return what stands in the field for a value."""
    if value is None or value == "":
        return []
    if part.kind == "checkbox":
        return ["true"] if value is True else []
    if part.kind in ("checklist", "taglist"):
        return [str(item) for item in value] if isinstance(value, list) else []
    if part.kind == "datetime":
        return [_moment_text(str(part.raw.get("subtype") or "date"), value, zone)]
    if isinstance(value, Decimal):
        return [f"{value:f}"]
    return [str(value)]


def _text(asked: Asked, texts: Sequence[str]) -> str:
    text = (texts[0] if texts else "").replace("\r\n", "\n")
    text = text.strip() if asked.part.kind == "textfield" else text.rstrip()
    least, most = asked.part.rule("minLength"), asked.part.rule("maxLength")
    if text and isinstance(least, int) and len(text) < least:
        raise Wrong(_("At least %(n)s characters, please.", n=least))
    if isinstance(most, int) and len(text) > most:
        raise Wrong(_("At most %(n)s characters, please.", n=most))
    if text:
        _check_form(asked.part, text)
    return text


def _check_form(part: Part, text: str) -> None:
    kind, pattern = part.rule("validationType"), part.rule("pattern")
    if kind == "email" and not _MAIL.fullmatch(text):
        raise Wrong(_("This is no e-mail address."))
    if kind == "phone" and not _PHONE.fullmatch(text):
        raise Wrong(_("This is no telephone number."))
    if isinstance(pattern, str) and pattern:
        import regex

        try:
            found = regex.search(pattern, text[:_MATCHED], timeout=0.2)
        except (regex.error, TimeoutError):
            found = None  # a pattern that cannot be used lets nothing through
        if found is None:
            raise Wrong(_("This does not have the form that is asked for."))


def _number(asked: Asked, texts: Sequence[str]) -> Any:
    typed = unicodedata.normalize("NFKC", texts[0] if texts else "").replace(" ", "").strip()
    text = _GROUPED.sub("", typed)
    if not text:
        return None
    if not _NUMBER.fullmatch(text) or len(text) > _MOST_DIGITS:
        raise Wrong(_("This is no number."))
    value = Decimal(text)
    digits, exponent = asked.part.raw.get("decimalDigits"), value.as_tuple().exponent
    assert isinstance(exponent, int)
    if isinstance(digits, int) and -exponent > digits:
        raise Wrong(_("At most %(n)s digits behind the point, please.", n=digits))
    _check_limits(asked, value)
    if asked.part.raw.get("serializeToString"):
        return f"{value:f}"
    return value if exponent < 0 else int(value)


def _check_limits(asked: Asked, value: Decimal) -> None:
    low, high = asked.limit("min"), asked.limit("max")
    if isinstance(low, int | Decimal) and value < low:
        raise Wrong(_("At least %(n)s, please.", n=low))
    if isinstance(high, int | Decimal) and value > high:
        raise Wrong(_("At most %(n)s, please.", n=high))


def _tick(asked: Asked, texts: Sequence[str]) -> bool:
    return bool(texts)


def _one(asked: Asked, texts: Sequence[str]) -> Any:
    text = texts[0] if texts else ""
    return _option(asked, text) if text else None


def _many(asked: Asked, texts: Sequence[str]) -> list[Any]:
    return [_option(asked, text) for text in dict.fromkeys(texts) if text]


def _option(asked: Asked, text: str) -> Any:
    for option in asked.options:
        if option.text == text:
            return option.value
    raise Wrong(_("Choose one of the values offered."))


def _moment(asked: Asked, texts: Sequence[str]) -> str | None:
    text = (texts[0] if texts else "").strip()
    if not text:
        return None
    subtype = str(asked.part.raw.get("subtype") or "date")
    try:
        if subtype == "date":
            found = date.fromisoformat(text)
            _not_past(asked, found < asked.now.astimezone(asked.zone).date())
            return found.isoformat()
        if subtype == "time":
            return time.fromisoformat(text).isoformat(timespec="minutes")
        typed = datetime.fromisoformat(text)
    except ValueError:
        raise Wrong(_("This is no date or time."))
    there = typed if typed.tzinfo else typed.replace(tzinfo=asked.zone)
    _not_past(asked, there < asked.now)
    form = asked.part.raw.get("timeSerializingFormat")
    if form == "no_timezone":
        return there.replace(tzinfo=None).isoformat(timespec="minutes")
    if form == "utc_normalized":
        return f"{there.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
    return there.isoformat(timespec="minutes")


def _not_past(asked: Asked, is_past: bool) -> None:
    if is_past and asked.part.raw.get("disallowPassedDates"):
        raise Wrong(_("This is past; choose a later time."))


def _moment_text(subtype: str, value: Any, zone: ZoneInfo) -> str:
    """Return a date or time as the inputs of browsers want it."""
    try:
        if subtype == "date":
            parsed = value if isinstance(value, date) else datetime.fromisoformat(str(value))
            return f"{parsed:%Y-%m-%d}"
        if subtype == "time":
            found = value if isinstance(value, time) else time.fromisoformat(str(value))
            return f"{found:%H:%M}"
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    there = moment.astimezone(zone) if moment.tzinfo else moment
    return f"{there:%Y-%m-%dT%H:%M}"


_READERS: Mapping[str, Callable[[Asked, Sequence[str]], Any]] = {
    "textfield": _text,
    "textarea": _text,
    "number": _number,
    "checkbox": _tick,
    "radio": _one,
    "select": _one,
    "checklist": _many,
    "taglist": _many,
    "datetime": _moment,
}
