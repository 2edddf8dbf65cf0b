"""The pages: how a desk registers its own, and the door that each request for one passes.

Nothing is open by accident: a route without declared roles cannot be registered by `Desk.page`, and
one that was registered otherwise is refused.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Blueprint, Flask, Response, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from engine.access import PEOPLE, STAFF
from engine.errors import EngineError, Forbidden
from web import assets, cookies, csrf, headers, language, refusals
from web.context import House, SignInFirst, engine, furnish, settings, visitor

if TYPE_CHECKING:
    from engine.settings import Settings

#: modules of web/ with a `DESK`; one that is not there yet is left out
DESKS = (
    "login",
    "desk",
    "task",
    "cases",
    "escalations",
    "decisions",
    "deployments",
    "moving",
    "drafts",
    "incidents",
    "lanes",
    "portal",
    "outbox",
)
#: for `roles=`: open to everybody, with or without an account
PUBLIC = frozenset({"public"})
#: for `roles=`: everybody who has an account; everybody who works here
EVERYBODY, WORKERS = frozenset(PEOPLE), frozenset(STAFF)
#: for `roles=`: those who see everybody's work
LEADS = frozenset({"lead", "analyst", "admin"})
#: blueprints of programs, which have a door of their own
_MACHINES = ("api", "health", "metrics")
#: what a form may have beside the values: names, borders, the token
_OVERHEAD = 64 * 1024

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the navigation."""

    endpoint: str
    #: lazy text
    label: Any
    roles: frozenset[str]
    #: smaller stands further left
    place: int


class Desk:
    """The pages of one kind of work: a blueprint whose every route says who may use it."""

    def __init__(self, name: str) -> None:
        self.blueprint = Blueprint(name, "web")
        self.blueprint.register_error_handler(EngineError, refusals.refused)
        self.blueprint.register_error_handler(HTTPException, refusals.http_refused)
        #: endpoint -> who may use it
        self.roles: dict[str, frozenset[str]] = {}
        #: endpoints that take files, so that a body may be as large as upload_limit
        self.uploads: set[str] = set()
        #: endpoints open to somebody whose password must be changed first
        self.before_change: set[str] = set()
        self.entries: list[Entry] = []
        #: role -> endpoint of its first page
        self.homes: dict[str, str] = {}
        #: what all templates may call
        self.globals: dict[str, Callable[..., Any]] = {}
        #: filters of all templates
        self.filters: dict[str, Callable[..., Any]] = {}

    def page(
        self, rule: str, *, roles: Iterable[str], methods: Iterable[str] = ("GET",),
        uploads: bool = False, before_change: bool = False,
    ) -> Callable[[View], View]:  # fmt: skip
        """Register a view for the roles; PUBLIC is open to everybody."""
        wanted = frozenset(roles)
        if not wanted or wanted - EVERYBODY - PUBLIC:
            raise ValueError(f"{rule}: {sorted(wanted)} are no roles")

        def register(view: View) -> View:
            name = view.__name__
            endpoint = f"{self.blueprint.name}.{name}"
            self.blueprint.add_url_rule(rule, name, view, methods=list(methods))
            self.roles[endpoint] = wanted
            if uploads:
                self.uploads.add(endpoint)
            if before_change:
                self.before_change.add(endpoint)
            return view

        return register

    def entry(self, view: str, label: Any, *, roles: Iterable[str], place: int = 50) -> None:
        """Add a line to the navigation of these roles; `label` is a lazy text."""
        self.entries.append(
            Entry(endpoint=f"{self.blueprint.name}.{view}", label=label, roles=frozenset(roles),
                  place=place)
        )  # fmt: skip

    def home(self, view: str, *roles: str) -> None:
        """Let these roles (or "public") begin here after signing in."""
        for role in roles:
            self.homes[role] = f"{self.blueprint.name}.{view}"


