"""The dispatcher of one machine: what it claims, how it is woken, and how it ends."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from queue import Queue
from typing import Any

import pytest

from engine.clock import SystemClock
from engine.dispatch.crew import ALONE_S, Crew, Held
from engine.dispatch.local import LocalDispatcher
from engine.errors import BpmnError, OutcomeUnknown
from engine.model import Work
from engine.registry import HandlerContext, Registry, handler
from engine.settings import Settings
from engine.store.connect import Disconnected
from engine.worker import Done
from tests.unit.fake_engine import FakeEngine

#: far more than any of these tests needs; a test that waits so long has failed
PATIENCE_S = 20.0
#: a sweep never comes to the rescue of a test, except where it is what the test is about
SETTINGS = Settings(worker_threads=3, batch=4, retries=1, backoff_base_s=0.0, sweep_s=5.0)


class Scene:
    """A fake engine, handlers that meet the test at gates, and dispatchers to stop."""

    def __init__(self) -> None:
        self.engine = FakeEngine(SystemClock())
        self.gate = threading.Event()
        self.begun = threading.Semaphore(0)
        self.ran: list[str] = []
        self.most_at_once = 0
        self.hung = threading.Event()
        self._running = 0
        self._lock = threading.Lock()
        self._booked = threading.Condition()
        self.engine.on_booked = self._note_booked
        self._dispatchers: list[LocalDispatcher] = []

    def start(self, settings: Settings = SETTINGS, **options: Any) -> LocalDispatcher:
        """Start a dispatcher on the engine."""
        registry = Registry.of(*self._handlers(), settings=settings)
        options.setdefault("on_hang", self.hung.set)
        dispatcher = LocalDispatcher(self.engine, registry, **options)
        self._dispatchers.append(dispatcher)
        dispatcher.start()
        return dispatcher

    def start_quick(self, settings: Settings, **options: Any) -> LocalDispatcher:
        """Start a dispatcher that has seen quick handlers, so that it claims whole batches."""
        self.engine.add("quick")
        dispatcher = self.start(settings, **options)
        self.wait_booked("settle", 1)
        self.ran.clear()
        self.engine.booked.clear()
        return dispatcher

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until something booked makes the condition true."""
        with self._booked:
            assert self._booked.wait_for(condition, PATIENCE_S)

    def wait_booked(self, verb: str, number: int) -> None:
        """Wait until a verb was booked so often."""
        self.wait_for(lambda: len(self.engine.details(verb)) >= number)

    def wait_begun(self, number: int = 1) -> None:
        """Wait until so many handlers stand at the gate."""
        for _ in range(number):
            assert self.begun.acquire(timeout=PATIENCE_S)

    def run_at_gate(self, work: Work) -> None:
        """Be work of the engine's own that does not come back before the gate opens."""
        self.begun.release()
        self.gate.wait(PATIENCE_S)

    def close(self) -> None:
        self.gate.set()
        for dispatcher in self._dispatchers:
            dispatcher.stop(PATIENCE_S)

    def _note_booked(self) -> None:
        with self._booked:
            self._booked.notify_all()

    def _handlers(self) -> list[Callable[..., Any]]:
        @handler("quick")
        def quick(context: HandlerContext) -> dict[str, Any]:
            with self._lock:
                self.ran.append(context.key)
            return {"key": context.key}

        @handler("slow", timeout_s=1000)
        def slow(context: HandlerContext) -> dict[str, Any]:
            with self._lock:
                self._running += 1
                self.most_at_once = max(self.most_at_once, self._running)
            self.begun.release()
            self.gate.wait(PATIENCE_S)
            with self._lock:
                self._running -= 1
            return {}

        @handler("broken")
        def broken() -> None:
            raise ValueError("broken")

        @handler("drawn")
        def drawn() -> None:
            raise BpmnError("E1")

        return [quick, slow, broken, drawn]


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.close()


