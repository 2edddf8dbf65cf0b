"""What FEEL says when something does not fit: nothing is silent, all of it is Chinese too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

from engine import feel
from engine.feel.library import BUILTINS
from engine.sentences import heard
from tests.unit.feel.asking import complaints, value

SOURCES = sorted(Path(feel.__file__).parent.glob("*.py"))
_RAISED = {"Refused", "ValueError", "FeelError", "fail", "broken"}
_VALUES = re.split(
    r"\s\s+",
    """1  -1  0  1.5  "a"  true  [1, 2]  ["a"]  {a: 1}  @"2024-01-01"  @"10:00:00"  @"P1D"  @"P1M"
    @"2024-01-01T10:00:00"  [1..2]  (> 3)  function(x) x  float  infinite  none""",
)
_SCOPE = {"float": float("inf"), "infinite": Decimal("Infinity"), "none": Decimal("NaN")}


def said() -> Iterator[str]:
    """Yield an example of every literal sentence that an evaluation may end with."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in _RAISED:
                for argument in node.args[:1]:
                    if isinstance(argument, ast.Constant):
                        yield str(argument.value)
                    elif isinstance(argument, ast.JoinedStr):
                        parts = argument.values
                        yield "".join(
                            str(part.value) if isinstance(part, ast.Constant) else "a number"
                            for part in parts
                        )


def test_every_sentence_is_said_in_chinese() -> None:
    english = [text for text in said() if not re.search("[\u4e00-\u9fff]", heard(text).said("zh"))]

    assert not english, "add to engine/translations/zh/heard/values.po:\n" + "\n".join(english)


@pytest.mark.parametrize("name", sorted(set(BUILTINS) - {"@", "min", "max", "stddev"}))
def test_a_built_in_that_gives_null_says_why(name: str) -> None:
    for count in (0, 1, 2):
        for arguments in product(_VALUES if count < 2 else _VALUES[::3], repeat=count):
            text, found = f"{name}({', '.join(arguments)})", list[tuple[str, int | None]]()
            try:
                made = feel.compile(text, names=_SCOPE).evaluate(
                    _SCOPE, diagnostics=found, now=datetime(2024, 1, 1, tzinfo=UTC)
                )
            except feel.FeelError:
                continue
            absent = name == "get or else" and count == 2 and arguments[1] in _SCOPE
            assert made is not None or found or absent, text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not(1)", "not: 'negand' must be boolean or null, got a number"),
        ("string(infinite)", "'infinite' is infinite, or no number"),
        ("0.0 ** -1", "division by zero"),
        ("date(2024, 2, 30)", "date: there is no date 2024-2-30; that month has the days 1 to 29"),
        ('date("2023-02-29")', "date: there is no date 2023-2-29; that month has the days 1 to 28"),
        (
            "date(2024, 13, 1)",
            "date: there is no month 2024-13; months are 1 to 12 of the years -999999999 to"
            " 999999999",
        ),
        (
            'time("25:00:00")',
            "time: there is no time 25:00:00; a day goes from 00:00:00 to 23:59:59",
        ),
        ("amuont", "there is no variable 'amuont'; did you mean 'amount'?"),
        ("is defined(1, 2)", "is defined: takes 1 arguments, got 2"),
        (
            'matches("a", "a", "z")',
            "matches: there is no flag 'z'; the flags are s, m, i, x and q",
        ),
    ],
)
def test_a_complaint_names_the_way_out(text: str, said: str) -> None:
    scope = {"amount": 1, "infinite": Decimal("Infinity")}

    assert [message for message, _ in complaints(text, **scope)] == [said]


def test_null_stays_null_without_a_complaint() -> None:
    assert complaints("not(null)") == []
    assert complaints("get or else(nope, 1)") == []
    assert value("get or else(nope, 1)") == 1
    assert value("is defined(nope)") is False


def test_a_decimal_that_is_no_number_is_null() -> None:
    scope = {"n": Decimal("NaN"), "xs": [Decimal("Infinity")]}

    for text in ("n + 1", "n > 1", 'substring("abc", n)', "xs[1]", "xs[1] + 1"):
        assert value(text, **scope) is None, text
