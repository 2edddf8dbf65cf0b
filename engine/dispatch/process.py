"""The worker process: engine, dispatcher, signals and the pipe of hints; `serve` restarts it."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import select
import signal
import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from engine.dispatch.local import LocalDispatcher
from engine.registry import Registry
from engine.runtime import Engine
from engine.settings import Settings
from engine.worker import guarded

log = logging.getLogger("caseway.worker")

#: exit status that says: a handler hangs in this process, start another one
EXIT_REPLACE = 75
#: how long what runs beside a handler that hangs may still take where the next process begins only
#: after this one; what then runs begins again there, with the same idempotency key; seconds
_HANG_DRAIN_S = 1.0
#: without a sign of life for a lease, or at least so long, the process ends: a handler in C code
#: may hold up every thread of it, and what it holds is free for others by then; seconds
_FROZEN_S = 10.0
#: how often the worker says that it lives; seconds
_BEAT_S = 1.0


def worker_main(
    settings: Settings,
    *,
    hint: int | None = None,
    beat: Callable[[], None] | None = None,
    stop: threading.Event | None = None,
    replace: Callable[[], None] | None = None,
    names: Sequence[str] = (),
    topics: Sequence[str] | None = None,
    kinds: Sequence[str] | None = None,
) -> int:
    """Do due work until SIGTERM, SIGINT, `stop`, or the end of the pipe; return the exit status.

    `hint` is the reading end of a pipe with one byte per hint; `beat` is called every second
    while the worker is well. `topics` and `kinds` say which work it does; None: all. If a handler
    hangs, `replace` asks for another process, this one claims nothing more, finishes what can be
    finished and ends with EXIT_REPLACE; without `replace` it makes haste, since the next one waits
    for its end. The first of `names` is this worker's, the others are those of workers that died
    before it, and what they held is taken over. Call it in the main thread. Raises SchemaTooNew,
    HandlerSetupError and SettingsError.
    """
    # it tells of each sweep
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    # and this of each announcement
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    stop = stop or threading.Event()
    hung = threading.Event()
    dispatchers: list[LocalDispatcher] = []

    def announce(due_at: datetime | None = None) -> None:
        for dispatcher in dispatchers:
            dispatcher.announce(due_at)

    def note_hang() -> None:
        if not hung.is_set():
            hung.set()
            if replace is not None:
                replace()
        stop.set()

    registry = Registry.load(settings)
    engine = Engine(settings, registry=registry, announce=announce)
    engine.migrate()
    make: type[LocalDispatcher] = LocalDispatcher
    if settings.dispatcher == "cluster":
        from engine.dispatch.cluster import ClusterDispatcher

        make = ClusterDispatcher
    owner = names[0] if names else None
    dispatcher = make(engine, registry, topics=topics, kinds=kinds, on_hang=note_hang, owner=owner)
    if names[1:]:
        # without it their leases end, by and by
        guarded(lambda: _take_over(engine, names[1:]), "taking over from dead workers")
    dispatchers.append(dispatcher)
    if hint is not None:
        listen_to(hint, dispatcher.announce, stop.set, is_over=hung.is_set)
    beats = _Beats(dispatcher, beat, max(settings.lease_s, _FROZEN_S))
    _work(beats, stop)
    # without a successor, work that is due must not wait long for those who run beside the hang
    in_haste = hung.is_set() and replace is None
    return _end(beats, hung, min(settings.shutdown_s, _HANG_DRAIN_S) if in_haste else None)


def _take_over(engine: Engine, dead: Sequence[str]) -> bool:
    if taken := engine.end_leases(dead):
        log.warning("%d items of workers that died are taken over", taken)
    return True


class _Beats:
    """The signs of life of a process; without one for `limit_s` the process ends, whatever hangs.

    The watchdog is a thread of C: it needs no turn among the threads of Python.
    """

    def __init__(
        self, dispatcher: LocalDispatcher, beat: Callable[[], None] | None, limit_s: float
    ) -> None:
        self.dispatcher = dispatcher
        self._beat = beat
        self._limit_s = limit_s

    def give(self, for_s: float = 0.0) -> None:
        """Tell that this process lives, and that the next sign may take so long."""
        # writes where every thread stands to standard error, then ends the process with status 1
        faulthandler.dump_traceback_later(self._limit_s + for_s, exit=True, file=2)
        if self._beat is not None and self.dispatcher.is_well():
            self._beat()

    def end(self) -> None:
        """Watch no more."""
        faulthandler.cancel_dump_traceback_later()


def _work(beats: _Beats, stop: threading.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: stop.set())
    beats.give()
    beats.dispatcher.start()
    log.info("working as %s", beats.dispatcher.owner)
    while not stop.wait(_BEAT_S):
        beats.give()


def _end(beats: _Beats, hung: threading.Event, drain_s: float | None) -> int:
    beats.give(beats.dispatcher.shutdown_s)
    finished = beats.dispatcher.stop(drain_s)
    if hung.is_set():
        # an ordinary exit could wait for the handler that never returns
        logging.shutdown()
        os._exit(EXIT_REPLACE)
    beats.end()
    return 0 if finished else 1


def listen_to(
    hint: int,
    wake: Callable[[], None],
    gone: Callable[[], None],
    *,
    is_over: Callable[[], bool] = lambda: False,
) -> None:
    """Call `wake` for each burst of hints, and `gone` when nobody can write any more.

    Once `is_over`, hints are left to the next process, which has the same pipe.
    """

    def read() -> None:
        while True:
            select.select([hint], [], [])
            if is_over():
                return None
            with contextlib.suppress(BlockingIOError):
                if not os.read(hint, 4096):
                    return gone()
                wake()

    threading.Thread(target=read, name="hints", daemon=True).start()
