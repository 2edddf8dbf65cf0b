"""Every page in both languages, wide and narrow, light and dark: fits, is readable, is reachable.

The pictures lie in build/pictures afterwards; `make pictures` puts the good ones into docs/.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from playwright.sync_api import Browser, Page

from engine.runtime import Engine
from engine.settings import Settings
from tests.browser.conftest import SIZES, listener, serving, wait_until_drawn
from tests.drawing import diagram, end, extension, node, path, process, service, start
from web.app import create_app
from web.demo import PEOPLE, fill, shipped
from web.links import links_of

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "build" / "pictures"
PASSWORD = "correct horse battery"
LOCALES = {"en": "en-GB", "zh": "zh-CN"}
#: axe takes its time: these together have each language with each size and each scheme
ASKED = {("en", "wide", "light"), ("zh", "wide", "dark"), ("zh", "narrow", "light"),
         ("en", "narrow", "dark")}  # fmt: skip
#: routes that give a file or send the visitor on
NO_PAGES = {
    "login.start", "metrics.scrape", "cases.file", "cases.export", "deployments.file",
    "deployments.source", "deployments.templates", "drafts.file", "portal.open_mine",
    "portal.file", "assets.static",
}  # fmt: skip
#: English on Chinese pages that is meant so
NAMES = {"Caseway", "English", "bpmn.io", "BPMN.iO"}


#: the pictures of docs/pictures: view, language, size, scheme
DOCS = [
    ("ask", "zh", "wide", "light"), ("follow", "en", "narrow", "dark"),
    ("offer", "zh", "wide", "light"), ("work", "en", "wide", "light"),
    ("case", "zh", "wide", "light"), ("escalations", "en", "wide", "light"),
    ("deployment", "en", "wide", "dark"),
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A page to look at."""

    name: str
    endpoint: str
    path: str
    #: None: nobody has signed in
    role: str | None = None
    #: what a person comes for; the keyboard must reach it
    act: str = ""


