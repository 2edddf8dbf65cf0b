"""`python -m tests.chaos.points`: the process ends at every fail point of a scene, one by one.

Each time a child plays the script of a scene (tests/chaos/scenes.py) on a database of its own and
kills itself at its N-th point; a second child plays the script again to its end. Then the
invariants must hold, and what is left must be what it is when nothing happens. `--second` kills the
second child as well, at a random point, and a third one ends the work.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NoReturn

import sqlalchemy as sa

from engine import failpoints
from engine.runtime.library import Library
from tests import postgres
from tests.chaos import evidence, log, mutants
from tests.chaos.handlers import callee
from tests.chaos.invariants import broken
from tests.chaos.scenes import SCENES, Actor, Scene

#: events of attempts, and of acts that a client repeats who has heard no answer
_OF_ATTEMPTS = ("work.tried", "work.failed", "task.claimed", "task.unclaimed", "history.erased")
_LEFT = (
    "SELECT 'work', kind, state, count(*) FROM work GROUP BY kind, state UNION ALL"
    " SELECT 'subscription', kind, '', count(*) FROM subscription GROUP BY kind UNION ALL"
    " SELECT 'message', name, state, count(*) FROM message GROUP BY name, state UNION ALL"
    " SELECT 'task', element_id, state, count(*) FROM user_task GROUP BY element_id, state"
    " UNION ALL SELECT 'incident', element_id, kind, count(*) FROM incident"
    " GROUP BY element_id, kind UNION ALL SELECT 'effect', number, '', count(*) FROM effect"
    " GROUP BY number"
)
#: killed is the process, not the machine: the files may be in memory
_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
_DIED = -signal.SIGKILL
#: case -> what is left of it, how often
Print = dict[str, Counter[tuple[object, ...]]]


@dataclass(kw_only=True)
class Result:
    """What came of a scene."""

    scene: str
    database: str
    mutant: str | None
    #: points that the undisturbed script passes
    points: int = 0
    #: different names among them
    names: int = 0
    #: children that killed themselves
    kills: int = 0
    #: what did not hold, with the point that it happened at
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0


class House:
    """A folder, a database that each run gets a fresh copy of, and the children."""

    def __init__(self, scene: Scene, server: postgres.Cluster | None) -> None:
        self.scene = scene
        self.folder = Path(tempfile.mkdtemp(prefix="caseway-points-", dir=_MEMORY))
        self._server = server
        self._admin = None
        if server is not None:
            url = server.url("postgres")
            self._admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
            self._sql("CREATE DATABASE template_scene")
        (self.folder / "stock").mkdir()
        #: what the children inherit, so that none reads a diagram or compiles a statement again
        self._library: Library | None = None
        self._prepare()

    def _sql(self, text: str) -> None:
        assert self._admin is not None
        with self._admin.connect() as connection:
            connection.execute(sa.text(text))

    def _stock_url(self) -> str:
        if self._server is not None:
            return self._server.url("template_scene")
        return f"sqlite:///{self.folder / 'stock' / 'scene.db'}"

    def _prepare(self) -> None:
        stock = Actor(self.folder / "stock", self._stock_url())
        callee.prepare(stock.folder / "callee.db")
        stock.engine.migrate()
        if self.scene.deployed:
            stock.engine.deploy(self.scene.deployed, by="ann")
        stock.close()
        with self.fresh() as (folder, url):
            actor = Actor(folder, url, stock.engine.library)
            self.scene.play(actor)
            actor.close()
        if self.scene.deployed:
            self._library = stock.engine.library

    @contextmanager
    def fresh(self) -> Iterator[tuple[Path, str]]:
        """Yield a folder and the URL of an untouched database; both are gone afterwards."""
        folder = self.folder / "run"
        shutil.copytree(self.folder / "stock", folder)
        url = f"sqlite:///{folder / 'scene.db'}"
        if self._server is not None:
            self._sql("CREATE DATABASE run_scene TEMPLATE template_scene STRATEGY file_copy")
            url = self._server.url("run_scene")
        yield folder, url
        shutil.rmtree(folder)
        if self._server is not None:
            self._sql("DROP DATABASE run_scene WITH (FORCE)")

    def child(
        self, spec: str, play: Callable[[Actor], None], *, folder: Path, url: str
    ) -> tuple[int, list[str]]:
        """Play in a child; return how it ended, and the points it passed."""
        told = folder / "told.json"
        told.unlink(missing_ok=True)
        pid = os.fork()
        if pid == 0:
            _be_a_child(spec, play, Actor(folder, url, self._library), told)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status == 0:
            return 0, json.loads(told.read_text())
        if status != _DIED:
            raise RuntimeError(f"{spec}: {told.read_text() if told.exists() else status}")
        return status, []

    def remove(self) -> None:
        """Leave nothing behind."""
        if self._admin is not None:
            self._sql("DROP DATABASE template_scene WITH (FORCE)")
            self._admin.dispose()
        shutil.rmtree(self.folder, ignore_errors=True)


def _be_a_child(spec: str, play: Callable[[Actor], None], actor: Actor, told: Path) -> NoReturn:
    """Play, write down the points, and end without any of the parent's endings."""
    status = 1
    try:
        failpoints.arm(spec)
        play(actor)
        passed = list(failpoints.passed)
        actor.close()
        told.write_text(json.dumps(passed))
        status = 0
    except BaseException:
        told.write_text(traceback.format_exc())
        raise
    finally:
        os._exit(status)


