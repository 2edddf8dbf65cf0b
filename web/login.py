"""Signing in and out, the password, and what a person likes: language, time zone, light or dark."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.access import LEAST_PASSWORD
from engine.runtime.users import WeakPassword, WrongPassword
from web import cookies
from web.context import engine, person, visitor
from web.language import COOKIE, LANGUAGES, _, keep
from web.pages import EVERYBODY, PUBLIC, Desk, homes, local

DESK = Desk("login")

#: attempts with one name, and from one address, in so many seconds
_BY_NAME, _BY_ADDRESS, _WINDOW_S = 8, 40, 600.0
THEME_COOKIE = "theme"
_THEMES = ("light", "dark")


@DESK.page("/", roles=PUBLIC)
def start() -> ResponseReturnValue:
    """Lead everybody to the page where their work begins."""
    return redirect(homes(), 303)


@DESK.page("/login", roles=PUBLIC)
def sign_in() -> ResponseReturnValue:
    """Show the form to sign in."""
    if visitor() is not None:
        return redirect(_next(), 303)
    return render_template("login.html", name="", wrong="", next=_next(""))


@DESK.page("/login", roles=PUBLIC, methods=["POST"])
def signed_in() -> ResponseReturnValue:
    """Look at name and password; a wrong one is counted by name and by address."""
    name, password = request.form.get("name", ""), request.form.get("password", "")
    # counted before the look, which takes time; a right one is given back
    buckets = {f"login name {name.strip().lower()}": _BY_NAME,
               f"login from {request.remote_addr}": _BY_ADDRESS}  # fmt: skip
    wait_s = max(engine().wait_s(b, limit=most, per_s=_WINDOW_S) for b, most in buckets.items())
    if wait_s:
        minutes = max(1, round(wait_s / 60))
        return _again(name, _("Too many attempts. Try again in %(n)s min.", n=minutes), 429)
    found = engine().sign_in(name, password)
    if found is None:
        return _again(name, _("Name or password is wrong."), 422)
    for bucket in buckets:
        engine().give_back(bucket)
    cookies.keep_session(found[1])
    if found[0].must_change:
        return redirect(url_for("login.password"), 303)
    return redirect(_next(homes(found[0].role)), 303)


def _again(name: str, wrong: str, status: int) -> Response:
    shown = render_template("login.html", name=name, wrong=wrong, next=_next(""))
    return make_response(shown, status)


@DESK.page("/logout", roles=EVERYBODY, methods=["POST"], before_change=True)
def sign_out() -> ResponseReturnValue:
    """End the session, here and in the database."""
    secret = cookies.session_secret()
    if secret:
        engine().sign_out(secret)
    cookies.drop_session()
    flash(_("You have signed out."), "ok")
    return redirect(url_for("login.sign_in"), 303)


@DESK.page("/password", roles=EVERYBODY, before_change=True)
def password() -> ResponseReturnValue:
    """Show the form for a new password."""
    return _password_page({}, 200)


@DESK.page("/password", roles=EVERYBODY, methods=["POST"], before_change=True)
def change_password() -> ResponseReturnValue:
    """Replace the password; all other sessions of the person end."""
    old, new = request.form.get("old", ""), request.form.get("new", "")
    if new != request.form.get("again", ""):
        return _password_page({"again": _("The two new passwords differ.")}, 422)
    try:
        engine().change_password(
            person().name, old=old, new=new, session=cookies.session_secret() or ""
        )
    except WrongPassword:
        return _password_page({"old": _("The present password is wrong.")}, 422)
    except WeakPassword:
        words = _("At least %(n)s characters, and neither your name nor the old one.",
                  n=LEAST_PASSWORD)  # fmt: skip
        return _password_page({"new": words}, 422)
    flash(_("Your password is changed. All other sessions have ended."), "ok")
    return redirect(homes(), 303)


def _password_page(errors: dict[str, str], status: int) -> Response:
    shown = render_template("password.html", errors=errors, least=LEAST_PASSWORD)
    return make_response(shown, status)


@DESK.page("/preferences", roles=EVERYBODY)
def preferences() -> ResponseReturnValue:
    """Show what the person likes."""
    return render_template("preferences.html", zones=_zones())


@DESK.page("/preferences", roles=EVERYBODY, methods=["POST"])
def keep_preferences() -> ResponseReturnValue:
    """Keep language, time zone and colours with the account."""
    form = request.form
    wishes = {name: form.get(name) or None for name in ("language", "zone", "theme")}
    engine().change_user(person().name, by=person().name, **wishes)
    flash(_("Your preferences are kept."), "ok")
    return redirect(url_for("login.preferences"), 303)


@DESK.page("/language", roles=PUBLIC, methods=["POST"], before_change=True)
def set_language() -> ResponseReturnValue:
    """Change the language of the pages, with the account or with a cookie."""
    wish = request.form.get("language")
    return _keep_taste("language", COOKIE, wish if wish in LANGUAGES else None)


@DESK.page("/theme", roles=PUBLIC, methods=["POST"], before_change=True)
def set_theme() -> ResponseReturnValue:
    """Change between light and dark; anything else follows the system."""
    wish = request.form.get("theme")
    return _keep_taste("theme", THEME_COOKIE, wish if wish in _THEMES else None)


def _keep_taste(name: str, cookie: str, wish: str | None) -> Response:
    response = make_response(redirect(_next(homes()), 303))
    found = visitor()
    if found is not None:
        engine().change_user(found.name, by=found.name, **{name: wish})
    if wish is None:
        response.delete_cookie(cookie)
    else:
        keep(response, cookie, wish)
    return response


def _next(otherwise: str | None = None) -> str:
    """Return where the person wanted to go, if that is a page of ours."""
    wish = local(request.values.get("next"))
    return wish or (homes() if otherwise is None else otherwise)


def _zones() -> list[str]:
    usual = ["UTC", "Asia/Shanghai", "Asia/Hong_Kong", "Europe/Berlin", "America/New_York"]
    return [*usual, *sorted(available_timezones() - set(usual))]


def theme() -> str | None:
    """Return light or dark, None for as the system."""
    found = visitor()
    wish: Any = found.theme if found is not None else request.cookies.get(THEME_COOKIE)
    return wish if wish in _THEMES else None


DESK.globals["theme"] = theme