def test_due_work_is_done_at_start(scene: Scene) -> None:
    # given work of each kind that is due before anybody looks
    for topic in ("quick", "drawn"):
        scene.engine.add(topic)
    scene.engine.add(kind="timer")
    scene.engine.add(kind="timer", due_s=3600)

    # when a dispatcher starts
    scene.start()

    # then all of it is booked, and what is not due is left
    scene.wait_for(lambda: len(scene.engine.booked) == 3)
    assert Counter(verb for verb, _, _ in scene.engine.booked) == {
        "settle": 1,
        "throw": 1,
        "run": 1,
    }


def test_hint_wakes_the_dispatcher(scene: Scene) -> None:
    dispatcher = scene.start()

    for number in range(1, 4):
        scene.engine.add("quick")
        dispatcher.announce()
        scene.wait_booked("settle", number)


def test_lost_hint_costs_no_more_than_a_sweep(scene: Scene) -> None:
    scene.start(Settings(sweep_s=1.0))
    scene.engine.add("quick")

    scene.wait_booked("settle", 1)


def test_near_due_time_is_kept_without_a_sweep(scene: Scene) -> None:
    # given a dispatcher whose next sweep is long after a timer, of which it is told
    dispatcher = scene.start()
    scene.engine.add(kind="timer", due_s=0.2)
    [row] = scene.engine.rows.values()
    dispatcher.announce(row.free_at)

    # then the timer runs at its time, and not before
    scene.wait_booked("run", 1)
    [ran_at] = scene.engine.details("run")
    assert ran_at >= row.work.due_at


def test_failed_item_is_tried_again_then_one_incident(scene: Scene) -> None:
    name = scene.engine.add("broken")
    scene.engine.add("quick")

    dispatcher = scene.start()
    scene.wait_booked("retry", 1)
    dispatcher.announce()

    scene.wait_booked("incident", 1)
    assert scene.engine.verbs(name) == ["retry", "incident"]
    assert len(scene.engine.details("settle")) == 1


def test_no_more_is_claimed_than_threads_are_free(scene: Scene) -> None:
    # given handlers known to be slow
    for _ in range(3):
        scene.engine.add("slow")
    dispatcher = scene.start(replace(SETTINGS, lease_s=86400.0), timer=Ticking())
    scene.wait_begun(3)
    scene.gate.set()
    scene.wait_booked("settle", 3)
    scene.gate.clear()

    # when ten more are due
    for _ in range(10):
        scene.engine.add("slow")
    dispatcher.announce()
    scene.wait_begun(3)

    # then three of them are claimed, the others are free for other workers
    owned = [row for row in scene.engine.rows.values() if row.owner and row.state == "ready"]
    assert len(owned) == 3
    assert scene.most_at_once == 3


def test_a_limited_handler_leaves_the_other_threads_to_its_neighbours(scene: Scene) -> None:
    # given three threads, and a handler of which only one may run at once
    for _ in range(3):
        scene.engine.add("slow")
    scene.engine.add("quick")
    dispatcher = scene.start(replace(SETTINGS, topic_limits="slow=1"))
    scene.wait_begun()

    # when a neighbour is due
    scene.wait_booked("settle", 1)
    dispatcher.announce()

    # then it was done beside the one, and the others come one after another
    assert len(scene.ran) == 1
    scene.gate.set()
    scene.wait_booked("settle", 4)
    assert scene.most_at_once == 1