def fingerprint(found: sqlite3.Connection) -> Print:
    """Return what a script has left, without ids, times and numbers of attempts."""
    events = found.execute(
        "SELECT coalesce(r.start_key, r.process_id), h.kind, h.element_id, i.process_id, i.state"
        " FROM history h JOIN instance r ON r.id = h.root_id JOIN instance i"
        " ON i.id = h.instance_id"
    )
    told: Print = {}
    for case, kind, *where in events:
        if kind not in _OF_ATTEMPTS:
            told.setdefault(case, Counter())[(kind, *where)] += 1
    told["left"] = Counter({tuple(row[:-1]): row[-1] for row in found.execute(_LEFT)})
    return told


def differences(wanted: Print, found: Print) -> list[str]:
    """Return a sentence for each thing that is not as in the undisturbed run."""
    told = []
    for case in sorted(wanted.keys() | found.keys()):
        lost = wanted.get(case, Counter()) - found.get(case, Counter())
        doubled = found.get(case, Counter()) - wanted.get(case, Counter())
        told += [f"{case}: {n} x {what} lost" for what, n in sorted(lost.items(), key=str)]
        told += [f"{case}: {n} x {what} too many" for what, n in sorted(doubled.items(), key=str)]
    return told


class Interruptions:
    """All runs of one scene."""

    def __init__(self, house: House, result: Result) -> None:
        self._house = house
        self._result = result

    def undisturbed(self) -> list[str]:
        """Play the script once as it is; return its points."""
        with self._house.fresh() as (folder, url):
            _, points = self._house.child("watch", self._house.scene.play, folder=folder, url=url)
            self._result.violations += self._ask(folder, url, "nothing happened")
            self.wanted = fingerprint(self._gathered(folder, url))
        self._result.points, self._result.names = len(points), len(set(points))
        return points

    def interrupt(self, *numbers: int, at: str) -> None:
        """End the first children at these points, let the last one finish, and ask."""
        play = self._house.scene.play
        with self._house.fresh() as (folder, url):
            for number in numbers:
                status, _ = self._house.child(f"*:{number}", play, folder=folder, url=url)
                self._result.kills += status == _DIED
            try:
                self._house.child("watch", play, folder=folder, url=url)
            except RuntimeError as error:
                self._result.violations.append(f"{at}: the script cannot be finished: {error}")
                return
            told = self._ask(folder, url, at)
            # a second kill may use up the attempts of `fragile`: then the incident says so earlier
            if len(numbers) == 1:
                seen = fingerprint(self._gathered(folder, url))
                told += [f"{at}: {each}" for each in differences(self.wanted, seen)]
            self._result.violations += told

    def _gathered(self, folder: Path, url: str) -> sqlite3.Connection:
        return evidence.gather(url, folder / "callee.db", folder / "journal.db")

    def _ask(self, folder: Path, url: str, at: str) -> list[str]:
        found = self._gathered(folder, url)
        without = self._house.scene.without
        told = [f"{at}: {each}" for each in broken(found, at_end=True, without=without)]
        found.close()
        return told


