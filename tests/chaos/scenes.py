"""What the fail points interrupt: small scenes, each a script that may be begun again anywhere.

A script is what idempotent clients and one worker do. The clock is virtual, so that a lease that a
dead process has left behind ends at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.clock import VirtualClock
from engine.errors import ChangeRefused, Conflict
from engine.model import InstanceState
from engine.registry import Registry
from engine.runtime import Engine
from engine.runtime.library import Library
from engine.settings import Settings
from engine.worker import drain
from tests.chaos.drawing import CASE, LETTER, drawing
from tests.chaos.handlers import callee
from tests.chaos.journal import Journal
from tests.drawing import (
    about,
    boundary,
    catch,
    diagram,
    end,
    extension,
    gateway,
    message,
    node,
    path,
    process,
    service,
    signal,
    start,
    throw,
    timer,
    user,
)

#: the moment at which each script begins
BEGUN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
#: a case whose `may_refuse` is refused and whose `fragile` breaks until it is mended
NUMBER = 63
#: services of the second scene, in addition to those of tests/chaos/drawing.py
SERVICES = ("answered", "late", "fan_a", "fan_b", "fan_c", "remind", "packed",
            "counted")  # fmt: skip
_CONTENT = '<zeebe:properties><zeebe:property name="lane" value="=customer"/></zeebe:properties>'


class Actor:
    """One process: an engine on the scene's database, its handlers and the clients' journal."""

    def __init__(self, folder: Path, url: str, library: Library | None = None) -> None:
        os.environ[callee.FILE] = str(folder / "callee.db")
        self.folder = folder
        self.journal = Journal(folder / "journal.db")
        self.settings = Settings(data_dir=folder, database_url=url, lease_s=20.0, backoff_cap_s=1.0)
        self.registry = Registry.of(
            callee.step, callee.fragile, callee.hold, settings=self.settings
        )
        self.clock = VirtualClock(BEGUN)
        self.engine = Engine(self.settings, clock=self.clock, registry=self.registry)
        if library is not None:
            # the definitions that the parent has read already
            self.engine.library = library

    def start(self, process_id: str, key: str, number: int, **more: object) -> str:
        """Start a case and note the answer."""
        given = {"number": number, **more}
        case = self.engine.start(process_id, given, start_key=key, by="ann")
        self.journal.started(key, number, case.id, case.created)
        return case.id

    def send(self, name: str, key: str | None, letter: str) -> None:
        """Send a message under an id and note the answer."""
        sent = self.engine.correlate(name, key=key, payload={"letter": letter}, message_id=letter)
        self.journal.sent(letter, sent.outcome)

    def drain(self, minutes: float, *, batch: int = 1) -> None:
        """Do what is due within so many minutes of the beginning."""
        until = BEGUN + timedelta(minutes=minutes)
        drain(self.engine, until, registry=self.registry, batch=batch)

    def complete_all(self) -> None:
        """Complete what is open."""
        for task in self.engine.tasks():
            self.engine.complete(task.id, {}, by="ann")
            self.journal.completed(task.id, "ann", 200)

    def close(self) -> None:
        """Close everything."""
        self.engine.close()
        self.journal.close()


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A script, what is deployed before it begins, and what it leaves."""

    name: str
    play: Callable[[Actor], None]
    deployed: Mapping[str, bytes]
    #: beginnings of invariants of tests/chaos/invariants.py that do not speak of this scene
    without: tuple[str, ...] = ()


def _case(actor: Actor) -> None:
    """Services, a drawn error, a call, a timer, a person, a message, an incident and its retry."""
    actor.start(CASE, f"case-{NUMBER}", NUMBER)
    actor.send(LETTER, str(NUMBER), f"letter-{NUMBER}")
    actor.drain(30)
    actor.complete_all()
    actor.drain(60)
    callee.mend(actor.folder / "callee.db")
    for incident in actor.engine.incidents(open=True):
        actor.engine.retry(incident.id, by="ann")
    actor.drain(90)


def _several(actor: Actor) -> None:
    """Event gateways, signals, lanes, batches, reminders, a case that is cancelled and erased."""
    engine = actor.engine
    for number in (1, 2):
        actor.start("gate", f"gate-{number}", number)
        actor.start("laned", f"laned-{number}", number, customer="ann")
    actor.start("bell", "bell-1", 1)
    actor.start("fan", "fan-1", 1)
    actor.start("asked", "asked-1", 1)
    actor.start("caller", "caller-1", 7)
    doomed = actor.start("bell", "doomed-1", 2)
    actor.send("answer", "1", "answer-1")
    held = engine.claim_work(owner="ann", limit=2, lease_s=20, kinds=("service",))
    for item in held:
        engine.extend(item, 25)
    engine.release(held)
    if engine.case(doomed).state == InstanceState.RUNNING:
        engine.cancel(doomed, by="ann", why="not wanted")
    engine.erase(doomed, ["number"], by="ann", why="asked for")
    engine.signal("ring")
    actor.drain(11, batch=4)
    for task in engine.tasks():
        engine.claim(task.id, by="ann")
        engine.unclaim(task.id, by="ann")
    actor.complete_all()
    engine.reap()
    actor.drain(120, batch=4)


