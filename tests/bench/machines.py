"""Row 17: how many machines a load needs, by simulation with service times of this one.

Measured is the service lifecycle on PostgreSQL: CPU of our process and of the database, and
waiting, per transaction. The model (SimPy): transactions arrive at random, take a core of a
machine, a core of the database, and then wait for its disk. An installation is full when one in a
hundred takes over a limit.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

import simpy

from tests import postgres
from tests.bench import lifecycle
from tests.bench.figure import Figure, milliseconds
from tests.bench.lifecycle import Spent
from tests.bench.rounds import Bench

#: ends the name of each figure: nobody has measured it
MODEL = ": cases it can take (model)"
#: what p99 of a transaction may take
LIMIT_S = 0.25
CORES = 4
#: transactions of one simulated run
_MANY = 8_000
_SEED = 6


@dataclass(frozen=True, slots=True)
class Times:
    """What one transaction takes where, in seconds."""

    #: CPU of our own process
    ours: float
    #: CPU of the database
    database: float
    #: neither: disk and network
    waiting: float


@dataclass(frozen=True, slots=True)
class Place:
    """An installation."""

    name: str
    #: machines of CORES cores that run `caseway web` and `caseway work`
    machines: int
    #: cores of each database server; 0: it runs on the first machine
    database_cores: int
    #: database servers, each with its share of the cases
    shards: int = 1


PLACES = (
    Place("one machine, the database on it", 1, 0),
    Place("two machines, one of them the database", 1, CORES),
    Place("ten machines, one of them the database", 9, CORES),
    Place("forty machines, four of them shards of the database", 36, CORES, shards=4),
)


def measure(bench: Bench) -> list[Figure]:
    """Return the cases per hour that each installation can take, as the model has it."""
    if postgres.binaries() is None:
        why = "no PostgreSQL server here"
        return [Figure(name="17 machines", value=None, unit="cases per hour", detail=why)]
    with postgres.cluster(durable=True) as server:
        spent = lifecycle.run(3 if bench.quick else 15, server)
    times = per_transaction(spent)
    per_case = (
        f"{spent.commits:.0f} transactions of {milliseconds(times.ours)} CPU,"
        f" {milliseconds(times.database)} in the database, {milliseconds(times.waiting)} waiting"
    )
    return [_figure(place, times, spent.commits, per_case) for place in PLACES]


def per_transaction(spent: Spent) -> Times:
    """Return what the measured case says of one transaction."""
    assert spent.database_s is not None
    waiting = max(0.0, spent.wall_s - spent.cpu_s - spent.database_s)
    ours, database, waits = (
        seconds / spent.commits for seconds in (spent.cpu_s, spent.database_s, waiting)
    )
    return Times(ours, database, waits)


def _figure(place: Place, times: Times, commits: float, per_case: str) -> Figure:
    rate = highest(place, times)
    full = ", ".join(f"{name} {share:.0%}" for name, share in busy(place, times, rate).items())
    return Figure(
        name=f"17 {place.name}{MODEL}", value=round(rate / commits * 3600),
        unit="cases per hour",
        detail=f"{rate:.0f} transactions per second; busy: {full}; a case: {per_case}",
    )  # fmt: skip


def busy(place: Place, times: Times, rate: float) -> dict[str, float]:
    """Return which part of the cores a rate of transactions takes."""
    ours = rate * times.ours / (place.machines * CORES)
    if not place.database_cores:
        return {"machine": ours + rate * times.database / CORES}
    cores = place.database_cores * place.shards
    return {"machines": ours, "database": rate * times.database / cores}


def highest(place: Place, times: Times) -> float:
    """Return the most transactions per second with p99 within the limit, to 2 %."""
    one = Place("", 1, place.database_cores)
    low = 0.0
    high = 1 / max(busy(place, times, 1.0).values())
    if slowest(one, times, high / place.machines / 100) > LIMIT_S:
        return 0.0  # already a single transaction takes longer
    while high - low > 0.02 * high:
        middle = (low + high) / 2
        if slowest(place, times, middle) <= LIMIT_S:
            low = middle
        else:
            high = middle
    return low


def slowest(place: Place, times: Times, rate: float) -> float:
    """Return p99 of a transaction at so many per second."""
    world = simpy.Environment()
    chance = random.Random(_SEED)
    machines = [simpy.Resource(world, CORES) for _ in range(place.machines)]
    servers = (
        [simpy.Resource(world, place.database_cores) for _ in range(place.shards)]
        if place.database_cores
        else machines
    )
    took: list[float] = []

    def part(resource: Any, mean: float) -> Generator[Any, Any, None]:
        with resource.request() as granted:
            yield granted
            yield world.timeout(chance.expovariate(1 / mean))

    def transaction() -> Generator[Any, Any, None]:
        begin = world.now
        yield from part(chance.choice(machines), times.ours)
        yield from part(chance.choice(servers), times.database)
        yield world.timeout(chance.expovariate(1 / times.waiting) if times.waiting else 0.0)
        took.append(world.now - begin)

    def arrivals() -> Generator[Any, Any, None]:
        for _ in range(_MANY):
            yield world.timeout(chance.expovariate(rate))
            world.process(transaction())

    world.process(arrivals())
    world.run()
    return quantiles(took[_MANY // 10 :], n=100)[98]
