"""Both languages everywhere: every text of the pages has its Chinese, and the choice is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from tests.browsing import Browser
from tests.unit.web.conftest import Login

WEB = Path(__file__).resolve().parents[3] / "web"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "lazy": None}


def texts() -> Iterator[tuple[str, str]]:
    """Yield (file, text) for every text that is marked for translation."""
    found = extract_from_dir(str(WEB), METHODS, {}, keywords=KEYWORDS)
    for file, _line, message, _comments, _context in found:
        yield file, message if isinstance(message, str) else str(next(iter(message or ())))


def first(text: object) -> str:
    """Return the text, or of a text with a plural its singular."""
    return text if isinstance(text, str) else str(next(iter(text)))  # type: ignore[call-overload]


def chinese() -> dict[str, str]:
    """Return English -> Chinese of all catalogues."""
    found: dict[str, str] = {}
    for path in sorted((WEB / "translations" / "zh").glob("*.po")):
        with path.open("rb") as file:
            for entry in read_po(file, locale="zh"):
                if entry.id and not entry.fuzzy:
                    found[first(entry.id)] = first(entry.string)
    return found


def test_every_text_has_its_chinese() -> None:
    known, marked = chinese(), list(texts())

    assert len(marked) > 100
    assert [(file, text) for file, text in marked if not known.get(text)] == []


def test_translations_keep_their_placeholders() -> None:
    wrong = []
    for english, translated in chinese().items():
        names = {part.split(")")[0] for part in english.split("%(")[1:]}
        if names != {part.split(")")[0] for part in translated.split("%(")[1:]}:
            wrong.append(english)
    assert wrong == []


@pytest.mark.parametrize(("asked", "tag"), [("zh-CN,zh;q=0.9", "zh-CN"), ("de,en", "en"),
                                            ("fr", "en")])  # fmt: skip
def test_a_stranger_reads_the_language_of_the_browser(
    browser: Browser, asked: str, tag: str
) -> None:
    page = browser.get("/login", headers={"Accept-Language": asked})

    assert f'<html lang="{tag}"' in page.text
    assert ("登录" in page.text) == (tag == "zh-CN")


def test_a_link_may_choose_the_language_for_the_pages_that_follow(browser: Browser) -> None:
    assert 'lang="zh-CN"' in browser.get("/login?lang=zh").text

    assert '<html lang="zh-CN"' in browser.get("/login").text


def test_the_switch_is_kept_with_the_account(login: Login) -> None:
    operator = login("operator")

    answer = operator.post("/language", {"language": "zh", "next": "/tasks?view=groups"})

    assert answer.location == "/tasks?view=groups"
    assert '<html lang="zh-CN"' in operator.get("/tasks").text
    # and the link does not change what the person has chosen
    assert '<html lang="zh-CN"' in operator.get("/tasks?lang=en").text


def test_colours_are_kept_without_any_script(browser: Browser) -> None:
    browser.post("/theme", {"theme": "dark", "next": "/login"})

    assert 'data-theme="dark"' in browser.get("/login").text

    browser.post("/theme", {"theme": "", "next": "/login"})
    assert "data-theme" not in browser.get("/login").text
