"""A decision table of 1,000 rules: read once, then made in less than a millisecond."""

from __future__ import annotations

from decimal import Decimal

from engine import dmn
from tests.bench.figure import Figure, cpu_s, median, milliseconds
from tests.bench.rounds import Bench
from tests.decision_drawing import data, decision, model, needs, table

RULES = 1000
_TIERS, _REGIONS = 5, 4


def drawing() -> bytes:
    """Return a table over an amount, a tier and a region; each triple fits exactly one rule."""
    bands = RULES // (_TIERS * _REGIONS)
    rules = [
        [f"[{band * 100}..{band * 100 + 100})", f'"tier {tier}"', f'"region {region}"',
         str(band * _TIERS * _REGIONS + tier * _REGIONS + region)]
        for band in range(bands) for tier in range(_TIERS) for region in range(_REGIONS)
    ]  # fmt: skip
    names = ["amount", "tier", "region"]
    return model(
        *(data(name) for name in names), decision("price", needs(*names), table(names, rules))
    )


def measure(bench: Bench) -> list[Figure]:
    """Return what reading and making the decision cost."""
    content, rounds = drawing(), 3 if bench.quick else 9
    reading = [cpu_s(lambda: _decide(dmn.load(content), 0)) for _ in range(rounds)]
    model_ = dmn.load(content)
    count = 200
    _decide(model_, 0)

    def many() -> None:
        for number in range(count):
            _decide(model_, number * 7)

    making = [cpu_s(many) / count for _ in range(rounds)]
    return [
        Figure(
            name=f"14 decision table of {RULES:,} rules: read, compiled and made once",
            value=median(reading), unit="s", goal="<= 1", detail="CPU, from the file",
        ),
        Figure(
            name=f"14 decision table of {RULES:,} rules: one decision, with its explanation",
            value=median(making) * 1000, unit="ms", goal="<= 1",
            detail=f"{milliseconds(median(making))} CPU, unique hit policy",
        ),
    ]  # fmt: skip


def _decide(found: dmn.Model, number: int) -> None:
    rule = number % RULES
    inputs = {
        "amount": Decimal(rule // (_TIERS * _REGIONS) * 100 + 50),
        "tier": f"tier {rule // _REGIONS % _TIERS}",
        "region": f"region {rule % _REGIONS}",
    }
    assert found.evaluate("price", inputs).value == rule
