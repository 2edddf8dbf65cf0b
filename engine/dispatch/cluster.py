"""ClusterDispatcher: one worker process among many, woken by what other machines announce.

It claims, runs and books as `LocalDispatcher` does. Beside that a Procrastinate worker listens for
announcements of the queues it serves; each only makes it look, so a lost one costs `sweep_s` at
most and a doubled one a look. One node at a time holds the duty of maintenance.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from engine.clock import SystemClock
from engine.dispatch.local import LocalDispatcher
from engine.registry import Registry
from engine.runtime import Engine
from engine.store import hints
from engine.worker import INTERNAL, guarded

if TYPE_CHECKING:
    from procrastinate import App

log = logging.getLogger("caseway.worker")

#: name of the duty that one node has for all
MAINTENANCE = "maintenance"
#: a lease of it lasts so many of its rounds
_ROUNDS = 3
#: how long due work waits before it is announced again, doubled each time up to the second; seconds
_AGAIN_S, _LONGEST_AGAIN_S = 2.0, 60.0
#: how often a full worker looks whether it has room for what is announced; seconds
_ROOM_S = 0.02
#: how long it does not listen after a failure; seconds
_PAUSE_S = 1.0
#: a node that has stopped listening must not hold up the end of the process; seconds
_END_S = 5.0


class ClusterDispatcher(LocalDispatcher):
    """Does due work beside other processes on one PostgreSQL database, until it is stopped.

    `topics` and `kinds` say what it does; without `topics` all that it has handlers for, so that an
    older node never takes what only a newer one knows. Raises SettingsError if the database is not
    PostgreSQL or Procrastinate is not installed.
    """

    def __init__(
        self,
        engine: Engine,
        registry: Registry,
        *,
        topics: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        on_hang: Callable[[], None] | None = None,
        owner: str | None = None,
        listen: bool = True,
    ) -> None:
        topics = tuple(topics) if topics is not None else tuple(entry.name for entry in registry)
        kinds = tuple(kinds) if kinds is not None else ("service", *INTERNAL)
        super().__init__(engine, registry, topics=topics, kinds=kinds, on_hang=on_hang, owner=owner)
        self._cluster = engine
        mine = [(kind, "") for kind in kinds if kind != "service"]
        mine += [("service", topic) for topic in topics if "service" in kinds]
        engine.join(mine, self._spare)
        #: the queues it listens to
        self.queues = [hints.queue(engine.settings.tenant, *queue) for queue in mine]
        self._listen = listen
        self._ears = threading.Thread(target=self._hear, name="hints", daemon=True)
        self._deaf = threading.Event()
        self._ending: Callable[[], object] | None = None
        self._duty_until = -math.inf
        #: queue -> (head of its due rows, when to announce it again, the gap after that)
        self._again: dict[str, tuple[Any, float, float]] = {}

    def _spare(self, kind: str) -> int:
        """Return how many rows of a kind this node can do soon: none of them when it stops."""
        if self._stopping.is_set():
            return 0
        return self._crew.soon() if kind == "service" else self._settings.batch

    def start(self) -> None:
        """Begin to claim work and to listen; after any fork."""
        super().start()
        if self._listen:
            self._ears.start()

    def stop(self, drain_s: float | None = None) -> bool:
        """Stop listening, then as `LocalDispatcher.stop`; hand over the duties."""
        self._deaf.set()
        ending = self._ending
        if ending is not None:
            # the loop may have ended by itself a moment ago
            with contextlib.suppress(RuntimeError):
                ending()
        finished = super().stop(drain_s)
        guarded(self._leave, "giving up duties")
        if self._ears.is_alive():
            self._ears.join(_END_S)
        return finished

    def _leave(self) -> bool:
        if self._duty_until > self._timer():
            self._cluster.leave_duties(self.owner)
        return True

    # -------------------------------------------------------------- listening

    def _hear(self) -> None:
        while not self._deaf.is_set():
            guarded(self._hear_once, "listening for announcements")
            # whoever does not listen still looks each `sweep_s`
            self._deaf.wait(_PAUSE_S)

    def _hear_once(self) -> bool:
        from procrastinate.exceptions import ConnectorException

        with contextlib.suppress(asyncio.CancelledError):
            try:
                asyncio.run(self._run_worker())
            except ConnectorException as error:
                log.warning("announcements cannot be heard just now: %s", error.__cause__ or error)
        return True

    async def _run_worker(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._ending = partial(loop.call_soon_threadsafe, task.cancel)
        try:
            app = self._app()
            async with app.open_async():
                if not self._deaf.is_set():
                    await app.run_worker_async(
                        queues=self.queues, name=self.owner, concurrency=1, delete_jobs="always",
                        install_signal_handlers=False, shutdown_graceful_timeout=0.0,
                        fetch_job_polling_interval=self._settings.sweep_s,
                    )  # fmt: skip
        finally:
            self._ending = None

    def _app(self) -> App:
        from procrastinate import App, PsycopgConnector

        app = App(
            connector=PsycopgConnector(
                kwargs=hints.arguments(self._cluster.database), min_size=1, max_size=2
            )
        )
        app.task(name=hints.TASK)(self._heed)
        return app

    async def _heed(self) -> None:
        """Look for due work: the whole of the task that an announcement stands for.

        A full worker waits with it, so that it takes no further ones from those who have room.
        """
        wait_s = self._settings.sweep_s
        while not (room := self._crew.room()) and wait_s > 0:
            wait_s -= _ROOM_S
            await asyncio.sleep(_ROOM_S)
        if room > 1:
            # the look that follows answers these as well
            await asyncio.to_thread(self._cluster.swallow_hints, self.queues, room - 1)
        self.announce()

    # -------------------------------------------------------------- maintenance, on one node

    def _maintain(self) -> None:
        lease_s = _ROUNDS * self._maintain_s
        if not self._cluster.take_duty(MAINTENANCE, owner=self.owner, lease_s=lease_s):
            self._again.clear()
            return
        self._duty_until = self._timer() + lease_s
        super()._maintain()
        self._cluster.clean_hints()

    def look_after(self) -> bool:
        """As `LocalDispatcher.look_after`; who has the duty announces again what was not taken."""
        super().look_after()
        if self._timer() < self._duty_until and isinstance(self._engine.clock, SystemClock):
            self.announce_again()
        return True

    def announce_again(self) -> int:
        """Announce due work that nobody has taken, with growing gaps; return how many queues."""
        due, now = self._cluster.due_queues(), self._timer()
        ripe = []
        for queue, (what, head) in due.items():
            seen, at, gap_s = self._again.get(queue, (None, 0.0, 0.0))
            if seen != head:
                self._again[queue] = head, now + _AGAIN_S, _AGAIN_S
            elif now >= at:
                gap_s = min(2 * gap_s, _LONGEST_AGAIN_S)
                self._again[queue] = head, now + gap_s, gap_s
                ripe.append(queue)
                if gap_s >= _LONGEST_AGAIN_S:
                    log.warning("no worker takes what is due of %r since %s", what, head)
        for queue in self._again.keys() - due.keys():
            del self._again[queue]
        return self._cluster.hint_again(ripe) if ripe else 0
