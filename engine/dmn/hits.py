"""Hit policies: from the rules that match to the value of the table (DMN 1.5, 8.2.10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.dmn.evaluation import Evaluation
from engine.errors import ExecutionFault
from engine.feel.library import BUILTINS
from engine.feel.operators import equal
from engine.feel.run import Run

#: spellings in files and in the heads of tables
POLICIES = {
    **dict.fromkeys(("", "U", "UNIQUE"), "UNIQUE"),
    **dict.fromkeys(("A", "ANY"), "ANY"),
    **dict.fromkeys(("P", "PRIORITY"), "PRIORITY"),
    **dict.fromkeys(("F", "FIRST"), "FIRST"),
    **dict.fromkeys(("O", "OUTPUT ORDER"), "OUTPUT ORDER"),
    **dict.fromkeys(("R", "RULE ORDER"), "RULE ORDER"),
    **dict.fromkeys(("C", "COLLECT"), "COLLECT"),
}
AGGREGATIONS = {"SUM": "sum", "MIN": "min", "MAX": "max", "COUNT": "count"}


@dataclass(frozen=True, slots=True)
class Hit:
    """One rule that matches."""

    #: from 1, as the table shows it
    number: int
    #: value of each output
    outputs: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """How one table makes its value from the hits."""

    #: name in full, such as OUTPUT ORDER
    name: str
    #: built-in function of a collecting table; "" for a list
    aggregation: str
    #: per output its values in the order of their priority
    priorities: tuple[Sequence[object], ...]
    #: names of the outputs; one without a name gives a plain value
    keys: tuple[str, ...]

    @property
    def single(self) -> bool:
        """Tell whether one rule makes the value."""
        return self.name in ("UNIQUE", "ANY", "PRIORITY", "FIRST")

    def value(self, hits: Sequence[Hit], run: Evaluation) -> object:
        """Return the value for at least one hit. Raises ExecutionFault where rules contradict."""
        return _RULES[self.name](self, hits, run)

    def result(self, outputs: Sequence[object]) -> object:
        """Return the value of one rule: a plain one, or a context by the names of the outputs."""
        if len(self.keys) == 1:
            return outputs[0]
        return dict(zip(self.keys, outputs, strict=True))

    def ranked(self, hits: Sequence[Hit]) -> list[Hit]:
        """Return the hits by priority of their outputs, equal ones in the order of the rules."""
        return sorted(hits, key=self._rank)

    def _rank(self, hit: Hit) -> tuple[int, ...]:
        return tuple(
            next((n for n, value in enumerate(order) if equal(value, output) is True), len(order))
            for output, order in zip(hit.outputs, self.priorities, strict=True)
        )


def _unique(policy: Policy, hits: Sequence[Hit], run: Evaluation) -> object:
    if len(hits) > 1:
        raise ExecutionFault(f"{_numbers(hits)} match, but the table is unique")
    return policy.result(hits[0].outputs)


def _any(policy: Policy, hits: Sequence[Hit], run: Evaluation) -> object:
    first = hits[0].outputs
    for hit in hits[1:]:
        if any(equal(a, b) is not True for a, b in zip(first, hit.outputs, strict=True)):
            raise ExecutionFault(f"{_numbers((hits[0], hit))} match with different outputs")
    return policy.result(first)


def _first(policy: Policy, hits: Sequence[Hit], run: Evaluation) -> object:
    return policy.result(hits[0].outputs)


def _priority(policy: Policy, hits: Sequence[Hit], run: Evaluation) -> object:
    return policy.result(policy.ranked(hits)[0].outputs)


def _output_order(policy: Policy, hits: Sequence[Hit], run: Evaluation) -> object:
    return [policy.result(hit.outputs) for hit in policy.ranked(hits)]


def _in_order(policy: Policy, hits: Sequence[Hit], run: Evaluation) -> object:
    values = [policy.result(hit.outputs) for hit in hits]
    if not policy.aggregation:
        return values
    inner = Run({})
    inner.diagnostics = []
    found = BUILTINS[policy.aggregation].invoke(inner, [values], 0)
    for message, _ in inner.diagnostics:
        run.note(None, message)
    return found


_RULES: dict[str, Callable[[Policy, Sequence[Hit], Evaluation], object]] = {
    "UNIQUE": _unique,
    "ANY": _any,
    "PRIORITY": _priority,
    "FIRST": _first,
    "OUTPUT ORDER": _output_order,
    "RULE ORDER": _in_order,
    "COLLECT": _in_order,
}


def _numbers(hits: Sequence[Hit]) -> str:
    shown = [str(hit.number) for hit in hits[:10]]
    return f"the rules {', '.join(shown[:-1])} and {shown[-1]}"