@dataclass(frozen=True, slots=True)
class Pages:
    """All desks of an application together."""

    desks: tuple[Desk, ...]

    def roles(self, endpoint: str) -> frozenset[str] | None:
        """Return who may use an endpoint; None: nobody has declared it."""
        for desk in self.desks:
            if endpoint in desk.roles:
                return desk.roles[endpoint]
        return None

    def entries(self, role: str) -> list[Entry]:
        """Return the navigation of a role."""
        found = [entry for desk in self.desks for entry in desk.entries if role in entry.roles]
        return sorted(found, key=lambda entry: entry.place)

    def home(self, role: str) -> str:
        """Return the address of a role's first page."""
        homes = {key: value for desk in self.desks for key, value in desk.homes.items()}
        return url_for(
            homes.get(role, "login.sign_in" if role == "public" else "login.preferences")
        )

    def has(self, what: str, endpoint: str) -> bool:
        """Tell whether an endpoint is in `uploads` or `before_change` of its desk."""
        return any(endpoint in getattr(desk, what) for desk in self.desks)


def install(app: Flask, settings: Settings, house: House) -> None:
    """Add the pages, their door and their language to an application."""
    furnish(app, house)
    cookies.install(app, settings)
    language.install(app)
    modules = [f"web.{name}" for name in DESKS]
    found = [importlib.import_module(name) for name in modules if importlib.util.find_spec(name)]
    pages = Pages(tuple(module.DESK for module in found))
    app.extensions["caseway.pages"] = pages
    assets_pages = Blueprint("assets", "web", static_folder="static", static_url_path="/static")
    assets_pages.after_request(assets.keep)
    app.register_blueprint(assets_pages)
    app.before_request(lambda: _door(pages))
    app.after_request(headers.add)
    for desk in pages.desks:
        app.register_blueprint(desk.blueprint)
        app.jinja_env.globals.update(desk.globals)
        app.jinja_env.filters.update(desk.filters)
    app.jinja_env.globals.update(
        csrf_field=csrf.field, csrf_token=csrf.token, nonce=headers.nonce, visitor=visitor,
        navigation=lambda: pages.entries(_role()), home=homes, asset=asset, here=here,
    )  # fmt: skip


def homes(role: str | None = None) -> str:
    """Return the address where the work of a role, or of this visitor, begins."""
    pages: Pages = current_app.extensions["caseway.pages"]
    return pages.home(role or _role())


def _role() -> str:
    found = visitor()
    return found.role if found is not None else "public"


def _door(pages: Pages) -> Response | None:
    """Let a request for a page pass, send it to the sign-in, or raise Forbidden."""
    endpoint = request.endpoint
    if request.blueprint in (*_MACHINES, "assets"):
        return None
    secret = cookies.session_secret()
    g.person = found = engine().visitor(secret) if secret else None
    if endpoint is None:
        return None  # there is no such page; the person is known for the one that says so
    wanted = pages.roles(endpoint)
    if wanted is None:
        raise Forbidden("nobody has declared who may open this page")
    if wanted != PUBLIC:
        if found is None:
            return _sign_in_first()
        if found.role not in wanted:
            raise Forbidden(f"this page is for {', '.join(sorted(wanted))}, not for {found.role}")
    _limit_body(pages.has("uploads", endpoint))
    csrf.check()
    if found is not None and found.must_change and not pages.has("before_change", endpoint):
        return _go(url_for("login.password"))
    return None


def _limit_body(uploads: bool) -> None:
    limits = settings()
    most = limits.upload_limit if uploads else limits.input_limit
    request.max_content_length = most + _OVERHEAD
    request.max_form_memory_size = limits.input_limit + _OVERHEAD
    request.max_form_parts = 5000


def _sign_in_first() -> Response:
    if request.method in csrf.SAFE and "HX-Request" not in request.headers:
        return _go(url_for("login.sign_in", next=here()))
    if "HX-Request" in request.headers:
        response = Response(status=401)
        response.headers["HX-Redirect"] = url_for("login.sign_in")
        return response
    raise SignInFirst("your session is over: sign in again")


def _go(address: str) -> Response:
    response = redirect(address, 303)
    assert isinstance(response, Response)
    return response


def here() -> str:
    """Return the path and query of this request, for `next=`."""
    path = request.full_path if request.query_string else request.path
    return path.rstrip("?")


def local(address: str | None) -> str | None:
    """Return an address inside this site as it is, None for any other: no open redirects."""
    if address and address.startswith("/") and not address.startswith(("//", "/\\")):
        return address if address.isprintable() and "\\" not in address else None
    return None


def asset(name: str) -> str:
    """Return the address of a file in static/."""
    return url_for("assets.static", filename=name, v=assets.version(name))