class Ticking:
    """A timer that goes on by a second each time somebody looks."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def __call__(self) -> float:
        self._seconds += 1.0
        return self._seconds


def test_timers_go_on_while_every_handler_is_busy(scene: Scene) -> None:
    for _ in range(4):
        scene.engine.add("slow")
    dispatcher = scene.start(replace(SETTINGS, sweep_s=1.0))
    scene.wait_begun(3)

    for _ in range(10):
        scene.engine.add(kind="timer")
    dispatcher.announce()

    scene.wait_booked("run", 10)
    assert scene.engine.details("settle") == []


def test_backlog_of_quick_handlers_is_booked_in_batches(scene: Scene) -> None:
    for _ in range(40):
        scene.engine.add("quick")

    scene.start()

    scene.wait_booked("settle", 40)
    assert sorted(scene.ran) == sorted(f"r/e/{name}" for name in scene.engine.rows)
    assert max(scene.engine.batches) > 1
    assert max(scene.engine.claims) <= SETTINGS.batch


def test_suspect_of_a_dead_process_runs_alone(scene: Scene) -> None:
    # given an item that another process claimed and never came back with, and two new ones
    lost = scene.engine.add("slow", attempt=1)
    scene.engine.rows[lost].owner = "dead"
    for _ in range(2):
        scene.engine.add("slow", due_s=-1.0)

    # when all are due
    dispatcher = scene.start()
    scene.wait_begun(2)
    dispatcher.announce()
    scene.gate.set()
    scene.wait_booked("settle", 3)

    # then the suspect began when the others had ended
    assert scene.most_at_once == 2
    assert scene.engine.booked[-1][1] == lost


def test_database_that_is_away_stops_nothing_for_good(scene: Scene) -> None:
    scene.engine.faults["claim_work"] = [OSError("away")]
    scene.engine.add("quick")

    scene.start()

    scene.wait_booked("settle", 1)


def test_rows_of_a_claim_whose_answer_was_lost_are_given_back(scene: Scene) -> None:
    # given an engine that claims, but whose answer does not arrive
    claim_work, lost = scene.engine.claim_work, [True]

    def claim_unheard(**options: Any) -> list[Work]:
        works = claim_work(**options)
        if works and lost:
            lost.clear()
            raise OutcomeUnknown("the connection was lost")
        return works

    scene.engine.claim_work = claim_unheard  # type: ignore[method-assign]
    held, unheard = scene.engine.add("slow"), []
    dispatcher = None
    lost.clear()
    dispatcher = scene.start(replace(SETTINGS, lease_s=86400.0))
    scene.wait_begun()
    lost.append(True)
    unheard = [scene.engine.add("quick") for _ in range(2)]
    dispatcher.announce()

    # then they are claimed again long before their lease ends, as first attempts
    scene.wait_booked("settle", 2)
    assert [scene.engine.verbs(name) for name in unheard] == [["settle"]] * 2
    assert [scene.engine.rows[name].work.attempt for name in unheard] == [1, 1]
    # and what this process knows of stays with it
    assert scene.engine.rows[held].owner == dispatcher.owner


def test_a_handler_that_is_being_given_up_is_not_given_back_uncounted(scene: Scene) -> None:
    # given a claim whose answer is lost just while the watch books that a handler hangs
    watch, looked = Watch(), threading.Event()
    disown, fail = scene.engine.disown, scene.engine.fail

    def disown_heard(owner: str, held: Sequence[str]) -> int:
        back = disown(owner, held)
        looked.set()
        return back

    def fail_late(*args: Any, **options: Any) -> bool:
        scene.engine.faults["claim_work"] = [OSError("away")]
        scene.engine.add("quick")
        dispatcher.announce()
        assert looked.wait(PATIENCE_S)
        return fail(*args, **options)

    scene.engine.disown = disown_heard  # type: ignore[method-assign]
    scene.engine.fail = fail_late  # type: ignore[method-assign]
    hanging = scene.engine.add("slow")
    settings = replace(SETTINGS, lease_s=86400.0)
    dispatcher = scene.start(settings, timer=watch, on_hang=None)
    scene.wait_begun()
    watch.seconds = 1001.0
    # when
    dispatcher.look_after()
    # then
    assert [verb for verb in scene.engine.verbs(hanging) if verb != "extend"] == ["retry"]
    assert scene.engine.rows[hanging].work.attempt == 1


def test_own_work_that_the_database_interrupted_is_given_back(scene: Scene) -> None:
    # given a timer whose transaction is lost with its connection
    away = [Disconnected("away")]

    def run(work: Work) -> None:
        if away:
            raise away.pop()

    scene.engine.on_run = run
    name = scene.engine.add(kind="timer")

    scene.start(replace(SETTINGS, lease_s=86400.0))

    # then it runs long before its lease ends
    scene.wait_booked("run", 1)
    assert scene.engine.rows[name].work.attempt == 1


def test_idle_dispatcher_asks_once_per_wake_up(scene: Scene) -> None:
    # given nothing due, but a timer for later
    scene.engine.add(kind="timer", due_s=3600)
    dispatcher = scene.start()

    # when it was woken a few times and has stopped
    for _ in range(5):
        dispatcher.announce()
    dispatcher.stop(PATIENCE_S)

    # then it looked for the next due time only, at most once for each hint and sweep
    assert scene.engine.claims == []
    assert scene.engine.looks <= 7


def test_stuck_claim_loop_is_noticed(scene: Scene) -> None:
    # given a dispatcher whose own work does not come back
    watch = Watch()
    scene.engine.on_run = scene.run_at_gate
    dispatcher = scene.start(timer=watch)
    assert dispatcher.is_well()
    scene.engine.add(kind="timer")
    dispatcher.announce()
    scene.wait_begun()

    # when time passes, then it is not well until the work is done
    watch.seconds = 60.0
    assert not dispatcher.is_well()
    scene.gate.set()
    dispatcher.announce()
    scene.wait_booked("run", 1)


# ------------------------------------------------------------------ hanging handlers and leases


class Watch:
    """A timer that stands until it is set."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_hanging_handler_fails_and_asks_for_a_new_process(scene: Scene) -> None:
    # given a handler over its limit, and a neighbour that has just begun
    watch = Watch()
    hanging = scene.engine.add("slow")
    dispatcher = scene.start(timer=watch)
    scene.wait_begun()
    watch.seconds = 900.0
    neighbour = scene.engine.add("slow")
    dispatcher.announce()
    scene.wait_begun()

    # when the watch looks after them
    watch.seconds = 1001.0
    dispatcher.look_after()

    # then the attempt counts as failed, a new process is asked for, the neighbour goes on
    assert scene.engine.verbs(hanging) == ["retry"]
    assert "took longer than 1000 s" in scene.engine.details("retry")[0][0]
    assert scene.hung.is_set()
    scene.gate.set()
    scene.wait_for(lambda: "settle" in scene.engine.verbs(neighbour))


