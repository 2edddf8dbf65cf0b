"""The shipped dashboard and alert rules ask only for what Caseway shows, by names and labels."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from engine import watch
from web import metrics

FOLDER = Path(__file__).resolve().parent.parent.parent.parent / "docs" / "monitoring"
#: name of a metric, the labels it is selected by, if any
SELECTED = re.compile(r"\b((?:caseway|process)_\w+)(?:\{([^}]*)\})?")
GROUPED = re.compile(r"by \(([^)]*)\)")
#: labels that Prometheus adds itself
OF_PROMETHEUS = {"job", "instance", "le"}
RATED = re.compile(r"rate\(\s*(\w+)")


def shown() -> dict[str, set[str]]:
    """Return each metric with its labels, as the code declares them."""
    names: dict[str, set[str]] = {}
    for kind in watch.COUNTERS:
        names[f"caseway_{kind.name}_total"] = set(kind.labels)
    for kind in watch.TIMES:
        for end in ("bucket", "sum", "count"):
            names[f"caseway_{kind.name}_{end}"] = {*kind.labels, "le"}
    for name, (_, labels) in metrics.GAUGES.items():
        names[f"caseway_{name}"] = set(labels)
    single = {f"caseway_{name}": set[str]() for name in (metrics.LAG, metrics.UP)}
    return {**names, **single, "process_resident_memory_bytes": set()}


def expressions() -> Iterator[tuple[str, str]]:
    """Yield (where, PromQL) of everything shipped."""
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield f"dashboard: {panel['title']}", target["expr"]
    rules = (FOLDER / "alerts.yml").read_text()
    for rule in rules.split("- alert: ")[1:]:
        found = re.search(r"expr: (?:>-)?(.*?)\n        for:", rule, re.DOTALL)
        assert found, rule
        yield f"alert: {rule.splitlines()[0]}", found[1]


ALL = tuple(expressions())


def test_there_are_panels_and_alerts() -> None:
    assert sum(where.startswith("dashboard") for where, _ in ALL) >= 15
    assert sum(where.startswith("alert") for where, _ in ALL) >= 8


@pytest.mark.parametrize(("where", "asked"), ALL, ids=[f"{n}" for n in range(len(ALL))])
def test_what_is_asked_for_is_shown(where: str, asked: str) -> None:
    known = shown()
    selected = SELECTED.findall(asked)
    labels = {part.split("=")[0].strip("!~ ") for _, inside in selected for part in
              inside.split(",") if part}  # fmt: skip
    grouped = {name.strip() for inside in GROUPED.findall(asked) for name in inside.split(",")}

    assert [name for name, _ in selected if name not in known] == []
    have = set().union(*(known[name] for name, _ in selected)) | OF_PROMETHEUS
    assert (labels | grouped) - have == set(), where


@pytest.mark.parametrize(("where", "asked"), ALL, ids=[f"{n}" for n in range(len(ALL))])
def test_rates_are_taken_of_what_only_grows(where: str, asked: str) -> None:
    gauges = [name for name in RATED.findall(asked) if not name.endswith(("_total", "_bucket"))]

    assert gauges == [], where


def test_every_metric_that_is_declared_comes_with_a_scrape(app: Flask) -> None:
    app.test_client().get("/healthz")

    text = app.test_client().get("/metrics").text

    families = {f"caseway_{one.name}" for one in (*watch.COUNTERS, *watch.TIMES)}
    families |= {f"caseway_{name}" for name in (*metrics.GAUGES, metrics.LAG, metrics.UP)}
    told = set(re.findall(r"# HELP (\w+) ", text))
    assert {name for name in families if not {name, f"{name}_total"} & told} == set()


def test_every_metric_is_documented() -> None:
    documented = (FOLDER.parent / "reference.md").read_text(encoding="utf-8")

    bare = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown()}
    assert sorted(name for name in bare if f"`{name}`" not in documented) == []
