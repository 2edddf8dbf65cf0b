"""Hostile expressions: those of the public test kit, mutated. Whatever comes out of one is a FEEL
value or a FeelError, within the limits of the evaluation.

By hand: `python -m tests.unit.feel.fuzzing --minutes 10` (`--seed N` for the same ones again).
"""

from __future__ import annotations

import argparse
import random
import sys
import time as clock
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from engine import feel
from engine.feel.lexer import tokens_of
from engine.feel.library import BUILTINS

KIT = Path(__file__).parents[4] / "shared" / "conformance" / "tck"
LIMITS = feel.Limits(steps=2_000, items=500, characters=5_000, calls=30, regex_s=0.2)
#: calls inside Python that one step may cause per character of the text; work that is not counted
#: as steps soon needs more
CALLS = 3
NOW = datetime(2024, 2, 29, 12, tzinfo=UTC)
SCOPE: dict[str, Any] = {
    "a": 5,
    "b": Decimal("1.5"),
    "xs": [3, 1.5, None, "x"],
    "o": {"x": {"y": [1, 2]}, "item": 3},
    "d": date(2024, 2, 29),
    "deep": [[[[[1]]]]],
    "f": feel.Function("f", ("x", "y"), lambda given: given),
}
#: operands that a mutation puts in the place of others
OPERANDS = (
    *("1e6000", "-1e-6000", "9" * 40, "-1", "0", "null", "true", '""', '"(a+)+$"', "[]", "{}"),
    *(
        "xs",
        "o",
        "o.x",
        "a",
        "b",
        "d",
        "deep",
        "f",
        "?",
        "item",
        "partial",
        "xs[item > 1]",
        "(> 3)",
    ),
    *('@"P999999999999999D"', '@"-999999999-01-01"', '@"10:00:00@Europe/Paris"', '@"P1M"'),
    *('@"2024-01-31T10:00:00.123456789Z"', "(1..5]", '"\\ud83d"', "function(x) x"),
)
#: pieces that are put in anywhere
PIECES = (
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "..",
        ".",
        ",",
        ":",
        "**",
        "*",
        "/",
        "-",
        "<",
        "=",
        "in",
        "and",
    ),
    *(
        "or",
        "not(",
        "if",
        "then",
        "else",
        "for i in xs return",
        "every x in xs satisfies",
        "1..1e12",
    ),
    *("1..1e12", "between", "instance of", "list<number>", "time offset", "`a b`", "@", "//", "/*"),
)
SIGNS = ("+", "-", "*", "/", "**", "<", "=", "in", "and", "instance of")
#: expressions that grow, and the kit has none of
HEAVY = (
    "for i in 1..60 return if i = 1 then [1] else concatenate(partial[-1], partial[-1])",
    'for i in 1..60 return if i = 1 then "xx" else partial[-1] + partial[-1]',
    "for i in 1..60 return if i = 1 then 2 else partial[-1] * partial[-1]",
    "for i in 1..40 return partial",
    "{f: function(n) f(n + 1), r: f(1)}.r",
    "for i in 1..99, j in 1..99 return i * j",
    "some i in 1..1e12 satisfies i < 0",
    'every day in @"0001-01-01"..@"9999-01-01" satisfies true',
    'matches(string join(for i in 1..40 return "a"), "^(a|aa)+$b")',
    "distinct values(for i in 1..400 return {a: i})",
    "sort(for i in 1..400 return -i, function(x, y) x < y)",
    "flatten(for i in 1..400 return [i, [i]])",
    "string(for i in 1..60 return if i = 1 then [1] else [partial[-1], partial[-1]])",
)
_VALUES = (int, Decimal, str, bool, type(None), date, time, datetime, timedelta)
_OWN = (feel.YearsMonthsDuration, feel.FineDuration, feel.FarDate, feel.FineTime, feel.FarDateTime)


class TooMuch(BaseException):
    """An evaluation does more than its limits allow; no Exception, so that nothing meets it."""


@dataclass
class Tally:
    """What became of the expressions."""

    values: int = 0
    nulls: int = 0
    refused: int = 0
    ended: int = 0
    #: texts that broke a rule, with what happened
    broken: list[tuple[str, str]] = field(default_factory=list)


@cache
def corpus() -> tuple[str, ...]:
    """Return every FEEL text of the kit; a call of each built-in where the kit is not there."""
    found = {
        text.text.strip()
        for path in sorted(KIT.rglob("*.dmn"))
        for text in etree.parse(path).iter("{*}text")
        if text.text and len(text.text) < 400
    }
    calls = {f"{name}(xs, a, b)" for name in sorted(BUILTINS) if name != "@"}
    return tuple(sorted(found | calls))