def test_a_process_that_will_be_replaced_does_not_claim_the_next_attempt(scene: Scene) -> None:
    # given a handler over its limit, with an attempt left that is due at once
    watch = Watch()
    hanging = scene.engine.add("slow")
    dispatcher = scene.start(timer=watch)
    scene.wait_begun()
    watch.seconds = 1001.0
    # when
    dispatcher.look_after()
    dispatcher.announce()
    # then the next process has it: this one ends as soon as nothing runs in it
    assert dispatcher.stop(PATIENCE_S)
    assert scene.ran.count("slow") <= 1
    assert scene.engine.verbs(hanging) == ["retry"]


def test_result_after_the_limit_is_dropped(scene: Scene) -> None:
    watch = Watch()
    name = scene.engine.add("slow")
    # nobody replaces this process, so it goes on
    dispatcher = scene.start(Settings(retries=0, worker_threads=1), timer=watch, on_hang=None)
    scene.wait_begun()
    watch.seconds = 1001.0
    dispatcher.look_after()

    # when the handler returns at last, and a later item shows that its thread was replaced
    scene.gate.set()
    scene.engine.add("quick")
    dispatcher.announce()
    scene.wait_booked("settle", 1)

    assert [verb for verb in scene.engine.verbs(name) if verb != "extend"] == ["incident"]