def interrupted(
    scene: Scene,
    server: postgres.Cluster | None,
    *,
    stride: int = 1,
    each_name: bool = False,
    seconds: int = 0,
    seed: int = 1,
    only: str | None = None,
) -> Result:
    """End the process at each point of a scene; return what came of it."""
    began = time.monotonic()
    kind = "sqlite" if server is None else "postgres"
    result = Result(scene=scene.name, database=kind, mutant=mutants.NAME)
    house = House(scene, server)
    try:
        runs = Interruptions(house, result)
        points = runs.undisturbed()
        numbered = list(enumerate(points, 1))
        if each_name:
            numbered = [(number, name) for number, name in numbered
                        if points.index(name) == number - 1]  # fmt: skip
        for number, name in numbered[::stride]:
            if only is None or only in name:
                runs.interrupt(number, at=f"{number} {name}")
        chance = random.Random(seed)
        for _ in range(seconds):
            first, second = chance.randint(1, len(points)), chance.randint(1, len(points))
            runs.interrupt(first, second, at=f"{first} {points[first - 1]}, then {second}")
    finally:
        house.remove()
    result.seconds = round(time.monotonic() - began, 1)
    return result


def main(given: Sequence[str] | None = None) -> int:
    """Do what the command line says; 1 if something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.points", description=__doc__)
    parser.add_argument("--scene", choices=SCENES, action="append", help="just this one")
    parser.add_argument("--postgres", action="store_true", help="on a cluster of its own")
    parser.add_argument("--stride", type=int, default=1, help="each so many-th point only")
    parser.add_argument("--each-name", action="store_true", help="each name only once")
    parser.add_argument("--only", help="points whose name contains this")
    parser.add_argument("--second", type=int, default=0, help="so many runs with two kills")
    parser.add_argument("--seed", type=int, default=1, help="of the second kills")
    parser.add_argument("--out", type=Path, help="a file that gets a line of JSON for each scene")
    parser.add_argument("--log", type=Path, help="note the runs here, for docs/reliability.md")
    wanted = parser.parse_args(given)
    logging.getLogger("caseway").setLevel(logging.CRITICAL)  # incidents are part of the scenes
    results = []
    with postgres.cluster() if wanted.postgres else _nothing() as server:
        for name in wanted.scene or SCENES:
            result = interrupted(
                SCENES[name], server, stride=wanted.stride, each_name=wanted.each_name,
                seconds=wanted.second, seed=wanted.seed, only=wanted.only,
            )  # fmt: skip
            results.append(result)
            print(f"{result.database} {name}: {result.points} points of {result.names} names,"
                  f" {result.kills} kills, {result.seconds:g} s", flush=True)  # fmt: skip
            for told in result.violations:
                print(f"  {told}", flush=True)
            if wanted.log is not None:
                log.note(wanted.log, _noted(result, wanted))
            if wanted.out is not None:
                with wanted.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(result)) + "\n")
    return int(any(result.violations for result in results))


def _noted(result: Result, wanted: argparse.Namespace) -> log.Run:
    more = " --postgres" if wanted.postgres else ""
    more += f" --stride {wanted.stride}" if wanted.stride > 1 else ""
    more += f" --second {wanted.second}" if wanted.second else ""
    return log.Run(
        kind="points", database=result.database, seed=wanted.seed if wanted.second else None,
        command=f"python -m tests.chaos.points --scene {result.scene}{more}",
        kills=result.kills, other_faults=0, cases=0, violations=tuple(result.violations),
        seconds=result.seconds,
    )  # fmt: skip


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


if __name__ == "__main__":
    if not failpoints.ON:
        os.environ[failpoints.VARIABLE] = failpoints.WATCH
        os.execv(sys.executable, [sys.executable, "-m", "tests.chaos.points", *sys.argv[1:]])
    sys.exit(main())
