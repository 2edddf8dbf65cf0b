"""What is built from npm packages and committed: its licences, no evaluation, no addresses."""

from __future__ import annotations

import json
import re
from pathlib import Path

WEB = Path(__file__).resolve().parents[3] / "web"
VIEWER = WEB / "static" / "vendor" / "bpmn-viewer"
LOCK = json.loads((WEB / "frontend" / "package-lock.json").read_text(encoding="utf-8"))


def test_lock_pins_contents_and_names_no_address() -> None:
    packages = [entry for path, entry in LOCK["packages"].items() if path]

    assert [entry for entry in packages if "resolved" in entry] == []
    assert [entry for entry in packages if "integrity" not in entry] == []


def test_wished_versions_are_exact() -> None:
    wished = json.loads((WEB / "frontend" / "package.json").read_text(encoding="utf-8"))

    for name, version in (wished["dependencies"] | wished["devDependencies"]).items():
        assert version == LOCK["packages"][f"node_modules/{name}"]["version"], name


def test_licences_of_everything_inside_are_shipped() -> None:
    licences = (VIEWER / "LICENSES.txt").read_text(encoding="utf-8")

    assert "MUST NOT be\nremoved or changed" in licences
    for name in ("bpmn-js", "diagram-js", "bpmn-moddle", "zeebe-bpmn-moddle"):
        version = LOCK["packages"][f"node_modules/{name}"]["version"]
        assert f"{name} {version}\n" in licences


def test_viewer_evaluates_no_text_and_shows_the_mark() -> None:
    script = (VIEWER / "viewer.js").read_text(encoding="utf-8")

    assert re.search(r"\beval\(|new Function\b", script) is None
    assert "bpmn.io" in script
    # our own style may give it a ground, never hide it
    style = (VIEWER / "viewer.css").read_text(encoding="utf-8")
    rules = re.findall(r"\.bjs-powered-by\s*\{([^}]*)\}", style)
    assert not any("display" in rule or "opacity" in rule for rule in rules)
