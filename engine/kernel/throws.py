"""Who catches what is thrown, and what reaches a token from outside (BPMN 2.0.2, 10.5.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from engine.kernel.books import Books
from engine.kernel.tokens import CANCELLED, WAITING, Token, World
from engine.model import ThrownSignal, Value


class Throws(Books):
    """The part of a process that brings events to those who listen."""

    #: all tokens by number
    world: World
    now: datetime

    def attempt(self, token: Token, act: Callable[[], object], phase: str) -> None:
        """Do something for a token; the process says what becomes of faults."""
        raise NotImplementedError

    def fail(self, token: Token, code: str, message: str) -> None:
        """End the instance, for an error that nobody catches."""
        raise NotImplementedError

    @property
    def index(self) -> dict[int, Token]:
        """All tokens by number."""
        raise NotImplementedError

    def has(self, token: Token) -> bool:
        """Tell whether a token is not over."""
        raise NotImplementedError

    def throw_error(
        self,
        token: Token,
        code: str,
        message: str = "",
        variables: Mapping[str, Value] | None = None,
    ) -> None:
        """Throw a BPMN error at a token: the nearest listener around it catches it (10.5.6)."""
        self.record("error.thrown", token, code, message or None)
        arm = self._listener(token, "error", code)
        if arm is None:
            self.fail(token, code, message)
            return
        if token._state != CANCELLED and self.has(token):
            token._state = WAITING
        arm.task_spec.triggered(arm, {**(variables or {}), "#code": code, "#message": message})

    def throw_escalation(self, token: Token, code: str) -> None:
        """Throw an escalation from inside a scope; nobody catching it has no effect (10.5.6)."""
        self.record("escalation.thrown", token, code)
        arm = self._listener(token, "escalation", code)
        if arm is not None:
            arm.task_spec.triggered(arm, {"#code": code})

    def _listener(self, token: Token, kind: str, code: str) -> Token | None:
        """Find who catches: the token's own boundary events, then scope by scope outwards."""
        here: Token | None = token
        while here is not None:
            found = _best(here.root_body.arms, kind, code)
            if found is None:
                # what an event sub-process throws is not for itself, but for those beside it
                beside = [arm for arm in here.workflow.arms if arm.task_spec is not here.task_spec]
                found = _best(beside, kind, code)
            if found is not None:
                return found
            here = here.workflow.owner
        return None

    def broadcast(self, token: Token, name: str, payload: dict[str, Value]) -> None:
        """Send a signal: at once to all who wait in this instance, and out to the others."""
        self.record("signal.sent", token, name, payload or None)
        node, scope = token.task_spec, token.workflow
        self.out.signals.append(
            ThrownSignal(scope.instance_id, node.bpmn_id, token.id, name, payload)
        )
        listeners = [t for t in self.index.values() if t.memo and t.memo.get("signal") == name]
        for listener in listeners:
            if listener.id in self.index and listener.waits == "subscription":
                self.deliver(listener, "signal", name, payload)

    def deliver(self, token: Token, kind: str, name: str, payload: Mapping[str, Value]) -> None:
        """Hand a message or signal to the token that waits for it."""
        self.record(f"{kind}.received", token, name, dict(payload) or None)
        trigger = token.task_spec.trigger
        if trigger is not None and trigger.kind == "message":
            trigger.received(token, payload)
        self.attempt(token, lambda: token.task_spec.triggered(token, dict(payload)), "finish")

    def fire(self, token: Token) -> None:
        """Let the timer of a token go off."""
        self.record("timer.fired", token, None, (token.memo or {})["due"])
        self.attempt(token, lambda: token.task_spec.triggered(token, {}), "finish")

    def catch_up(self) -> None:
        """Fire what has become due while a script ran: its activity was active all that time."""
        moment = self.world.moment()
        if moment <= self.now:
            return
        self.now = moment
        timed = (t for t in self.index.values() if t.waits == "work" and t.memo)
        due = sorted((t.memo["due"], t.id) for t in timed if t.memo and "due" in t.memo)
        for when, number in due:
            token = self.index.get(number)
            if when <= moment and token is not None and token.waits == "work":
                self.fire(token)


def _best(arms: Sequence[Token], kind: str, code: str) -> Token | None:
    """Pick the listener for a code: an exact one before one that catches all."""
    catch_all = None
    for arm in [part for whole in arms for part in (whole, *whole.arms)]:
        trigger = arm.task_spec.trigger
        if arm._state == WAITING and trigger is not None and trigger.kind == kind:
            if trigger.code == code:
                return arm
            if trigger.code is None:
                catch_all = catch_all or arm
    return catch_all
