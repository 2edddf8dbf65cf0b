"""What runs inside the two processes of `caseway serve`; started by web/serve.py only.

A child ends with its parent, however the parent ends: it watches a pipe whose other end only the
parent holds, and on Linux asks the kernel for a signal as well.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from engine.errors import EngineError
from web import traces
from web.logs import configure
from web.problems import NoDatabase
from web.serve import HOPELESS

if TYPE_CHECKING:
    from engine.settings import Settings

log = logging.getLogger("caseway")

_SET_PARENT_DEATH_SIGNAL = 1


def follow(life: int) -> None:
    """End this process as soon as the parent is gone."""
    if sys.platform == "linux":
        import ctypes

        # also ends a process that is stuck in C code and never looks at the pipe
        ctypes.CDLL(None, use_errno=True).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)

    def watch() -> None:
        os.read(life, 1)  # nothing is ever written: this returns when the parent has ended
        os._exit(1)

    threading.Thread(target=watch, name="follow-parent", daemon=True).start()


def teller(pipe: int, said: bytes = b".") -> Callable[..., None]:
    """Return what writes one byte, or `said`, to a pipe, whatever it is called with.

    A full pipe says enough: what does not fit is dropped, as it is when nobody reads any more.
    """

    def tell(*_: object) -> None:
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(pipe, said)

    return tell


class Heartbeat:
    """When the worker was last heard, told by the pipe of heartbeats."""

    def __init__(self, beat: int, now: Callable[[], float] = time.monotonic) -> None:
        self._beat = beat
        self._now = now
        self._heard_at: float | None = None
        self._lock = threading.Lock()

    def age_s(self) -> float | None:
        """Return the seconds since the last beat that was noticed; None before the first."""
        with self._lock:
            with contextlib.suppress(BlockingIOError):
                while os.read(self._beat, 4096):
                    self._heard_at = self._now()
            return None if self._heard_at is None else self._now() - self._heard_at


@click.command()
@click.argument("name", type=click.Choice(["web", "worker"]))
@click.option("--listen", type=int)
@click.option("--hint", type=int)
@click.option("--beat", type=int)
@click.option("--life", type=int)
@click.option("--ready", type=int)
@click.option("--replace", type=int)
@click.option("--owner", multiple=True)
def main(
    name: str, listen: int, hint: int, beat: int, life: int, ready: int, replace: int,
    owner: tuple[str, ...],
) -> None:  # fmt: skip
    """Run one child until SIGTERM; exit status 78 says that a restart would not help."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which drains us
    follow(life)
    from engine.settings import load

    try:
        settings = load()
        configure(settings.log_level, name, settings.log_format)
        traces.start(settings, name)
        if name == "web":
            run_web(settings, listen=listen, hint=hint, beat=beat, ready=ready)
        else:
            ends = {"hint": hint, "beat": beat, "replace": replace}
            sys.exit(run_worker(settings, **ends, names=owner))
    except NoDatabase as error:
        log.error("%s", error)
        sys.exit(1)  # it may come back
    except EngineError as error:
        log.error("%s", error)
        sys.exit(HOPELESS)


def run_web(settings: Settings, *, listen: int, hint: int, beat: int, ready: int) -> None:
    """Answer HTTP on the inherited socket until SIGTERM; `ready` is told before the first call."""
    from web import maildir
    from web.app import create_app
    from web.listen import answer
    from web.opening import open_engine

    heartbeat = Heartbeat(beat)
    engine = open_engine(settings, announce=teller(hint))
    app = create_app(settings, engine=engine, worker_age_s=heartbeat.age_s)
    teller(ready)()
    maildir.start(engine)
    answer(app, socket.socket(fileno=listen), settings)


def run_worker(
    settings: Settings, *, hint: int, beat: int, replace: int, names: Sequence[str]
) -> int:
    """Do due work until SIGTERM, that of the dead workers first; return the exit status.

    If a handler hangs, the parent is asked for the next worker, which begins while this one ends.
    """
    from engine.dispatch import worker_main
    from web.metrics import show_worker

    metrics = show_worker(settings)

    def ask_for_the_next() -> None:
        if metrics is not None:
            metrics.server_close()  # its port is for the next one
        # with the pid: a byte read late must not have the next one replaced
        teller(replace, f"{os.getpid()}\n".encode())()

    return worker_main(
        settings, hint=hint, beat=teller(beat), replace=ask_for_the_next, names=names
    )


if __name__ == "__main__":
    main()
