"""Row 11: a FEEL condition against Python's eval of the same."""

from __future__ import annotations

from decimal import Decimal

from engine import feel
from engine.feel import Expression
from tests.bench.figure import Figure, cpu_s, median
from tests.bench.rounds import Bench

TEXT = 'if a > 10 and b in [1..5] then "x" else "y"'
_PYTHON = '"x" if a > 10 and 1 <= b <= 5 else "y"'
_WHOLE: dict[str, object] = {"a": 11, "b": 3}
_FRACTIONS: dict[str, object] = {"a": Decimal("10.5"), "b": Decimal("2.5")}


def measure(bench: Bench) -> list[Figure]:
    """Return the share of Python's evaluations per CPU second; with ints, and with fractions."""
    name = f"11 FEEL {TEXT} / Python"
    return [
        _measured(bench, name, _WHOLE, ">= 0.25"),
        _measured(bench, "11 the same with fractions (Decimal on both sides)", _FRACTIONS, ""),
    ]


def _measured(bench: Bench, name: str, scope: dict[str, object], goal: str) -> Figure:
    count = 5_000 if bench.quick else 40_000
    ours = feel.compile(TEXT)
    theirs = compile(_PYTHON, "bench", "eval")
    assert ours.evaluate(scope) == eval(theirs, {}, scope) == "x"
    pairs = []
    for _ in range(bench.rounds):
        mine = cpu_s(lambda: play(ours, scope, count))
        python = cpu_s(lambda: [eval(theirs, {}, scope) for _ in range(count)])
        pairs.append((mine / count, python / count))
    mine, python = (median(side) for side in zip(*pairs, strict=True))
    detail = f"{1 / mine:,.0f} / {1 / python:,.0f} evaluations per CPU second"
    return Figure(name=name, value=python / mine, unit="x", goal=goal, detail=detail)


def play(expression: Expression, scope: dict[str, object], count: int) -> None:
    """Evaluate so many times."""
    for _ in range(count):
        expression.evaluate(scope)


def profile(made: object, bench: Bench) -> None:
    """Do what is measured, for a profile."""
    play(feel.compile(TEXT), _FRACTIONS, 20_000)