class Gallery:
    """The demonstration, running, and the addresses of its pages."""

    def __init__(self, folder: Path, port: int, chromium: Browser) -> None:
        self.url = f"http://127.0.0.1:{port}"
        settings = Settings(data_dir=folder, port=port, public_url=self.url)
        self.engine = Engine(settings)
        self.engine.migrate()
        fill(self.engine)
        for person in PEOPLE:
            self.engine.create_user(
                person.name, role=person.name, by="test", password=PASSWORD, zone="Asia/Shanghai",
                display=person.display, groups=person.groups, email=f"{person.name}@example.com",
            )  # fmt: skip
        self.app = create_app(settings, engine=self.engine)
        self._stop_somewhere()
        self._change_something()
        self._chromium = chromium
        self._pages: dict[tuple[str, str | None], Page] = {}
        self.complaints: list[str] = []

    def _stop_somewhere(self) -> None:
        """Make an incident, so that its pages are not empty."""
        drawn = diagram(process("order", start("s"), service("buy", "parts.order"), end("e"),
                                path("s", "buy", "e")))  # fmt: skip
        self.engine.deploy({"order.bpmn": drawn}, by="admin", comment="Order parts")
        self.engine.start("order", business_key="K-1")
        works = self.engine.claim_work(owner="test", limit=100, lease_s=30, topics=["parts.order"])
        for work in works:
            self.engine.fail(work, "no answer from the shop", "Traceback: ...", retry_at=None)
        other = re.sub(rb'(?<=["-])buy(?=["-])', b"rent", drawn)
        self.engine.deploy({"order.bpmn": other}, by="admin", comment="Rent parts")
        self._stop_a_lane()

    def _stop_a_lane(self) -> None:
        """Make two lanes stand still: one of a customer, one with a long name."""
        said = extension(
            '<zeebe:taskDefinition type="parts.fetch"/><zeebe:properties>'
            '<zeebe:property name="name.zh" value="取件"/>'
            '<zeebe:property name="lane" value="=customer"/></zeebe:properties>'
        )
        drawn = diagram(process("fetching", start("s"), node("serviceTask", "fetch", said),
                                end("e"), path("s", "fetch", "e")))  # fmt: skip
        self.engine.deploy({"fetching.bpmn": drawn}, by="admin", comment="Fetch parts")
        for customer in ("2026-000017", "2026-000017", "customer/4711-with-a-name-that-is-long"):
            self.engine.start("fetching", {"customer": customer})
        works = self.engine.claim_work(owner="test", limit=100, lease_s=30, topics=["parts.fetch"])
        for work in works:
            self.engine.fail(work, "the van has no place left", "Traceback: ...", retry_at=None)

    def _change_something(self) -> None:
        """Deploy a diagram with another text, so that the page of a deployment has a change."""
        changed = shipped()["customer_contact.bpmn"].replace(
            "了解诉求".encode(), "倾听诉求".encode()
        )
        self.engine.deploy({"customer_contact.bpmn": changed}, by="admin", comment="A clearer name")

    def page(self, language: str, role: str | None) -> Page:
        """Return the browser of a person who reads a language."""
        if (language, role) not in self._pages:
            context = self._chromium.new_context(
                locale=LOCALES[language], timezone_id="Asia/Shanghai", reduced_motion="reduce"
            )
            page = context.new_page()
            page.on("pageerror", lambda error: self.complaints.append(f"{page.url} {error}"))
            page.on("console", lambda line: self._hear(page, line.text))
            if role is not None:
                page.goto(f"{self.url}/login")
                page.fill("#name", role)
                page.fill("#password", PASSWORD)
                page.click("main button")
            self._pages[language, role] = page
        return self._pages[language, role]

    def _hear(self, page: Page, text: str) -> None:
        if "Content Security Policy" in text:
            self.complaints.append(f"{page.url} {text}")

    def case(self, waits: str) -> str:
        """Return the id of a case that waits for a message."""
        for one in self.engine.cases(limit=100):
            if any(wait.name == waits for wait in self.engine.case_view(one.id).waits):
                return one.id
        raise AssertionError(f"no case waits for {waits}")

    def task(self, element: str) -> str:
        """Return the id of an open task at an element."""
        return next(one.id for one in self.engine.tasks(limit=100) if one.element_id == element)

    def decision(self, root_id: str, decision_id: str) -> str:
        """Return the path of a table, with how it decided in a case."""
        row = next(one for one in self.engine.decided(root_id) if one.name == decision_id)
        return f"/decisions/{decision_id}/1?case={root_id}&event={row.seq}"

    def draft(self) -> str:
        """Return the id of a draft that lacks a handler, a way on and the end of a flow."""
        whole = shipped()["customer_contact.bpmn"]
        unfinished = re.sub(rb"<zeebe:taskDefinition [^>]*/>", b"", whole)
        unfinished = re.sub(rb'targetRef="\w+"', b'targetRef="later"', unfinished, count=1)
        files = {"customer_contact.bpmn": unfinished}
        return self.engine.save_bundle_draft(files, title="Contact, autumn", by="analyst").id

    def link(self, purpose: str, waits: str) -> str:
        """Return the path of a customer's page."""
        return f"/p/{purpose}/{links_of(self.engine).make(purpose, self.case(waits))}"

    def views(self) -> list[View]:
        """Return all pages."""
        late = next(one for one in self.engine.tasks(limit=100) if one.element_id == "do_work")
        stopped = next(one for one in self.engine.incidents() if one.element_id == "buy")
        group = re.search(r"/incidents/group/\w+", self._seen("/incidents"))
        assert group is not None
        (last,) = self.engine.deployments(limit=1)
        send = "main form .button.primary"
        return [
            View(name="sign-in", endpoint="login.sign_in", path="/login", act="main button"),
            View(name="ask", endpoint="portal.ask", path="/p/new", act=send),
            View(name="thanks", endpoint="portal.thanks", path="/p/thanks"),
            View(name="follow", endpoint="portal.follow", act=send,
                 path=self.link("follow", "customer_reply")),
            View(name="confirm", endpoint="portal.confirm", act=send,
                 path=self.link("confirm", "needs_confirmed")),
            View(name="offer", endpoint="portal.answer", act=send,
                 path=self.link("answer", "proposal_accepted")),
            View(name="rate", endpoint="portal.rate", act=send,
                 path=self.link("rate", "survey_answer")),
            View(name="withdraw", endpoint="portal.withdraw", act="main form button",
                 path=self.link("follow", "customer_reply") + "/withdraw"),
            View(name="my-requests", endpoint="portal.mine", path="/my", role="customer",
                 act="main .button.primary"),
            View(name="work", endpoint="desk.work_list", path="/tasks?view=groups",
                 role="operator", act="main table a"),
            View(name="work-empty", endpoint="desk.work_list", path="/tasks?view=groups&q=zzz",
                 role="operator"),
            View(name="task", endpoint="task.show", path=f"/tasks/{self.task('listen')}",
                 role="operator", act="main .button.primary"),
            View(name="task-late", endpoint="task.show", path=f"/tasks/{late.id}",
                 role=late.assignee),
            View(name="cases", endpoint="cases.case_list", path="/cases", role="lead",
                 act="main table a"),
            View(name="case", endpoint="cases.case", path=f"/cases/{late.root_id}", role="lead",
                 act="main aside a"),
            View(name="escalations", endpoint="escalations.board", path="/escalations",
                 role="lead", act="main .board-card .button.primary"),
            View(name="incidents", endpoint="incidents.groups", path="/incidents", role="admin",
                 act="main table a"),
            View(name="incident-group", endpoint="incidents.group", path=group[0], role="admin",
                 act="main .button.primary"),
            View(name="incident", endpoint="incidents.incident", role="admin",
                 path=f"/incidents/{stopped.id}", act="main .button.primary"),
            View(name="move-many", endpoint="moving.many", role="admin", act="main select",
                 path="/deployments/processes/order/migration?source=1"),
            View(name="move-case", endpoint="moving.one", role="admin", act="main select",
                 path=f"/cases/{stopped.root_id}/migration"),
            View(name="repair", endpoint="moving.repair", role="admin", act="main .button.primary",
                 path=f"/cases/{stopped.root_id}/modification"),
            View(name="lanes", endpoint="lanes.stopped", path="/incidents/lanes", role="admin",
                 act="main .button.primary"),
            View(name="decisions", endpoint="decisions.overview", path="/decisions",
                 role="analyst", act="main table a"),
            View(name="decision", endpoint="decisions.table", role="operator",
                 path=self.decision(late.root_id, "triage")),
            View(name="decision-formula", endpoint="decisions.table", role="lead",
                 path="/decisions/usable/1"),
            View(name="processes", endpoint="deployments.overview", path="/deployments",
                 role="admin", act="main .button.primary"),
            View(name="process", endpoint="deployments.process", role="analyst",
                 path="/deployments/processes/service_lifecycle"),
            View(name="upload", endpoint="deployments.upload", path="/deployments/new",
                 role="admin", act=send),
            View(name="draft", endpoint="drafts.draft", role="analyst",
                 path=f"/drafts/{self.draft()}", act="main .page-head summary"),
            View(name="deployment", endpoint="deployments.deployment", role="admin",
                 path=f"/deployments/{last.id}"),
            View(name="handlers", endpoint="deployments.handlers", path="/handlers",
                 role="analyst", act="main .page-head a"),
            View(name="preferences", endpoint="login.preferences", path="/preferences",
                 role="operator", act="main .button.primary"),
            View(name="password", endpoint="login.password", path="/password", role="operator",
                 act="main .button.primary"),
            View(name="not-found", endpoint="", path="/nothing", role="operator"),
        ]  # fmt: skip

    def _seen(self, address: str) -> str:
        page = self.page("en", "admin")
        page.goto(self.url + address)
        return page.content()


