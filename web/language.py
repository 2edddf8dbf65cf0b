"""The two languages of the pages, and times as the person reads them.

Texts are English in the code; `web/translations/zh/*.po` has the Chinese, one file per desk. The
files are read as they are: nothing has to be compiled, and two desks never write the same file.
"""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import flask_babel
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import Translations
from flask import Flask, Response, g, request
from markupsafe import Markup

from web.context import now, visitor

#: code of a person's setting -> name in its own language
LANGUAGES = {"zh": "中文", "en": "English"}
#: what `lang=` says
TAGS = {"zh": "zh-CN", "en": "en"}
COOKIE = "lang"
_FOLDER = Path(__file__).parent / "translations"
_YEAR_S = 365 * 24 * 3600


def _(text: str, **values: Any) -> str:
    """Translate a text into the language of this request."""
    found: str = flask_babel.gettext(text, **values)
    return found


def ngettext(one: str, many: str, num: int, **values: Any) -> str:
    """Translate a text that depends on a number."""
    found: str = flask_babel.ngettext(one, many, num, **values)
    return found


def lazy(text: str, **values: Any) -> Any:
    """Translate a text when it is shown, for what is written down at import."""
    return flask_babel.lazy_gettext(text, **values)


class Catalogue(flask_babel.Domain):  # type: ignore[misc]
    """All translations of a language in one, whichever desk they are of."""

    def get_translations(self) -> Any:
        """Return the texts of the language of this request."""
        return translations(current())

    def get_translations_cache(self) -> dict[str, Any]:
        """Return an empty cache; `translations` is one itself."""
        return {}


@cache
def translations(code: str) -> Any:
    """Return the texts of a language, read from its .po files."""
    whole = Catalog(locale=code)
    for path in sorted((_FOLDER / code).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=code):
                if message.id:
                    whole[message.id] = message
    compiled = io.BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return Translations(compiled)


def install(app: Flask) -> None:
    """Add languages, zones and the filters for times to an application."""
    babel = flask_babel.Babel(app, locale_selector=current, timezone_selector=zone_name)
    babel.domain_instance = Catalogue()
    app.jinja_env.filters.update(moment=moment, day=day, due=due, number=number)
    app.jinja_env.globals.update(
        language=current, languages=LANGUAGES, tag=lambda: TAGS[current()], due_of=due_of
    )
    app.after_request(_remember)


def current() -> str:
    """Return the language of this request: the person's, the link's or cookie's, the browser's."""
    if "language" not in g:
        g.language = _chosen()
    found: str = g.language
    return found


def _chosen() -> str:
    person = visitor()
    wishes = (person.language if person else None, request.args.get("lang"),
              request.cookies.get(COOKIE))  # fmt: skip
    for wish in wishes:
        if wish in LANGUAGES:
            return wish
    return request.accept_languages.best_match(LANGUAGES) or "en"


def _remember(response: Response) -> Response:
    """Keep a language chosen by a link for the pages that follow."""
    wish = request.args.get("lang")
    if wish in LANGUAGES and visitor() is None:
        keep(response, COOKIE, wish)
    return response


def keep(response: Response, name: str, value: str) -> None:
    """Give the browser a cookie of taste: nothing depends on it."""
    response.set_cookie(
        name, value, max_age=_YEAR_S, samesite="Lax", secure=request.is_secure, httponly=True
    )


def zone_name() -> str:
    """Return the name of the person's time zone."""
    person = visitor()
    return (person.zone if person else None) or "UTC"


def zone() -> ZoneInfo:
    """Return the person's time zone."""
    try:
        return ZoneInfo(zone_name())
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


# ------------------------------------------------------------------ times and numbers


def moment(value: datetime | None, style: str = "short") -> Markup:
    """Return a moment as <time>, in the person's zone; its title has the zone.

    `style` is short (without seconds) or medium.
    """
    if value is None:
        return Markup("–")
    there = value.astimezone(zone())
    shown = f"{there:%Y-%m-%d %H:%M:%S}" if style == "medium" else f"{there:%Y-%m-%d %H:%M}"
    return _time(value, shown, f"{there:%Y-%m-%d %H:%M:%S} {there.tzname()}")


def day(value: date | datetime | None) -> Markup:
    """Return a day as <time>."""
    if value is None:
        return Markup("–")
    there = value.astimezone(zone()).date() if isinstance(value, datetime) else value
    shown = flask_babel.format_date(there, "medium", rebase=False)
    return Markup('<time datetime="{}">{}</time>').format(there.isoformat(), shown)


def _time(value: datetime, shown: str, title: str) -> Markup:
    stamp = value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(stamp, title, shown)


def due(value: datetime | None) -> Markup:
    """Return a due time in words as <time>: in 2 h, 3 h late; its title has the moment."""
    if value is None:
        return Markup('<span class="due none">{}</span>').format(_("no due time"))
    there = value.astimezone(zone())
    shown = due_words(value - now())
    inner = _time(value, shown, f"{there:%Y-%m-%d %H:%M} {there.tzname()}")
    return Markup('<span class="due {}">{}</span>').format(due_of(value), inner)


def due_of(value: datetime | None) -> str:
    """Return how pressing a due time is: late | soon (four hours) | later | none."""
    if value is None:
        return "none"
    left = value - now()
    if left < timedelta(0):
        return "late"
    return "soon" if left <= timedelta(hours=4) else "later"


def due_words(left: timedelta) -> str:
    """Return how long it is until a moment, or since, in words."""
    seconds = abs(left.total_seconds())
    if left >= timedelta(0):
        if seconds < 3600:
            return _("in %(n)s min", n=int(seconds // 60))
        if seconds < 48 * 3600:
            return _("in %(n)s h", n=int(seconds // 3600))
        return _("in %(n)s days", n=int(seconds // 86400))
    if seconds < 3600:
        return _("%(n)s min late", n=int(seconds // 60))
    if seconds < 48 * 3600:
        return _("%(n)s h late", n=int(seconds // 3600))
    return _("%(n)s days late", n=int(seconds // 86400))


def number(value: Any) -> str:
    """Return a number with the separators of the language, all its digits."""
    return format_decimal(value, locale=current(), decimal_quantization=False)
