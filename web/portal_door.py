"""What all pages of the portal share: the desk, the way in by a signed link, limits, words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import flask_babel
from flask import Response, request

from engine.errors import NotFound, TooBusy
from web import refusals
from web.attachments import MOST_BYTES, MOST_FILES, TYPES, FileRefused
from web.context import engine, settings
from web.language import _, current, lazy, number
from web.links import Link, LinkRefused, links_of
from web.pages import Desk
from web.portal_case import CustomerCase, customer_case

DESK = Desk("portal")
DESK.entry("mine", lazy("My requests"), roles={"customer"}, place=10)
DESK.entry("ask", lazy("New request"), roles={"customer"}, place=20)
DESK.home("mine", "customer")
DESK.home("ask", "public")

#: requests from one address, and letters by one link, in so many seconds
_MOST_ASKED, _MOST_SENT, _WINDOW_S = 20, 30, 600.0

#: what is wrong with a field, in words
_WRONG = {
    "empty": lazy("This is missing."),
    "too_long": lazy("This is too long."),
    "no_address": lazy("This is neither an e-mail address nor a telephone number."),
    "unconfirmed": lazy("Tick the box if you accept."),
}


#: id of a field -> its label and what is wrong
Errors = dict[str, tuple[Any, Any]]


def case_by(token: str, purpose: str) -> tuple[Link, CustomerCase]:
    """Return what a link leads to. Raises LinkRefused, NotFound."""
    link = links_of(engine()).read(token, purpose)
    return link, customer_case(engine(), link.subject, current())


def limit_asking() -> None:
    """Count a request from this address. Raises TooBusy."""
    _limit(f"ask {request.remote_addr}", _MOST_ASKED)


def limit_sending(link: Link) -> None:
    """Count what is sent by a link. Raises TooBusy."""
    _limit(f"link {link.name}", _MOST_SENT)


def _limit(bucket: str, most: int) -> None:
    wait_s = engine().wait_s(bucket, limit=most, per_s=_WINDOW_S)
    if wait_s > 0:
        raise TooBusy(_("Too many in a short time. Wait a little."), retry_after_s=wait_s)


def errors_of(wrong: dict[str, str], labels: dict[str, Any]) -> Errors:
    """Return what parts.summary shows: id of the field -> its label and what is wrong."""
    return {name: (labels.get(name, name), _WRONG[why]) for name, why in wrong.items()}


def file_wrong(error: FileRefused) -> str:
    """Return in words why a file was not taken."""
    words = {
        "too_many": _("At most %(count)s files.", count=MOST_FILES),
        "too_large": _("“%(name)s” is too large.", name=error.name),
        "wrong_type": _("“%(name)s” is of a kind we cannot take.", name=error.name),
        "empty": _("“%(name)s” is empty.", name=error.name),
    }
    return words[error.why]


def uploads() -> list[tuple[str, bytes]]:
    """Return the files of this request, those that were chosen; counted. Raises TooBusy."""
    found = [(f.filename, f.read()) for f in request.files.getlist("files") if f.filename]
    if found:
        _limit(f"files {request.remote_addr}", _MOST_SENT)
    return found


def files_folder() -> Any:
    """Return the folder where files of customers lie."""
    return settings().data_dir / "attachments"


@DESK.blueprint.app_template_filter("size")
def size(value: int) -> str:
    """Return a number of bytes as people read it."""
    if value < 1024:
        return f"{value} B"
    if value < 1024 * 1024:
        return f"{value // 1024} KB"
    return f"{number(round(value / 1024 / 1024, 1))} MB"


@DESK.blueprint.app_template_filter("money")
def money(value: Any) -> str:
    """Return an amount with two places; a dash for none."""
    if not isinstance(value, int | Decimal):
        return "–"
    found: str = flask_babel.format_decimal(value, "#,##0.00")
    return found


@DESK.blueprint.app_template_filter("amount")
def amount(value: Any) -> str:
    """Return a count with its own places; a dash for none."""
    return number(value) if isinstance(value, int | Decimal) else "–"


DESK.globals |= {
    "accepted_files": lambda: ",".join(sorted(TYPES)),
    "most_files": lambda: MOST_FILES,
    "most_mb": lambda: MOST_BYTES // 1024 // 1024,
}


@DESK.blueprint.errorhandler(LinkRefused)
def link_refused(error: LinkRefused) -> Response:
    """Tell what became of a link; a forged one is nothing at all."""
    if error.why == "forged":
        return refusals.page(404)
    return refusals.page(
        410,
        title=_("This link is no longer valid"),
        advice=_("Open the link in our newest message to you, or ask us for a new one."),
    )


def no_case() -> NotFound:
    """Return the refusal for what is not there, or not for this customer."""
    return NotFound("there is no such case")
