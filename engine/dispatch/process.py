"""The worker process: engine, dispatcher, signals and the pipe of hints; `serve` restarts it."""

from __future__ import annotations

import contextlib
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

log = logging.getLogger("caseway.worker")

#: exit status that says: a handler hangs in this process, start another one
EXIT_REPLACE = 75
#: how long what runs beside a handler that hangs may still take; what then runs begins again in the
#: next process, with the same idempotency key; seconds
_HANG_DRAIN_S = 3.0
#: how often the worker says that it lives; seconds
_BEAT_S = 1.0


def worker_main(
    settings: Settings,
    *,
    hint: int | None = None,
    beat: Callable[[], None] | None = None,
    stop: threading.Event | None = None,
    topics: Sequence[str] | None = None,
    kinds: Sequence[str] | None = None,
) -> int:
    """Do due work until SIGTERM, SIGINT, `stop`, or the end of the pipe; return the exit status.

    `hint` is the reading end of a pipe with one byte per hint; `beat` is called every second
    while the worker is well. `topics` and `kinds` say which work it does; None: all. If a handler
    hangs, what can be finished is finished, then the process ends with EXIT_REPLACE. Call it in the
    main thread. Raises SchemaTooNew, HandlerSetupError and SettingsError.
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
        hung.set()
        stop.set()

    registry = Registry.load(settings)
    engine = Engine(settings, registry=registry, announce=announce)
    engine.migrate()
    make: type[LocalDispatcher] = LocalDispatcher
    if settings.dispatcher == "cluster":
        from engine.dispatch.cluster import ClusterDispatcher

        make = ClusterDispatcher
    dispatcher = make(engine, registry, topics=topics, kinds=kinds, on_hang=note_hang)
    dispatchers.append(dispatcher)
    return _serve(dispatcher, stop, hung, hint, beat)


def _serve(
    dispatcher: LocalDispatcher,
    stop: threading.Event,
    hung: threading.Event,
    hint: int | None,
    beat: Callable[[], None] | None,
) -> int:
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: stop.set())
    if hint is not None:
        listen_to(hint, dispatcher.announce, stop.set)
    dispatcher.start()
    log.info("working as %s", dispatcher.owner)
    while not stop.wait(_BEAT_S):
        if beat is not None and dispatcher.is_well():
            beat()
    # work that is due must not wait long for those who work beside a handler that hangs
    drain_s = min(dispatcher.shutdown_s, _HANG_DRAIN_S) if hung.is_set() else None
    finished = dispatcher.stop(drain_s)
    if hung.is_set():
        # an ordinary exit could wait for the handler that never returns
        logging.shutdown()
        os._exit(EXIT_REPLACE)
    return 0 if finished else 1


def listen_to(hint: int, wake: Callable[[], None], gone: Callable[[], None]) -> None:
    """Call `wake` for each burst of hints, and `gone` when nobody can write any more."""

    def read() -> None:
        while True:
            select.select([hint], [], [])
            with contextlib.suppress(BlockingIOError):
                if not os.read(hint, 4096):
                    return gone()
                wake()

    threading.Thread(target=read, name="hints", daemon=True).start()