def test_lease_is_extended_while_a_handler_runs(scene: Scene) -> None:
    watch = Watch()
    name = scene.engine.add("slow")
    dispatcher = scene.start(Settings(lease_s=30.0, worker_threads=1), timer=watch)
    scene.wait_begun()

    dispatcher.look_after()
    assert scene.engine.verbs(name) == []
    for seconds in (15.0, 20.0, 30.0):
        watch.seconds = seconds
        dispatcher.look_after()

    assert scene.engine.verbs(name) == ["extend", "extend"]


def test_lost_lease_is_not_asked_for_again(scene: Scene) -> None:
    watch = Watch()
    name = scene.engine.add("slow")
    dispatcher = scene.start(Settings(lease_s=30.0, worker_threads=1), timer=watch)
    scene.wait_begun()
    scene.engine.release([scene.engine.rows[name].work])

    watch.seconds = 20.0
    dispatcher.look_after()
    dispatcher.look_after()

    assert "extend" not in scene.engine.verbs(name)


def test_expired_messages_are_ended_now_and_then(scene: Scene) -> None:
    watch = Watch()
    dispatcher = scene.start(timer=watch)
    dispatcher.look_after()
    before = scene.engine.reaps

    watch.seconds = 5.0
    dispatcher.look_after()
    assert scene.engine.reaps == before
    watch.seconds = 60.0
    dispatcher.look_after()

    assert scene.engine.reaps > before >= 1


def test_the_months_of_the_history_are_kept_with_the_rest(scene: Scene) -> None:
    watch = Watch()
    dispatcher = scene.start(timer=watch)

    watch.seconds = 60.0
    dispatcher.look_after()
    dispatcher.stop()

    assert scene.engine.rounds == 1


def test_item_whose_lease_has_ended_is_not_begun(scene: Scene) -> None:
    # given one thread that is busy, and an item that waits for it
    watch = Watch()
    dispatcher = scene.start_quick(Settings(worker_threads=1, lease_s=30.0), timer=watch)
    scene.engine.add("slow")
    waiting = scene.engine.add("quick")
    dispatcher.announce()
    scene.wait_begun()
    assert scene.engine.rows[waiting].owner == dispatcher.owner

    # when the process was stopped for longer than the lease, and another item comes
    watch.seconds = 31.0
    scene.gate.set()
    later = scene.engine.add("quick")
    dispatcher.announce()
    scene.wait_for(lambda: "settle" in scene.engine.verbs(later))

    # then the one that another worker may have by now was left to it
    assert scene.ran == [f"r/e/{later}"]
    assert "settle" not in scene.engine.verbs(waiting)


# ------------------------------------------------------------------ stopping


def test_stop_lets_running_handlers_end(scene: Scene) -> None:
    name = scene.engine.add("slow")
    dispatcher = scene.start()
    scene.wait_begun()
    threading.Timer(0.05, scene.gate.set).start()

    assert dispatcher.stop(PATIENCE_S)

    assert scene.engine.verbs(name) == ["settle"]


def test_stop_releases_what_was_not_begun(scene: Scene) -> None:
    # given one thread, and a batch claimed since handlers were quick before
    dispatcher = scene.start_quick(Settings(worker_threads=1, batch=4))
    names = [scene.engine.add("slow") for _ in range(4)]
    dispatcher.announce()
    scene.wait_begun()
    threading.Timer(0.05, scene.gate.set).start()

    # when it is stopped
    assert dispatcher.stop(PATIENCE_S)

    # then the running one was settled, and no lease is left to run out
    assert scene.engine.verbs(names[0]) == ["settle"]
    assert [scene.engine.verbs(name) for name in names[1:]] == [["release"]] * 3


def test_stop_gives_up_what_does_not_end(scene: Scene) -> None:
    name = scene.engine.add("slow")
    dispatcher = scene.start()
    scene.wait_begun()

    assert not dispatcher.stop(0.0)

    assert scene.engine.verbs(name) == ["release"]
    assert scene.engine.rows[name].owner is None


