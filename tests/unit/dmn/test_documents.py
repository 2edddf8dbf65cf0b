"""The examples of docs/decision-models.md are run, and broken files never raise."""

from __future__ import annotations

import doctest
import random
from contextlib import suppress
from pathlib import Path

import pytest

from engine.dmn import load
from engine.errors import ExecutionFault, FeelError, NotFound
from tests.decision_drawing import data, decision, literal, model, needs, table, tag, text

PAGE = Path(__file__).resolve().parents[3] / "docs" / "decision-models.md"


def test_the_examples_of_the_page_are_true() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False)

    assert (found.failed, found.attempted > 8) == (0, True)


WHOLE = model(
    tag("itemDefinition", tag("typeRef", "string"), text("allowedValues", '"x", "y"'), name="kind"),
    data("n", "number"), data("k", "kind"),
    decision("t", needs("n", "k"), table(["n", "k"], [["< 5", '"x"', "n + 1"], ["-", "-", "2"]])),
    decision("c", needs("t", kind="Decision"), tag(
        "context",
        tag("contextEntry", tag("variable", name="a"), literal("t * 2")),
        tag("contextEntry", tag("list", literal("a"), literal("[1..3]"))),
    )),
    decision("f", needs("n"), tag(
        "for", tag("in", literal("1..n")), tag("return", literal("i * 2")), iteratorVariable="i"
    )),
)  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_a_broken_file_has_problems_or_decides_and_never_raises_anything_else(seed: int) -> None:
    chance = random.Random(seed)
    broken = bytearray(WHOLE)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(200, len(broken))
        kind = chance.random()
        if kind < 0.4:
            broken[at] = chance.choice(b"<>/\"'=&;#?*()[]{}.,-+0aZ \x00\xff")
        elif kind < 0.7:
            del broken[at : at + chance.randint(1, 40)]
        else:
            start = chance.randrange(200, len(broken))
            broken[at:at] = broken[start : start + chance.randint(1, 80)]

    found = load(bytes(broken))

    for one in found.decisions:
        for inputs in ({}, {"n": 3, "k": "x"}, {"n": "x", "k": [1]}, {"n": 1e9}):
            with suppress(ExecutionFault, FeelError, NotFound):
                found.evaluate(one.id, inputs)
