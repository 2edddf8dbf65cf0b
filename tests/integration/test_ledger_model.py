"""The ledger of work against a model: a dict that says what each row must be."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.clock import VirtualClock, new_id
from engine.model import InstanceState, Work
from engine.runtime import Engine
from engine.settings import Settings
from tests.integration import drawings

_RETRIES = 2
_LEASE_S = 10.0


@dataclass
class Row:
    """What the model knows about the one work row of a case."""

    free_at: datetime
    attempt: int = 0
    fence: int = 0
    dead: bool = False


class Ledger(RuleBasedStateMachine):
    """Workers that claim, settle, fail, die and come back late, in any order."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = VirtualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
        self.engine = Engine(
            Settings(data_dir=Path(self.folder.name), max_due_age_s=86400.0), clock=self.clock
        )
        self.engine.migrate()
        diagram = drawings.services(["pack"], retries=str(_RETRIES))
        self.engine.deploy({"a.bpmn": diagram}, by="ann")
        self.rows: dict[str, Row] = {}
        self.held: list[Work] = []
        self.settled: set[str] = set()
        self.cancelled: set[str] = set()
        for _ in range(3):
            self.start()

    def teardown(self) -> None:
        self.engine.close()
        self.folder.cleanup()

    # ---------------------------------------------------------- what workers do

    @precondition(lambda self: len(self.rows) < 3)
    @rule()
    def start(self) -> None:
        case = self.engine.start("p")
        self.rows[case.id] = Row(self.clock.now())
        # ids sort by the millisecond: the next case gets a later one, so runs can be repeated
        made_at = new_id()[:13]
        while new_id()[:13] == made_at:
            pass

    @rule(seconds=st.sampled_from([1, 11, 21]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: self._free())
    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int) -> None:
        now, free = self.clock.now(), self._free()

        got = self.engine.claim_work(owner="w", limit=limit, lease_s=_LEASE_S)

        assert len({item.id for item in got}) == len(got)
        for item in got:
            assert item.root_id in free
            row = self.rows[item.root_id]
            row.attempt, row.fence = row.attempt + 1, row.fence + 1
            row.free_at = now + timedelta(seconds=_LEASE_S)
            assert (item.attempt, item.fence) == (row.attempt, row.fence)
            assert item.attempt == 1 or len(got) == 1
        if not got:
            self._exhaust(free)
        self.held += got

    @rule()
    def claim_nothing(self) -> None:
        if not self._free():
            assert self.engine.claim_work(owner="w", limit=3, lease_s=_LEASE_S) == []

    def _exhaust(self, free: set[str]) -> None:
        """Nothing came although something was free: it was claimed too often and is dead now."""
        dead = {incident.root_id for incident in self.engine.incidents(limit=1000)}
        gone = [root for root in free if root in dead]
        assert len(gone) == 1
        row = self.rows[gone[0]]
        assert row.attempt == _RETRIES + 1
        row.dead, row.fence = True, row.fence + 1

    @precondition(lambda self: self.held)
    @rule(pick=st.randoms(use_true_random=False))
    def settle(self, pick: object) -> None:
        item = self._pick(pick)
        current = self._current(item)

        assert self.engine.settle(item, {"by": item.fence}) is current

        if current:
            del self.rows[item.root_id]
            self.settled.add(item.root_id)

    @precondition(lambda self: self.held)
    @rule(pick=st.randoms(use_true_random=False), wait_s=st.sampled_from([None, 0, 3]))
    def fail(self, pick: object, wait_s: int | None) -> None:
        item = self._pick(pick)
        current = self._current(item)
        retry_at = None if wait_s is None else self.clock.now() + timedelta(seconds=wait_s)

        assert self.engine.fail(item, "no", "", retry_at=retry_at) is current

        if current:
            row = self.rows[item.root_id]
            row.dead = retry_at is None
            row.free_at = retry_at or row.free_at

    @precondition(lambda self: self.held)
    @rule(pick=st.randoms(use_true_random=False))
    def extend(self, pick: object) -> None:
        item = self._pick(pick)
        current = self._current(item)

        assert self.engine.extend(item, 20) is current

        if current:
            self.rows[item.root_id].free_at = self.clock.now() + timedelta(seconds=20)

    @precondition(lambda self: self.rows)
    @rule(pick=st.randoms(use_true_random=False))
    def cancel(self, pick: object) -> None:
        root = pick.choice(list(self.rows))  # type: ignore[attr-defined]
        self.engine.cancel(root, by="ann")
        del self.rows[root]
        self.cancelled.add(root)

    @precondition(lambda self: any(row.dead for row in self.rows.values()))
    @rule()
    def retry(self) -> None:
        for incident in self.engine.retry_many(by="ann"):
            row = self.rows[incident.root_id]
            assert row.dead
            row.dead, row.attempt, row.free_at = False, 0, self.clock.now()

    def _free(self) -> set[str]:
        now = self.clock.now()
        return {root for root, row in self.rows.items() if not row.dead and row.free_at <= now}

    def _pick(self, pick: object) -> Work:
        item: Work = pick.choice(self.held)  # type: ignore[attr-defined]
        return item

    def _current(self, item: Work) -> bool:
        row = self.rows.get(item.root_id)
        return row is not None and not row.dead and row.fence == item.fence

    # ---------------------------------------------------------- what always holds

    @invariant()
    def each_dead_row_has_one_incident(self) -> None:
        dead = sorted(root for root, row in self.rows.items() if row.dead)
        open_ones = sorted(incident.root_id for incident in self.engine.incidents(limit=1000))
        assert open_ones == dead

    @invariant()
    def the_next_due_moment_is_known(self) -> None:
        alive = [row.free_at for row in self.rows.values() if not row.dead]
        assert self.engine.next_due() == (min(alive) if alive else None)

    @invariant()
    def every_case_is_where_the_model_says(self) -> None:
        for root in self.settled | self.cancelled | self.rows.keys():
            state = self.engine.case(root).state
            if root in self.settled:
                assert state is InstanceState.COMPLETED
            else:
                wanted = root in self.cancelled
                assert state is (InstanceState.CANCELLED if wanted else InstanceState.RUNNING)
            rows = self.engine.history(root)
            assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
            settled = [row.kind for row in rows].count("work.settled")
            assert settled == (1 if root in self.settled else 0)


TestLedger = Ledger.TestCase
TestLedger.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