def test_nothing_is_claimed_after_stop(scene: Scene) -> None:
    dispatcher = scene.start()
    dispatcher.stop(PATIENCE_S)
    name = scene.engine.add("quick")

    dispatcher.announce()
    dispatcher.announce(datetime.now(tz=scene.engine.rows[name].free_at.tzinfo) + timedelta(0.001))

    assert scene.engine.rows[name].owner is None


def test_two_dispatchers_share_the_work_without_doubling(scene: Scene) -> None:
    for _ in range(200):
        scene.engine.add("quick")

    scene.start()
    scene.start()

    scene.wait_booked("settle", 200)
    assert len(scene.ran) == len(set(scene.ran)) == 200


def test_a_suspect_waits_until_the_results_of_its_neighbours_are_booked() -> None:
    # given a crew with a finished item, and one behind it whose last process died
    begun: list[str] = []
    woken = threading.Semaphore(0)

    def attempt(work: Work) -> Done:
        begun.append(work.id)
        return Done({})

    crew = Crew(attempt, threads=2, batch=4, wake=woken.release)
    engine = FakeEngine()
    names = [engine.add("quick"), engine.add("quick", lost=True)]
    fresh, suspect = (Held(engine.rows[name].work, 1e12, 1000.0) for name in names)
    crew.put(fresh)
    crew.start()
    assert woken.acquire(timeout=PATIENCE_S)
    crew.put(suspect)

    # when the result is taken to be booked, then the suspect still waits
    assert [held for held, _ in crew.collect(4)] == [fresh]
    assert begun == [names[0]]
    assert crew.room() == 0

    # and begins when whoever books comes again
    assert crew.collect(4) == []
    assert woken.acquire(timeout=PATIENCE_S)
    assert begun == names
    crew.close()


class Long:
    """A crew whose handlers last until the test ends, with a suspect and two others."""

    def __init__(self) -> None:
        self.watch = Watch()
        self.begun: Queue[str] = Queue()
        self._gate = threading.Event()
        self.crew = Crew(self._attempt, threads=3, batch=4, wake=lambda: None, timer=self.watch)
        engine = FakeEngine()
        self.suspect = engine.add("slow", lost=True)
        self.others = [engine.add("slow") for _ in range(2)]
        self._rows = engine.rows
        self.crew.start()

    def _attempt(self, work: Work) -> Done:
        self.begun.put(work.id)
        self._gate.wait(PATIENCE_S)
        return Done({})

    def put(self, name: str) -> None:
        self.crew.put(Held(self._rows[name].work, 1e12, 1e12))

    def close(self) -> None:
        self.crew.close()
        self._gate.set()


@pytest.fixture
def long() -> Iterator[Long]:
    long = Long()
    yield long
    long.close()


def test_a_suspect_keeps_its_neighbours_waiting_for_a_moment_only(long: Long) -> None:
    # given a suspect that runs alone
    long.put(long.suspect)
    assert long.begun.get(timeout=PATIENCE_S) == long.suspect
    assert long.crew.room() == 0
    long.put(long.others[0])
    assert long.begun.empty()

    # when its process has outlived it so far
    long.watch.seconds = ALONE_S

    # then others go on beside it, however long it lasts
    assert long.begun.get(timeout=PATIENCE_S) == long.others[0]
    assert long.crew.room() > 0


def test_a_suspect_does_not_wait_for_a_long_neighbour(long: Long) -> None:
    # given a handler that lasts, and a suspect with somebody behind it
    for name in (long.others[0], long.suspect, long.others[1]):
        long.put(name)
    assert long.begun.get(timeout=PATIENCE_S) == long.others[0]

    # when it has waited to be alone for a moment
    long.watch.seconds = ALONE_S

    # then it begins, and alone as far as that can be
    assert long.begun.get(timeout=PATIENCE_S) == long.suspect
    assert long.begun.empty()
    long.watch.seconds = 2 * ALONE_S
    assert long.begun.get(timeout=PATIENCE_S) == long.others[1]