def _deployed(actor: Actor) -> None:
    """Deploying; cases that a message and a timer begin."""
    for name in ("first", "second"):
        actor.engine.deploy({"began.bpmn": _began(name)}, by="ann")
    actor.send("begin it", None, "begin-1")
    actor.drain(120)


def _began(name: str) -> bytes:
    return diagram(
        message("begin_it", "begin it"),
        process("begun", start("begun_in", about("message", "begin_it")), end(f"begun_{name}"),
                path("begun_in", f"begun_{name}")),
        process("cyclic", start("cyclic_in", timer("Cycle", '="R2/PT30M"')), end(f"cyclic_{name}"),
                path("cyclic_in", f"cyclic_{name}")),
    )  # fmt: skip


def _several_drawn() -> bytes:
    lane = extension('<zeebe:taskDefinition type="chaos.step"/>', _CONTENT)
    return diagram(
        message("answer", "answer", "string(number)"),
        message("hello", "hello", "string(number)"),
        signal("ring", "ring"),
        process(
            "gate", start("gate_in"), gateway("eventBased", "which"),
            catch("by_message", about("message", "answer")),
            catch("by_time", timer("Duration", '=duration("PT1H")')),
            service("answered", "chaos.step"), service("late", "chaos.step"),
            end("gate_out"), end("gate_late"), path("gate_in", "which", "by_message", "answered",
            "gate_out"), path("which", "by_time", "late", "gate_late"),
        ),
        process("bell", start("bell_in"), catch("heard", about("signal", "ring")), end("bell_out"),
                path("bell_in", "heard", "bell_out")),
        process(
            "fan", start("fan_in"), gateway("parallel", "open"), gateway("parallel", "close"),
            service("fan_a", "chaos.step"), service("fan_b", "chaos.step"),
            service("fan_c", "chaos.step"), end("fan_out"),
            path("fan_in", "open", "fan_a", "close", "fan_out"),
            path("open", "fan_b", "close"), path("open", "fan_c", "close"),
        ),
        process(
            "asked", start("asked_in"), user("check"), end("asked_out"),
            boundary("each_ten", "check", timer("Cycle", '="R2/PT10M"'), cancels=False),
            service("remind", "chaos.step"), end("reminded"),
            path("asked_in", "check", "asked_out"), path("each_ten", "remind", "reminded"),
        ),
        process("laned", start("laned_in"), node("serviceTask", "packed", lane), end("laned_out"),
                path("laned_in", "packed", "laned_out")),
        process("caller", start("caller_in"), throw("says", about("message", "hello")),
                catch("hears", about("message", "hello")), end("caller_out"),
                path("caller_in", "says", "hears", "caller_out")),
    )  # fmt: skip


def _changed(actor: Actor) -> None:
    """Cases go to another version, one alone and the rest in steps; one is repaired."""
    engine = actor.engine
    cases = [actor.start("plan", f"plan-{number}", number) for number in (1, 2, 3)]
    held = engine.claim_work(owner="ann", limit=1, lease_s=20, kinds=("service",))
    engine.deploy({"plan.bpmn": _plan("check", "sign")}, by="ann")
    _once(lambda: engine.migrate_case(cases[0], 2, by="ann", why="signed"))
    for _ in cases:
        engine.migrate_cases("plan", 1, 2, by="ann", why="signed", limit=1)
    engine.release(held)
    _once(lambda: engine.modify(cases[2], cancel=["check"], start_before=["sign"], by="ann"))
    actor.drain(30)
    actor.complete_all()
    actor.complete_all()


def _plan(*ids: str) -> bytes:
    """Draw a service beside some tasks; the first of several has a reminder."""
    late = (
        boundary("overdue", ids[0], timer("Duration", '=duration("PT10M")'), cancels=False),
        end("was_late"), path("overdue", "was_late"),
    )  # fmt: skip
    return diagram(
        process(
            "plan", start("plan_in"), gateway("parallel", "both"), service("counted", "chaos.step"),
            *[user(id) for id in ids], gateway("parallel", "met"), end("plan_out"),
            path("plan_in", "both", "counted", "met", "plan_out"), path("both", *ids, "met"),
            *(late if len(ids) > 1 else ()),
        )
    )  # fmt: skip


def _once(act: Callable[[], object]) -> None:
    """Do what a script that begins again may have done already."""
    with suppress(Conflict, ChangeRefused):
        act()


#: of these scenes the drawing has no letters, and one case is cancelled
_NOT_ABOUT = (
    "nothing runs that nobody",
    "every case has ended",
    "a message with an id",
    "a timer fires once",
)
SCENES = {
    scene.name: scene
    for scene in (
        Scene(name="case", play=_case, deployed={"chaos.bpmn": drawing()}),
        Scene(name="several", play=_several, deployed={"several.bpmn": _several_drawn()},
              without=_NOT_ABOUT),
        Scene(name="changed", play=_changed, deployed={"plan.bpmn": _plan("check")}),
        Scene(name="deployed", play=_deployed, deployed={}, without=_NOT_ABOUT),
    )
}  # fmt: skip