@pytest.fixture(scope="module")
def gallery(
    tmp_path_factory: pytest.TempPathFactory, chromium: Browser
) -> Iterator[Gallery]:  # fmt: skip
    """Return the running demonstration."""
    with listener() as heard:
        made = Gallery(tmp_path_factory.mktemp("gallery"), heard.getsockname()[1], chromium)
        with serving(made.app, heard):
            yield made
        made.engine.close()


@pytest.fixture(scope="module")
def views(gallery: Gallery) -> list[View]:
    return gallery.views()


def resize(page: Page, size: str) -> None:
    width, height = SIZES[size].values()
    page.set_viewport_size({"width": width, "height": height})


def open_view(gallery: Gallery, view: View, language: str) -> Page:
    """Open a page and wait until its diagrams are drawn."""
    page = gallery.page(language, view.role)
    resize(page, "wide")
    page.emulate_media(color_scheme="light")
    page.goto(gallery.url + view.path)
    wait_until_drawn(page)
    return page


def texts() -> dict[str, str]:
    """Return the English of the pages with its Chinese."""
    found: dict[str, str] = {}
    for file in sorted((ROOT / "web" / "translations" / "zh").glob("*.po")):
        with file.open("rb") as opened:
            for entry in read_po(opened, locale="zh"):
                if isinstance(entry.id, str) and entry.id and entry.id != entry.string:
                    found[entry.id] = str(entry.string)
    return found


