"""`python -m tests.chaos.storm`: many kills a second, until there are as many as wanted.

Some processes, forked from one that has everything loaded, work on one database: they start cases,
send letters, complete tasks, claim and settle work. The supervisor kills one after the other at a
random moment (`kill -9`), and forks another one. In the end all that was begun must be finished by
processes that live, and the invariants of tests/chaos/invariants.py must hold.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from engine.clock import new_id
from engine.errors import Conflict, Unavailable
from engine.registry import Registry
from engine.runtime import Engine
from engine.runtime.library import Library
from engine.settings import Settings
from engine.worker import execute
from tests import postgres
from tests.chaos import evidence, log
from tests.chaos.drawing import CASE, LETTER, drawing
from tests.chaos.handlers import callee
from tests.chaos.invariants import broken
from tests.chaos.journal import Journal
from tests.chaos.round import counts

#: lives are this long, in seconds: some do much, most do little
_LIVES_S = (0.005, 0.35)
#: a lease of a process that was killed ends after so long
_LEASE_S = 0.6
#: processes at the same time
_PROCESSES = 3
#: without any kill, this is how long what is left may take; seconds
_DRAIN_S = 240.0
_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
_BUSY = (
    "SELECT (SELECT count(*) FROM work WHERE state = 'ready')"
    " + (SELECT count(*) FROM user_task WHERE state = 'open')"
    " + (SELECT count(*) FROM incident WHERE resolved_at IS NULL)"
    " + (SELECT count(*) FROM instance WHERE state = 'running')"
)


@dataclass(kw_only=True)
class Result:
    """What came of a storm."""

    database: str
    seed: int
    kills: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Life:
    """What one process does until it is killed, or, `calm`, until nothing is left."""

    def __init__(self, folder: Path, url: str, library: Library, seed: str) -> None:
        self._chance = random.Random(seed)
        self._settings = Settings(
            data_dir=folder, database_url=url, lease_s=1.0, backoff_base_s=0.01, backoff_cap_s=0.1,
            max_due_age_s=86400.0,
        )  # fmt: skip
        self._registry = Registry.of(
            callee.step, callee.fragile, callee.hold, settings=self._settings
        )
        self.engine = Engine(self._settings, registry=self._registry)
        self.engine.library = library
        self._journal = Journal(folder / "journal.db")

    def live(self, cases: int) -> None:
        """Do this and that for ever."""
        while True:
            deed = self._chance.random()
            number = self._chance.randrange(cases)
            try:
                if deed < 0.10:
                    self.begin(number)
                elif deed < 0.20:
                    self.write(number)
                elif deed < 0.35:
                    self.decide()
                elif not self.work():
                    time.sleep(0.01)
            except Unavailable:
                time.sleep(0.02)

    def begin(self, number: int) -> None:
        """Start a case, maybe again."""
        key = f"case-{number}"
        case = self.engine.start(CASE, {"number": number}, start_key=key, by="ann")
        self._journal.started(key, number, case.id, case.created)

    def write(self, number: int) -> None:
        """Send the letter of a case, maybe again."""
        letter = f"letter-{number}"
        sent = self.engine.correlate(
            LETTER, key=str(number), payload={"letter": letter}, message_id=letter
        )
        self._journal.sent(letter, sent.outcome)

    def decide(self) -> None:
        """Complete tasks, in a race with the others."""
        name = new_id()
        for task in self.engine.tasks(limit=5):
            try:
                self.engine.complete(task.id, {}, by=name)
            except Conflict:
                continue  # somebody was faster
            self._journal.completed(task.id, name, 200)

    def work(self) -> int:
        """Claim some rows and do them."""
        items = self.engine.claim_work(
            owner=str(os.getpid()), limit=self._chance.randint(1, 4), lease_s=_LEASE_S
        )
        for item in items:
            execute(self.engine, item, self._registry)
        return len(items)

    def finish(self, cases: int) -> None:
        """Bring everything to its end, without anybody's haste."""
        for number in range(cases):
            self.begin(number)
            self.write(number)
        end = time.monotonic() + _DRAIN_S
        while time.monotonic() < end and self._left():
            for incident in self.engine.incidents(open=True, limit=100):
                self.engine.retry(incident.id, by="ann")
            self.decide()
            self.engine.reap()
            if not self.work():
                time.sleep(0.02)

    def _left(self) -> int:
        with self.engine.reading() as connection:
            connection.run_text(_BUSY)
            (number,) = connection._cursor.fetchone()
        return int(number)

    def close(self) -> None:
        """Close everything."""
        self.engine.close()
        self._journal.close()


