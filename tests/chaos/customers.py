"""The people around the service, a process of their own: who starts, decides and writes letters.

`python -m tests.chaos.customers FOLDER`; ends when its standard input does. It reads orders.json of
the folder and notes every answer in the journal there.
"""

from __future__ import annotations

import json
import queue
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from tests.chaos.client import Client, GivenUp
from tests.chaos.drawing import CASE, LETTER
from tests.chaos.journal import Journal

ORDERS, JOURNAL = "orders.json", "journal.db"
#: each so many-th case is started by two callers at the same time
_TWICE_EACH = 4
_STARTERS = 3
_IDLE_S = 0.3


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What the customers of a run do."""

    url: str
    #: secrets of the operators' tokens by name; the first also starts and writes
    tokens: dict[str, str]
    cases: int
    #: the starts are spread over so many seconds
    seconds: float
    seed: int

    def write(self, folder: Path) -> None:
        """Leave the orders where the process looks for them."""
        (folder / ORDERS).write_text(json.dumps(asdict(self)), encoding="utf-8")


class Customers:
    """All threads of the process, and what they share."""

    def __init__(self, orders: Orders, journal: Journal) -> None:
        self._orders = orders
        self._journal = journal
        self._over = threading.Event()
        #: numbers of cases to start
        self._wanted: queue.SimpleQueue[int] = queue.SimpleQueue()
        #: numbers of started cases whose letter is to be sent
        self._letters: queue.SimpleQueue[int] = queue.SimpleQueue()

    def run(self) -> None:
        """Work until standard input ends."""
        jobs: list[Callable[[], None]] = [self._order]
        jobs += [self._start] * _STARTERS
        jobs += [self._write] * 3
        jobs += [partial(self._decide, name) for name in self._orders.tokens]
        threads = [threading.Thread(target=self._work, args=(job,), daemon=True) for job in jobs]
        for thread in threads:
            thread.start()
        sys.stdin.read()
        self._over.set()
        for thread in threads:
            thread.join(6)

    def _work(self, job: Callable[[], None]) -> None:
        try:
            job()
        except GivenUp:
            return

    def _client(self, name: str | None = None) -> Client:
        name = name or next(iter(self._orders.tokens))
        return Client(self._orders.url, self._orders.tokens[name], self._journal,
                      self._over.is_set)  # fmt: skip

    def _next(self, of: queue.SimpleQueue[int]) -> int:
        while not self._over.is_set():
            try:
                return of.get(timeout=_IDLE_S)
            except queue.Empty:
                continue
        raise GivenUp

    # -------------------------------------------------------------- what the threads do

    def _order(self) -> None:
        """Hand out the cases one after the other, some of them twice."""
        pause_s = self._orders.seconds / self._orders.cases
        for number in range(self._orders.cases):
            for _ in range(2 if number % _TWICE_EACH == 0 else 1):
                self._wanted.put(number)
            if self._over.wait(pause_s):
                return

    def _start(self) -> None:
        client, chance = self._client(), random.Random(self._orders.seed)
        while True:
            number = self._next(self._wanted)
            client.start(CASE, number, f"case-{number}")
            # twice, sometimes long before the case waits for it, by either thread
            self._letters.put(number)
            self._over.wait(chance.random() * 0.1)
            self._letters.put(number)

    def _write(self) -> None:
        client, chance = self._client(), random.Random(self._orders.seed + 1)
        while True:
            number = self._next(self._letters)
            self._over.wait(chance.random() * 0.06)
            letter = f"letter-{number}"
            body = {"name": LETTER, "key": str(number), "message_id": letter,
                    "payload": {"letter": letter}}  # fmt: skip
            status, told = client.ask("POST", "/api/messages", body)
            if status == 200:
                self._journal.sent(letter, told["outcome"])
            else:
                self._journal.refused(f"message {letter}", status, json.dumps(told))

    def _decide(self, name: str) -> None:
        """Complete every task that is open; the other operators want the same ones."""
        client = self._client(name)
        while not self._over.wait(_IDLE_S):
            _, told = client.ask("GET", "/api/tasks?limit=10")
            for task in told["items"]:
                path = f"/api/tasks/{task['id']}/complete"
                body = {"variables": {"decided_by": name}}
                status, answer = client.ask("POST", path, body)
                if status in (200, 409):
                    self._journal.completed(task["id"], name, status)
                else:
                    self._journal.refused(f"task {task['id']}", status, json.dumps(answer))


def main(folder: Path) -> None:
    """Play the customers of one run."""
    orders = Orders(**json.loads((folder / ORDERS).read_text(encoding="utf-8")))
    started = time.monotonic()
    Customers(orders, Journal(folder / JOURNAL)).run()
    print(f"customers: done after {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
