"""The documents name every role, kind of event, code of a refusal, and what is not executed."""

from __future__ import annotations

import re
from pathlib import Path

from engine.access import ROLES
from engine.diagrams.support import SUPPORTED, YES
from engine.registry import Registry
from engine.settings import Settings
from web.api import ROUTES
from web.problems import STATUSES

ROOT = Path(__file__).resolve().parent.parent.parent.parent
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
MODELLING = (ROOT / "docs" / "modelling.md").read_text(encoding="utf-8")
#: the first argument of what writes the history
EVENT = re.compile(r'(?:Event|record|note|_note)\([^"]*?"([a-z_]+\.[a-z_]+)"')


def test_every_role_is_documented() -> None:
    assert [role for role in ROLES if f"| `{role}` |" not in REFERENCE] == []


def test_every_right_of_a_route_belongs_to_a_role() -> None:
    given = frozenset[str]().union(*ROLES.values())

    assert {route.right for route in ROUTES} <= given


def test_every_kind_of_event_is_documented() -> None:
    kinds = {
        kind
        for folder in ("kernel", "runtime")
        for path in (ROOT / "engine" / folder).glob("*.py")
        for kind in EVENT.findall(path.read_text(encoding="utf-8"))
    }

    assert {"instance.started", "variable.set", "task.completed", "work.failed"} <= kinds
    assert [kind for kind in sorted(kinds) if f"`{kind}`" not in REFERENCE] == []


def test_every_code_of_a_refusal_is_documented() -> None:
    codes = {kind.code for kind in STATUSES}

    assert [code for code in sorted(codes) if f"`{code}`" not in REFERENCE] == []


def test_what_is_not_executed_is_documented() -> None:
    refused = [feature for feature, advice in SUPPORTED.items() if advice != YES]

    assert [feature for feature in refused if f"`{feature}`" not in MODELLING] == []


def test_nothing_is_documented_as_refused_that_is_executed() -> None:
    table = MODELLING.partition("| refused | |")[2].partition("## ")[0]
    named = re.findall(r"`([^`]+)`", table)

    assert named
    assert [feature for feature in named if SUPPORTED.get(feature, YES) == YES] == []


def test_every_shipped_handler_is_documented() -> None:
    names = ("handlers.md", "service.md")
    text = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in names)
    shipped = [entry for entry in Registry.load(Settings()) if "handlers" in entry.source]

    assert shipped
    assert [entry.name for entry in shipped if f"`{entry.name}`" not in text] == []