class Storm:
    """The supervisor: forks and kills."""

    def __init__(self, folder: Path, url: str, seed: int, cases: int) -> None:
        self._folder, self._url, self._seed, self._cases = folder, url, seed, cases
        self._chance = random.Random(seed)
        self._born = 0
        os.environ[callee.FILE] = str(folder / "callee.db")
        callee.prepare(folder / "callee.db")
        first = Life(folder, url, Library(Engine(Settings(data_dir=folder)).languages), "first")
        first.engine.migrate()
        first.engine.deploy({"chaos.bpmn": drawing()}, by="ann")
        # one case to its end, so that the children inherit what takes long: diagrams, statements
        first.begin(0)
        first.write(0)
        for _ in range(40):
            first.work()
            first.decide()
        first.close()
        self._library = first.engine.library

    def rage(self, kills: int) -> int:
        """Kill so many processes; return how many it were."""
        alive: list[tuple[float, int]] = []
        done = 0
        while done < kills:
            while len(alive) < _PROCESSES:
                ends = time.monotonic() + self._chance.uniform(*_LIVES_S)
                # the cases begin little by little, so that there is always something to interrupt
                alive.append((ends, self._fork(1 + self._cases * done // kills)))
            alive.sort()
            ends, pid = alive.pop(0)
            time.sleep(max(0.0, ends - time.monotonic()))
            done += self._kill(pid)
        for _, pid in alive:
            done += self._kill(pid)
        return done

    def _fork(self, cases: int) -> int:
        self._born += 1
        pid = os.fork()
        if pid:
            return pid
        try:
            seed = f"{self._seed}/{self._born}"
            Life(self._folder, self._url, self._library, seed).live(cases)
        except BaseException:
            logging.getLogger("storm").exception("a life ended by itself")
            raise
        finally:
            os._exit(1)

    def _kill(self, pid: int) -> bool:
        os.kill(pid, signal.SIGKILL)
        return os.waitpid(pid, 0)[1] == signal.SIGKILL

    def calm(self) -> None:
        """Finish everything and mend what is broken."""
        callee.mend(self._folder / "callee.db")
        last = Life(self._folder, self._url, self._library, "last")
        last.finish(self._cases)
        last.close()

    def ask(self, result: Result) -> None:
        """Hold the evidence against the invariants."""
        found = evidence.gather(self._url, self._folder / "callee.db", self._folder / "journal.db")
        result.violations += broken(found, at_end=True)
        result.counts = counts(found)
        found.close()


def played(server: postgres.Cluster | None, *, kills: int, seed: int, cases: int) -> Result:
    """Do one storm; return what came of it."""
    began = time.monotonic()
    result = Result(database="sqlite" if server is None else "postgres", seed=seed)
    folder = Path(tempfile.mkdtemp(prefix="caseway-storm-", dir=_MEMORY))
    try:
        url = server.url() if server is not None else f"sqlite:///{folder / 'storm.db'}"
        storm = Storm(folder, url, seed, cases)
        result.kills = storm.rage(kills)
        storm.calm()
        storm.ask(result)
    finally:
        if result.violations:
            print(f"kept in {folder}", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    result.seconds = round(time.monotonic() - began, 1)
    return result


def main(given: Sequence[str] | None = None) -> int:
    """Do what the command line says; 1 if something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.storm", description=__doc__)
    parser.add_argument("--postgres", action="store_true", help="on a cluster of its own")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--cases", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path, help="note the run here, for docs/reliability.md")
    wanted = parser.parse_args(given)
    logging.getLogger("caseway").setLevel(logging.CRITICAL)
    with postgres.cluster() if wanted.postgres else _nothing() as server:
        result = played(server, kills=wanted.kills, seed=wanted.seed, cases=wanted.cases)
    print(
        f"storm on {result.database}: {result.kills} kills, {result.seconds:g} s, {result.counts}"
    )
    for told in result.violations:
        print(f"  {told}")
    if wanted.log is not None:
        more = " --postgres" if wanted.postgres else ""
        log.note(wanted.log, log.Run(
            kind="storm", database=result.database, seed=result.seed, kills=result.kills,
            command=f"python -m tests.chaos.storm{more} --kills {wanted.kills}"
            f" --cases {wanted.cases}",
            other_faults=0, cases=result.counts["cases"], violations=tuple(result.violations),
            seconds=result.seconds,
        ))  # fmt: skip
    return int(bool(result.violations))


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


if __name__ == "__main__":
    sys.exit(main())
