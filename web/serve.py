"""The parent of `caseway serve`: starts the web and the worker process and replaces a dead one.

It holds what must outlive a child: the listening socket, the pipe of hints (web to worker) and the
pipe of heartbeats (worker to web). It imports nothing heavy and touches no database.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FrameType

from engine.errors import SettingsError

log = logging.getLogger("caseway.serve")

#: exit status of a child that a restart would not mend: a wrong setting, a newer schema
HOPELESS = 78
#: exit status of a worker that must be replaced since a handler hangs in it: no failure of its own
REPLACED = 75
#: a child that lived so long has recovered; its next restart is immediate again; seconds
RECOVERED_AFTER_S = 10.0
FIRST_DELAY_S, LONGEST_DELAY_S = 0.1, 30.0
#: how much longer than its own limit a draining child may take before it is killed; seconds
GRACE_S = 5.0
#: a worker is told of so many dead ones before it: the last may have died before it was heard of
DEAD_TOLD = 8
#: the worker starts when the web process answers, or after so long; seconds
WORKER_WAITS_S = 2.0


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises SettingsError if the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise SettingsError(f"cannot listen on {host} port {port}: {error.strerror or error}")
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the address of a listening socket as people type it."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def restart_delay_s(failures: int) -> float:
    """Return how long to wait before a child that died so often in a row is started again."""
    if failures <= 1:
        return 0.0
    return float(min(FIRST_DELAY_S * 2 ** (failures - 2), LONGEST_DELAY_S))


@dataclass(slots=True)
class Child:
    """One of the two processes, and how its life went so far."""

    #: web | worker
    name: str
    #: descriptors it inherits, by their role; becomes its command line
    descriptors: Mapping[str, int]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    #: deaths in a row without a long life between them
    failures: int = 0
    #: not started again before; monotonic seconds
    not_before: float = 0.0
    #: claims work, by a name that its successors are told when it has died
    claims: bool = False
    owner: str = ""
    dead: deque[str] = field(default_factory=lambda: deque(maxlen=DEAD_TOLD))
    #: processes that end while the next one works already -> when each must have; monotonic seconds
    retired: dict[subprocess.Popen[bytes], float] = field(default_factory=dict)

    def start(self, environment: Mapping[str, str], now: float) -> None:
        """Start the process with its descriptors, safe from folders called like our packages."""
        roles = [f"--{role}={fd}" for role, fd in self.descriptors.items()]
        if self.claims:
            self.owner = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(6)}"
            roles += [f"--owner={self.owner}", *(f"--owner={name}" for name in self.dead)]
        self.process = subprocess.Popen(
            # -P: a folder called `web` in the working directory must not be run instead of ours
            [sys.executable, "-P", "-m", "web.child", self.name, *roles],
            env=dict(environment),
            pass_fds=tuple(self.descriptors.values()),
        )
        self.started_at = now

    def note_end(self, now: float) -> int | None:
        """Return the exit status if the process has ended since the last look, else None."""
        if self.process is None or (status := self.process.poll()) is None:
            return None
        self.process = None
        self.dead.append(self.owner)
        lived_long = now - self.started_at >= RECOVERED_AFTER_S
        self.failures = 1 if lived_long or status == REPLACED else self.failures + 1
        self.not_before = now + restart_delay_s(self.failures)
        return status

    def retire(self, pid: int, until: float) -> None:
        """Let the process end by itself until then, and have the next one started at once."""
        if self.process is not None and self.process.pid == pid:
            self.retired[self.process] = until
            self.process, self.not_before = None, 0.0

    def bury(self, now: float) -> None:
        """Forget the retired ones that have ended; kill what has had its time."""
        for process, until in list(self.retired.items()):
            if process.poll() is None and now >= until:
                log.warning("%s process %s did not end in time and is killed",
                            self.name, process.pid)  # fmt: skip
                process.kill()
                process.wait()
            if process.returncode is not None:
                del self.retired[process]

    def alive(self) -> list[subprocess.Popen[bytes]]:
        """Return its processes that have not ended yet, as far as was looked."""
        return [*self.retired, *([] if self.process is None else [self.process])]

    def send(self, number: int) -> None:
        """Send its processes a signal."""
        for process in self.alive():
            process.send_signal(number)


class Parent:
    """Keeps the children alive until it is told to stop."""

    def __init__(
        self,
        listener: socket.socket,
        environment: Mapping[str, str],
        *,
        shutdown_s: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._environment = {**os.environ, **environment}
        self._shutdown_s = shutdown_s
        self._now = now
        self._stop_signals = 0
        hints, beats, ready, replace, lifeline = _pipe(), _pipe(), _pipe(), _pipe(), os.pipe()
        #: where the web process says that it answers
        self._ready = ready[0]
        #: where a worker says that a handler hangs in it: its pid
        self._replace = replace[0]
        #: its end is what children wait for: it closes when this process dies, however it dies
        self._life = lifeline[1]
        life = lifeline[0]
        web = {"listen": listener.fileno(), "hint": hints[1], "beat": beats[0], "life": life}
        worker = {"hint": hints[0], "beat": beats[1], "life": life, "replace": replace[1]}
        self.children = (
            Child("web", {**web, "ready": ready[1]}),
            # both at once would share the cores, and the first answer would come later
            Child("worker", worker, not_before=now() + WORKER_WAITS_S, claims=True),
        )
        self._listener = listener

    def run(self) -> int:
        """Run until SIGTERM or SIGINT, drain the children, and return the exit status."""
        with self._signals() as wake:
            status = self._supervise(wake)
            self._listener.close()
            return max(status, self._drain(wake))

    @contextlib.contextmanager
    def _signals(self) -> Iterator[int]:
        """Turn the signals that matter into bytes on a pipe, which is yielded."""
        wake, woken = _pipe()
        before = {
            number: signal.signal(number, handler)
            for number, handler in (
                (signal.SIGTERM, self._note_stop),
                (signal.SIGINT, self._note_stop),
                (signal.SIGCHLD, lambda *_: None),
            )
        }
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        try:
            yield wake
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop_signals += 1

    def _supervise(self, wake: int) -> int:
        pipes = [wake, self._ready, self._replace]
        while not self._stop_signals:
            now = self._now()
            for child in self.children:
                if self._ended_for_good(child, now):
                    return 1
                child.bury(now)
                if child.process is None and now >= child.not_before:
                    child.start(self._environment, now)
            waits = [child.not_before for child in self.children if child.process is None]
            waits += [until for child in self.children for until in child.retired.values()]
            said = _sleep(pipes, min(waits, default=None), self._now())
            if self._ready in said:
                self._start_the_rest()
            for pid in said.get(self._replace, b"").split():
                self._start_another_worker(int(pid))
        return 0

    def _start_another_worker(self, pid: int) -> None:
        """Let a worker in which a handler hangs end what it has begun, and another one begin."""
        for child in self.children:
            child.retire(pid, self._now() + self._shutdown_s + GRACE_S)

    def _start_the_rest(self) -> None:
        """Begin what has waited for the web process; what waits after a death goes on waiting."""
        for child in self.children:
            if child.failures == 0:
                child.not_before = 0.0

    def _ended_for_good(self, child: Child, now: float) -> bool:
        status = child.note_end(now)
        if status is None:
            return False
        if status == HOPELESS:
            log.error("the %s process cannot run; its message is above", child.name)
            return True
        wait_s = max(0.0, child.not_before - now)
        log.warning("the %s process ended (%s), restart in %.1f s", child.name, status, wait_s)
        return False

    def _drain(self, wake: int) -> int:
        """Ask both to finish what they have begun; kill what does not, and say so by a 1."""
        deadline = self._now() + self._shutdown_s + GRACE_S
        heard = self._stop_signals
        for child in self.children:
            child.send(signal.SIGTERM)
        while any(child.alive() for child in self.children):
            if self._now() >= deadline or self._stop_signals > heard + 1:
                return self._kill()
            _sleep([wake], deadline, self._now())
            for child in self.children:
                child.note_end(self._now())
                child.bury(self._now())
        return 0

    def _kill(self) -> int:
        for child in self.children:
            for process in child.alive():
                log.warning("the %s process did not stop in time and is killed", child.name)
                process.kill()
                process.wait()
        return 1


def _pipe() -> tuple[int, int]:
    """Return the two ends of a pipe; neither side ever waits for the other."""
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends


def _sleep(pipes: list[int], until: float | None, now: float) -> dict[int, bytes]:
    """Wait for a byte on one of the pipes, or until a moment; return what was said on which."""
    timeout = None if until is None else max(0.0, until - now)
    woken, _, _ = select.select(pipes, [], [], timeout)
    said = {}
    for pipe in woken:
        with contextlib.suppress(BlockingIOError):
            said[pipe] = os.read(pipe, 4096)
    return said