def mutated(dice: random.Random, texts: Sequence[str]) -> str:
    """Return one of the texts with operands exchanged, calls around it, pieces taken out or in."""
    text = dice.choice(HEAVY if dice.random() < 0.1 else texts)
    for _ in range(dice.choice((0, 1, 1, 2, 3))):
        start, end = _operand(dice, text)
        other = dice.choice(OPERANDS if dice.random() < 0.7 else texts)
        cut = dice.randrange(len(text) + 1)
        text = dice.choice(
            (
                *(text[:start] + other + text[end:],) * 4,
                f"{text[:start]}({other}){text[end:]}",
                f"{dice.choice(sorted(set(BUILTINS) - {'@'}))}({text}, {other})",
                f"for i in {text} return {other}",
                f"({text})[{other}]",
                f"({other}) {dice.choice(SIGNS)} ({text})",
                f"{text[:start]} {dice.choice(PIECES)} {text[start:]}",
                text[:cut] + chr(dice.choice((0, 34, 92, 160, 0x1F40E, 0x4E2D))) + text[cut:],
                text[: dice.randrange(len(text) + 1)] + text[cut:],
            )
        )
    return text[:2_000]


def _operand(dice: random.Random, text: str) -> tuple[int, int]:
    """Return where a name, number or string of a text stands, if it has any."""
    try:
        found = [t for t in tokens_of(text) if t.kind in ("name", "number", "string")]
    except feel.FeelError:
        found = []
    token = dice.choice(found) if found else None
    return (token.start, token.end) if token else (0, 0)


def texts(seed: int) -> Iterator[str]:
    """Yield hostile expressions without end, the same ones for the same seed."""
    dice = random.Random(seed)
    while True:
        yield mutated(dice, corpus())


def tried(text: str, tally: Tally) -> None:
    """Compile and evaluate one text, and note what became of it."""
    try:
        expression = feel.compile(text, names=SCOPE, kind="unary" if "?" in text else "expression")
    except feel.FeelError as cause:
        tally.refused += 1
        if cause.position is None or not 0 <= cause.position <= len(text):
            tally.broken.append((text, f"refused without a place: {cause}"))
        return
    except Exception as cause:
        tally.broken.append((text, f"compiling: {cause!r}"))
        return
    try:
        found = _counted(expression)
    except feel.FeelError:
        tally.ended += 1
    except (Exception, TooMuch) as cause:
        tally.broken.append((text, repr(cause)))
    else:
        tally.nulls += found is None
        tally.values += found is not None
        wrong = outside(found)
        if wrong:
            tally.broken.append((text, wrong))


def _counted(expression: feel.Expression) -> Any:
    left = LIMITS.steps * CALLS * (len(expression.text) + 100)

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal left
        left -= event in ("call", "c_call")
        if left < 0:
            raise TooMuch("more calls than the limits allow")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        return expression.evaluate({**SCOPE, "?": 5}, now=NOW, limits=LIMITS, diagnostics=[])
    finally:
        sys.setprofile(before)


def outside(value: Any) -> str:
    """Return what is no FEEL value in a result, or larger than the limits allow; "" for nothing."""
    wrong, size = _judged(value, {})
    return wrong or ("a value of too many parts" if size > 10 * LIMITS.steps else "")


def _judged(value: Any, seen: dict[int, tuple[str, int]]) -> tuple[str, int]:
    """Return what is wrong with a value, and its parts; what is shared is judged once."""
    if isinstance(value, str) and len(value) > LIMITS.characters:
        return f"a text of {len(value)} characters", 1
    if not isinstance(value, (list, dict)):
        good = type(value) in (*_VALUES, *_OWN, feel.Range, feel.Function)
        return "" if good else f"a {type(value).__name__}", 1
    if len(value) > LIMITS.items:
        return f"a list of {len(value)} items", 1
    if id(value) not in seen:
        inner = value.values() if isinstance(value, dict) else value
        parts = [_judged(part, seen) for part in inner]
        wrong = next((wrong for wrong, _ in parts if wrong), "")
        seen[id(value)] = wrong, 1 + sum(size for _, size in parts)
    return seen[id(value)]


def main() -> int:
    """Try expressions for some minutes; print what broke and return 1 if anything did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=clock.time_ns())
    options = parser.parse_args()
    tally, end = Tally(), clock.monotonic() + options.minutes * 60
    for text in texts(options.seed):
        tried(text, tally)
        if clock.monotonic() > end:
            break
    print(f"seed {options.seed}: {tally.values} values, {tally.nulls} nulls,")
    print(f"{tally.refused} refused, {tally.ended} ended by a limit, {len(tally.broken)} broken")
    for text, why in tally.broken:
        print(f"{why}: {text!r}")
    return int(bool(tally.broken))


if __name__ == "__main__":
    sys.exit(main())
