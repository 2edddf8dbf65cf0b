"""`make demo`: one command, and there is a service to look at; stopped and started as one likes."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.settings import Settings
from tests.acceptance.command import PATIENCE_S, ROOT, children, end, eventually, lives
from web.opening import open_engine

PEOPLE = ("customer", "operator", "lead", "analyst", "admin")


@contextmanager
def demo(data: Path, password: str = "") -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """Run the demonstration; yield the process, its address, and what it has printed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--data", str(data), "--port", str(port), "--password", password]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "web.demo", *options],
        cwd=data.parent, stdout=subprocess.PIPE, text=True,
        env={name: text for name, text in os.environ.items() if not name.startswith("CASEWAY_")},
    )  # fmt: skip
    assert process.stdout is not None
    with process.stdout as told:
        try:
            last = f"Open http://127.0.0.1:{port}  (Ctrl-C stops it)"
            lines = list(iter(lambda: told.readline().rstrip("\n"), last))
            yield process, f"http://127.0.0.1:{port}", lines
        finally:
            end(process)


def opener() -> urllib.request.OpenerDirector:
    """Return a browser that keeps its cookies."""
    jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    made = urllib.request.build_opener(jar)
    made.addheaders = [("Accept", "text/html"), ("Accept-Language", "en")]
    return made


def page(browser: urllib.request.OpenerDirector, url: str, **form: str) -> tuple[str, str]:
    """Open a page, or send a form; return the address it ends at, and the page."""
    data = urllib.parse.urlencode(form).encode() if form else None
    with browser.open(url, data, timeout=PATIENCE_S) as answer:
        return answer.geturl(), answer.read().decode()


def sign_in(url: str, name: str, password: str) -> str:
    """Return the path at which somebody begins after signing in."""
    browser = opener()
    _, form = page(browser, f"{url}/login")
    token = re.search(r'name="csrf" value="([^"]+)"', form)
    assert token is not None
    place, _ = page(browser, f"{url}/login", csrf=token[1], name=name, password=password)
    return urllib.parse.urlparse(place).path


def passwords(lines: list[str]) -> dict[str, str]:
    """Return the printed passwords by name."""
    found = [line.split() for line in lines]
    return {words[0]: words[1] for words in found if words and words[0] in PEOPLE}


@pytest.mark.slow
def test_the_demonstration_shows_a_service_and_can_be_used_again(tmp_path: Path) -> None:
    data = tmp_path / "data"

    with demo(data) as (process, url, lines):
        eventually(lambda: status(f"{url}/readyz") == 200, "the demonstration gets ready")
        once = passwords(lines)
        assert set(once) == set(PEOPLE)
        assert len(set(once.values())) == len(PEOPLE)
        assert {sign_in(url, name, once[name]) for name in PEOPLE} == {"/password"}
        _, asking = page(opener(), f"{url}/p/new")
        assert "How can we help?" in asking
        below = children(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
        assert not any(lives(pid) for pid in below)

    before = phases(data)
    assert {"listen", "draft", "do_work", "level_1"} <= before.keys()
    with demo(data, "one for all of us") as (_, url, lines):
        assert set(passwords(lines).values()) == {"one"}
        assert "/password" not in {sign_in(url, name, "one for all of us") for name in PEOPLE}
    assert phases(data) == before


def test_a_port_in_use_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-P", "-m", "web.demo", "--data", "data", "--port", port],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=PATIENCE_S,
        )  # fmt: skip

    assert done.returncode == 1
    assert "port" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_make_knows_the_demonstration() -> None:
    assert "-m web.demo --data '$(DATA)' --port '$(PORT)' --password '$(PASSWORD)'" in (
        (ROOT / "Makefile").read_text(encoding="utf-8")
    )


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            found: int = answer.status
            return found
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def phases(data: Path) -> dict[str, int]:
    """Return how many open tasks stand at each element."""
    engine = open_engine(Settings(data_dir=data))
    found: dict[str, int] = {}
    for task in engine.tasks(limit=1000):
        found[task.element_id] = found.get(task.element_id, 0) + 1
    engine.close()
    return found
