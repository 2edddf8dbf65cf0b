"""Multi-instance activities, parallel and sequential (BPMN 2.0.2, 10.3.8 and 13.3.7).

The *body* is the token that flows and carries the boundary events; each instance is a child token
with a scope of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.errors import ExecutionFault
from engine.kernel.conditions import holds, shown
from engine.kernel.events import throw
from engine.kernel.scopes import Overlay, Variables
from engine.languages import Expression
from engine.model import Value

if TYPE_CHECKING:
    from engine.kernel.activities import Activity
    from engine.kernel.tokens import Token
    from engine.kernel.triggers import Trigger


@dataclass(frozen=True, slots=True, eq=False)
class Announcement:
    """What is thrown when an instance completes (Table 10.29, behavior)."""

    #: asked with the attributes of the moment; None: always
    condition: Expression | None
    #: none: the default signal, which is named like the activity and carries the attributes
    triggers: tuple[Trigger, ...]


@dataclass(slots=True, eq=False)
class MultiInstance:
    """How an activity is repeated."""

    node: Activity
    sequential: bool
    collection: Expression | None = None
    cardinality: Expression | None = None
    #: variable of each instance that holds its item
    input_element: str = ""
    #: variable that gets the list of results, in the order of the items
    output_collection: str = ""
    #: result of one instance
    output_element: Expression | None = None
    #: declared in each instance, so that its value stays there
    output_variable: str = ""
    completion: Expression | None = None
    #: when instances throw: All (never), One (the first to complete), None (each), Complex
    behavior: str = "All"
    throws: tuple[Announcement, ...] = ()

    def begin(self, body: Token) -> bool | None:
        """Create the instances (the first one, if sequential); True when there are none."""
        process = body.workflow.process
        items = self._items(body)
        body.vars = Variables(body.id, body.vars)
        body.memo = {
            "n": len(items),
            "next": 0,
            "active": 0,
            "done": 0,
            "ended": 0,
            "items": items if self.sequential else None,
        }
        if self.output_collection:
            # visible to the completion condition while it fills
            body.vars.values[self.output_collection] = [None] * len(items)
        if not items:
            self._write_outputs(body)
            return True
        for item in items[:1] if self.sequential else items:
            self._spawn(body, item)
        process.record("multi_instance.started", body, None, len(items))
        return None

    def _items(self, body: Token) -> list[Value]:
        process = body.workflow.process
        if self.collection is not None:
            value = process.evaluate(self.collection, body)
            if not isinstance(value, (list, tuple)):
                raise ExecutionFault(
                    f"the collection {self.collection.text!r} is {shown(value)}, not a list"
                )
            return list(value)
        assert self.cardinality is not None
        value = process.evaluate(self.cardinality, body)
        count = _whole(value, self.cardinality.text)
        return list(range(count))

    def _spawn(self, body: Token, item: Value) -> None:
        process = body.workflow.process
        memo = _memo(body)
        child = process.spawn(body.workflow, self.node, body=body)
        index = memo["next"]
        body.memo = {**memo, "next": index + 1, "active": memo["active"] + 1}
        child.memo = {"index": index}
        child.vars = Variables(child.id, body.vars, {"loopCounter": index + 1})
        if self.output_variable:
            child.vars.values[self.output_variable] = None
        if self.input_element:
            process.set_variable(child.vars, child, self.input_element, item)

    def child_done(self, body: Token, child: Token) -> None:
        """Count a completed instance; end, or begin the next one."""
        process = body.workflow.process
        memo = {**_memo(body)}
        memo["done"] += 1
        memo["active"] -= 1
        if self.throws and (self.behavior != "One" or memo["done"] == 1):
            memo["tell"] = [*memo.get("tell", ()), (child.memo or {})["index"] + 1]
        if self.output_collection:
            outputs = list(body.vars.values[self.output_collection])
            outputs[(child.memo or {})["index"]] = (child.memo or {})["output"]
            body.vars.values[self.output_collection] = outputs
        body.memo = memo
        process.attempt(body, lambda: self._go_on(body, child.vars), "finish")

    def _go_on(self, body: Token, seen: Variables) -> None:
        while _memo(body).get("tell") and _is_active(body):
            self._announce(body)
        if not _is_active(body):
            return  # what was thrown has interrupted the activity
        memo = _memo(body)
        if self._is_complete(body, seen):
            self._end(body)
        elif self.sequential and memo["next"] < memo["n"]:
            self._spawn(body, memo["items"][memo["next"]])
        elif memo["active"] == 0:
            self._end(body)

    def child_cancelled(self, body: Token) -> None:
        """Count an instance that was taken away; end, or begin the next one (Table 10.30)."""
        memo = _memo(body)
        body.memo = {**memo, "active": memo["active"] - 1, "ended": memo["ended"] + 1}
        body.workflow.process.attempt(body, lambda: self._go_on(body, body.vars), "finish")

    def prepare(self, child: Token) -> None:
        """Evaluate what an instance gives; called while an incident can still stop it."""
        child.memo = {**(child.memo or {}), "output": self._output(child)}

    def _output(self, child: Token) -> Value:
        if self.output_element is not None:
            return self.output_element.evaluate(child.vars.view(), child.workflow.process.now)
        return child.vars.values.get(self.output_variable)

    def _announce(self, body: Token) -> None:
        """Throw what the next completed instance has to; its own boundary events catch first."""
        number, *later = _memo(body)["tell"]
        names = {**_attributes(body), "loopCounter": number}
        seen, now = Overlay(names, body.vars.view()), body.workflow.process.now
        due = [
            a
            for a in self.throws
            if a.condition is None or holds(a.condition, seen, now, "condition of the behavior")
        ]
        body.memo = {**_memo(body), "tell": later}
        for announcement in due:
            for trigger in announcement.triggers or (None,):
                if not _is_active(body):
                    return
                if trigger is None:
                    body.workflow.process.broadcast(body, self.node.bpmn_id, dict(names))
                else:
                    throw(body, trigger, None)

    def _is_complete(self, body: Token, seen: Variables) -> bool:
        if self.completion is None:
            return False
        names, now = _attributes(body), body.workflow.process.now
        return holds(self.completion, Overlay(names, seen.view()), now, "completion condition")

    def _end(self, body: Token) -> None:
        for child in [t for t in body.workflow.tasks.values() if t.body is body]:
            child.cancel()
        self._write_outputs(body)
        body.complete()

    def finish_again(self, body: Token) -> None:
        """Try again after an incident at the completion condition."""
        self._go_on(body, body.vars)

    def _write_outputs(self, body: Token) -> None:
        outer = body.vars.parent
        assert outer is not None
        if self.output_collection:
            outputs = body.vars.values[self.output_collection]
            home = outer.home_of(self.output_collection)
            body.workflow.process.set_variable(home, body, self.output_collection, outputs)


@dataclass(slots=True, eq=False)
class StandardLoop:
    """Repeats an activity while a condition holds, at most so many times (13.3.6)."""

    node: Activity
    condition: Expression | None
    test_before: bool
    maximum: int | None

    def begin(self, body: Token) -> bool | None:
        """Run the first round, unless the test before it says no."""
        body.vars = Variables(body.id, body.vars)
        body.memo = {"done": 0}
        if self.test_before and not self._again(body):
            return True
        self._spawn(body)
        return None

    def prepare(self, child: Token) -> None:
        """Do nothing: a round gives nothing of its own."""

    def _spawn(self, body: Token) -> None:
        round_number = _memo(body)["done"] + 1
        child = body.workflow.process.spawn(body.workflow, self.node, body=body)
        child.vars = Variables(child.id, body.vars, {"loopCounter": round_number})

    def _again(self, body: Token) -> bool:
        if self.maximum is not None and _memo(body)["done"] >= self.maximum:
            return False
        if self.condition is None:
            return True
        names = {"loopCounter": _memo(body)["done"]}
        scope = Overlay(names, body.vars.view())
        return holds(self.condition, scope, body.workflow.process.now, "loop condition")

    def child_done(self, body: Token, child: Token) -> None:
        """Count the round, then begin the next or end."""
        body.memo = {"done": _memo(body)["done"] + 1}
        body.workflow.process.attempt(body, lambda: self.finish_again(body), "finish")

    def finish_again(self, body: Token) -> None:
        """Test and go on; also the second try after an incident at the condition."""
        if self._again(body):
            self._spawn(body)
        else:
            body.complete()


def _is_active(body: Token) -> bool:
    """Tell whether an activity has not been interrupted by what its own parts have thrown."""
    return body.workflow.process.has(body)


def _memo(body: Token) -> dict[str, Any]:
    assert body.memo is not None
    return body.memo


def _attributes(body: Token) -> dict[str, Value]:
    """Return the attributes of a multi-instance activity at this moment (Table 10.30)."""
    memo = _memo(body)
    return {
        "numberOfInstances": memo["n"],
        "numberOfActiveInstances": memo["active"],
        "numberOfCompletedInstances": memo["done"],
        "numberOfTerminatedInstances": memo["ended"],
    }


def _whole(value: Value, text: str) -> int:
    if isinstance(value, str) and value.strip().isdigit():
        value = int(value)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ExecutionFault(
            f"the number of instances {text!r} is {shown(value)}, not a whole number from 0 up"
        )
    return value