_VISIBLE = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const at = node.parentElement, text = node.textContent.trim();
    if (at.closest("script, style, svg, template, textarea, code, .mono")) continue;
    if (at.closest("[lang]") !== document.documentElement) continue;
    // an element without a name is called by its id
    if (at.closest("[data-element]")?.dataset.element !== text) found.push(text);
  }
  for (const at of document.querySelectorAll("[aria-label], [placeholder], [title], [alt]"))
    for (const name of ["aria-label", "placeholder", "title", "alt"])
      if (at.hasAttribute(name) && !at.closest("svg")) found.push(at.getAttribute(name).trim());
  return [...new Set(found)].filter(text => text);
}"""
#: what only programs call something: work_overdue, decision.evaluated; files may show their names
_INNER = re.compile(r"(?!.*\.(?:bpmn|dmn|form)$)[a-z]+(?:[._][a-z]+)+")


def test_every_page_is_looked_at(gallery: Gallery, views: list[View]) -> None:
    pages = {
        rule.endpoint
        for rule in gallery.app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.rule.startswith("/api")
        and not rule.endpoint.startswith("health")
    }  # fmt: skip

    assert pages - NO_PAGES - {view.endpoint for view in views} == set()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_fits_and_everybody_can_use_it(
    gallery: Gallery, views: list[View], violations: Callable[[Page], list[str]], language: str
) -> None:
    found: list[str] = []
    PICTURES.mkdir(parents=True, exist_ok=True)
    for view in views:
        page = open_view(gallery, view, language)
        for size in ("wide", "narrow"):
            resize(page, size)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append(f"{view.name} {size}: wider than the window")
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                name = f"{view.name}-{language}-{size}-{scheme}.png"
                page.screenshot(path=PICTURES / name, full_page=True)
                if (language, size, scheme) in ASKED:
                    found += [f"{view.name} {size} {scheme}: {one}" for one in violations(page)]
    assert "\n".join(found) == ""
    assert gallery.complaints == []


def test_no_text_is_left_in_the_other_language(gallery: Gallery, views: list[View]) -> None:
    english = texts()
    chinese = set(english.values()) - set(english)
    found: list[str] = []
    for view in views:
        for language in ("zh", "en"):
            seen = open_view(gallery, view, language).evaluate(_VISIBLE)
            strange = set(english) if language == "zh" else chinese
            found += [
                f"{view.name} {language}: {text}"
                for text in seen
                if text not in NAMES and (text in strange or _INNER.fullmatch(text))
            ]
    assert "\n".join(found) == ""


def test_the_keyboard_reaches_what_a_person_comes_for(gallery: Gallery, views: list[View]) -> None:
    missed: list[str] = []
    for view in (one for one in views if one.act):
        page = open_view(gallery, view, "en")
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("act => document.activeElement.matches(act)", view.act):
                break
        else:
            missed.append(view.name)
    assert missed == []


@pytest.mark.parametrize(("name", "language", "size", "scheme"), DOCS)
def test_pictures_for_the_docs_are_small(
    gallery: Gallery, views: list[View], name: str, language: str, size: str, scheme: Any
) -> None:
    page = open_view(gallery, next(view for view in views if view.name == name), language)
    resize(page, size)
    page.emulate_media(color_scheme=scheme)

    # `make pictures` names the folder of the docs
    folder = Path(os.environ.get("PICTURES", PICTURES / "docs"))
    picture = page.screenshot(path=folder / f"{name}.png")

    assert len(picture) < 200_000
