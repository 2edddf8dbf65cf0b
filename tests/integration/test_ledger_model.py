"""The ledger of work against a model: a dict that says what each row must be.

Two tenants on one database, two topics of different priority, rows with and without lanes.
"""

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

#: topics, and how urgent their work is
_TOPICS = {"pack": 0, "ship": 5}
#: tenants on the one database
_TENANTS = ("one", "other")
#: what is drawn: most work is of one tenant and in no lane, so that it meets
_TENANT_OF = st.sampled_from(["one", "one", "one", "other"])
_LANE_OF = st.sampled_from([None, None, "ann"])
_RETRIES = 2
_LEASE_S = 10.0


@dataclass
class Row:
    """What the model knows about the one work row of a case."""

    free_at: datetime
    topic: str
    tenant: str
    lane: str | None
    #: which of its lane's rows it is
    place: int
    attempt: int = 0
    fence: int = 0
    dead: bool = False


def _diagram(topic: str, priority: int) -> bytes:
    said = (
        f'<zeebe:taskDefinition type="{topic}" retries="{_RETRIES}"/><zeebe:properties>'
        '<zeebe:property name="lane" value="=customer"/>'
        f'<zeebe:property name="priority" value="{priority}"/></zeebe:properties>'
    )
    body = (
        drawings.start() + drawings.extended("serviceTask", topic, said) + drawings.END
        + drawings.line("begin", topic, "end")
    )  # fmt: skip
    return drawings.drawn(body, process_id=f"p_{topic}")


class Ledger(RuleBasedStateMachine):
    """Workers that claim, settle, fail, die and come back late, in any order."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = VirtualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
        self.engines = {
            tenant: Engine(
                Settings(data_dir=Path(self.folder.name), max_due_age_s=86400.0, tenant=tenant),
                clock=self.clock,
            )
            for tenant in _TENANTS
        }
        self.engines["one"].migrate()
        for engine in self.engines.values():
            for topic, priority in _TOPICS.items():
                engine.deploy({f"{topic}.bpmn": _diagram(topic, priority)}, by="ann")
        self.rows: dict[str, Row] = {}
        self.places = 0
        self.held: list[Work] = []
        self.settled: set[str] = set()
        self.cancelled: set[str] = set()
        self.tenants: dict[str, str] = {}
        for lane in (None, "ann"):
            for topic in _TOPICS:
                self.start("one", topic, lane)

    def teardown(self) -> None:
        for engine in self.engines.values():
            engine.close()
        self.folder.cleanup()

    # ---------------------------------------------------------- what workers do

    @precondition(lambda self: len(self.rows) < 6)
    @rule(
        tenant=_TENANT_OF,
        topic=st.sampled_from(list(_TOPICS)),
        lane=_LANE_OF,
    )
    def start(self, tenant: str, topic: str, lane: str | None) -> None:
        case = self.engines[tenant].start(f"p_{topic}", {"customer": lane})
        self.places += 1
        self.tenants[case.id] = tenant
        self.rows[case.id] = Row(self.clock.now(), topic, tenant, lane, self.places)
        # ids sort by the millisecond: the next case gets a later one, so runs can be repeated
        made_at = new_id()[:13]
        while new_id()[:13] == made_at:
            pass

    @rule(seconds=st.sampled_from([1, 11, 21]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: self._free())
    @rule(limit=st.integers(1, 4), topic=st.sampled_from([None, None, *_TOPICS]), pick=st.randoms())
    def claim(self, limit: int, topic: str | None, pick: object) -> None:
        tenant = pick.choice(sorted({self.rows[root].tenant for root in self._free()}))  # type: ignore[attr-defined]
        now = self.clock.now()
        free = {
            root
            for root in self._free()
            if self.rows[root].tenant == tenant and topic in (None, self.rows[root].topic)
        }

        got = self.engines[tenant].claim_work(
            owner="w", limit=limit, lease_s=_LEASE_S, topics=None if topic is None else [topic]
        )

        assert len({item.id for item in got}) == len(got) <= limit
        self._fair(got, free, limit)
        for item in got:
            assert item.root_id in free
            row = self.rows[item.root_id]
            row.attempt, row.fence = row.attempt + 1, row.fence + 1
            row.free_at = now + timedelta(seconds=_LEASE_S)
            assert (item.attempt, item.fence) == (row.attempt, row.fence)
            assert (item.topic, item.lane) == (row.topic, row.lane)
            assert item.attempt == 1 or len(got) == 1
        if not got and free:
            self._exhaust(free)
        self.held += got

    def _fair(self, got: list[Work], free: set[str], limit: int) -> None:
        """Look whether room for all topics was used by all that have fresh rows."""
        fresh = {root for root in free if not self.rows[root].attempt}
        if len(fresh) == len(free) and limit >= 2:
            assert {item.topic for item in got} == {self.rows[root].topic for root in fresh}

    @rule()
    def claim_nothing(self) -> None:
        free = {self.rows[root].tenant for root in self._free()}
        for tenant in set(_TENANTS) - free:
            engine = self.engines[tenant]
            assert engine.claim_work(owner="w", limit=3, lease_s=_LEASE_S) == []

    def _exhaust(self, free: set[str]) -> None:
        """Nothing came although something was free: it was claimed too often and is dead now."""
        dead = self._incidents()
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

        assert self._of(item.root_id).settle(item, {"by": item.fence}) is current

        if current:
            self._leave(item.root_id)
            self.settled.add(item.root_id)

    @precondition(lambda self: self.held)
    @rule(pick=st.randoms(use_true_random=False), count=st.integers(2, 16))
    def settle_many(self, pick: object, count: int) -> None:
        first = self._pick(pick)
        tenant = self.tenants[first.root_id]
        items = [item for item in self.held if self.tenants[item.root_id] == tenant]
        items = list({item.root_id: item for item in items}.values())[:count]
        current = [self._current(item) for item in items]

        taken = self.engines[tenant].settle_many([(item, {}) for item in items])

        assert taken == current
        for item, was_current in zip(items, current, strict=True):
            if was_current:
                self._leave(item.root_id)
                self.settled.add(item.root_id)

    @precondition(lambda self: self.held)
    @rule(pick=st.randoms(use_true_random=False), wait_s=st.sampled_from([None, 0, 3]))
    def fail(self, pick: object, wait_s: int | None) -> None:
        item = self._pick(pick)
        current = self._current(item)
        retry_at = None if wait_s is None else self.clock.now() + timedelta(seconds=wait_s)

        failed = self._of(item.root_id).fail(item, "no", "", retry_at=retry_at)

        assert failed is current

        if current:
            row = self.rows[item.root_id]
            row.dead = retry_at is None
            row.free_at = retry_at or row.free_at

    @precondition(lambda self: self.held)
    @rule(pick=st.randoms(use_true_random=False))
    def extend(self, pick: object) -> None:
        item = self._pick(pick)
        current = self._current(item)

        assert self._of(item.root_id).extend(item, 20) is current

        if current:
            self.rows[item.root_id].free_at = self.clock.now() + timedelta(seconds=20)

    @precondition(lambda self: self.rows)
    @rule(pick=st.randoms(use_true_random=False))
    def cancel(self, pick: object) -> None:
        root = pick.choice(list(self.rows))  # type: ignore[attr-defined]
        self._of(root).cancel(root, by="ann")
        self._leave(root)
        self.cancelled.add(root)

    @precondition(lambda self: any(row.dead for row in self.rows.values()))
    @rule()
    def retry(self) -> None:
        for engine in self.engines.values():
            for incident in engine.retry_many(by="ann"):
                row = self.rows[incident.root_id]
                assert row.dead
                row.dead, row.attempt, row.free_at = False, 0, self.clock.now()

    @precondition(lambda self: any(row.dead and row.lane for row in self.rows.values()))
    @rule()
    def step_aside(self) -> None:
        for tenant, engine in self.engines.items():
            for incident in engine.incidents(limit=1000):
                row = self.rows[incident.root_id]
                if row.lane is not None:
                    engine.step_aside(incident.id, by="ann")
                    self._pass_on(row.lane, tenant, row)
                    row.lane = None

    def _free(self) -> set[str]:
        now = self.clock.now()
        return {
            root
            for root, row in self.rows.items()
            if not row.dead and row.free_at <= now and self._is_first(row)
        }

    def _is_first(self, row: Row) -> bool:
        """Tell whether nothing is in front of a row in its lane."""
        return row.lane is None or row is self._first(row.lane, row.tenant)

    def _first(self, lane: str, tenant: str) -> Row | None:
        rows = [row for row in self.rows.values() if (row.lane, row.tenant) == (lane, tenant)]
        return min(rows, key=lambda row: row.place, default=None)

    def _leave(self, root: str) -> None:
        """Forget a row; who stood behind it in its lane has its turn."""
        row = self.rows[root]
        if row.lane is not None:
            self._pass_on(row.lane, row.tenant, row)
        del self.rows[root]

    def _pass_on(self, lane: str, tenant: str, gone: Row) -> None:
        behind = [
            row
            for row in self.rows.values()
            if (row.lane, row.tenant) == (lane, tenant) and row is not gone
        ]
        was_first = self._first(lane, tenant) is gone
        if was_first and behind:
            # it may be claimed from now on
            min(behind, key=lambda row: row.place).free_at = self.clock.now()

    def _of(self, root: str) -> Engine:
        return self.engines[self.tenants[root]]

    def _incidents(self) -> set[str]:
        return {
            incident.root_id
            for engine in self.engines.values()
            for incident in engine.incidents(limit=1000)
        }

    def _pick(self, pick: object) -> Work:
        item: Work = pick.choice(self.held)  # type: ignore[attr-defined]
        return item

    def _current(self, item: Work) -> bool:
        row = self.rows.get(item.root_id)
        return row is not None and not row.dead and row.fence == item.fence

    # ---------------------------------------------------------- what always holds

    @invariant()
    def each_dead_row_has_one_incident(self) -> None:
        assert self._incidents() == {root for root, row in self.rows.items() if row.dead}
        shown = {
            (tenant, lane.lane, lane.waiting)
            for tenant, engine in self.engines.items()
            for lane in engine.blocked_lanes()
        }
        assert shown == {
            (row.tenant, row.lane, sum(self._behind(row, other) for other in self.rows.values()))
            for row in self.rows.values()
            if row.dead and row.lane is not None
        }

    def _behind(self, row: Row, other: Row) -> bool:
        same = (row.lane, row.tenant) == (other.lane, other.tenant)
        return same and other.place > row.place

    @invariant()
    def the_next_due_moment_is_known(self) -> None:
        for tenant, engine in self.engines.items():
            alive = [
                row.free_at
                for row in self.rows.values()
                if row.tenant == tenant and not row.dead and self._is_first(row)
            ]
            assert engine.next_due() == (min(alive) if alive else None)

    @invariant()
    def one_row_of_a_lane_runs_at_most(self) -> None:
        running = [
            (row.tenant, row.lane)
            for row in self.rows.values()
            if row.lane is not None and row.attempt and not row.dead and not self._is_first(row)
        ]
        assert running == []

    @invariant()
    def every_case_is_where_the_model_says(self) -> None:
        for root in self.settled | self.cancelled | self.rows.keys():
            engine = self._of(root)
            state = engine.case(root).state
            if root in self.settled:
                assert state is InstanceState.COMPLETED
            else:
                wanted = root in self.cancelled
                assert state is (InstanceState.CANCELLED if wanted else InstanceState.RUNNING)
            rows = engine.history(root)
            assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
            settled = [row.kind for row in rows].count("work.settled")
            assert settled == (1 if root in self.settled else 0)


TestLedger = Ledger.TestCase
TestLedger.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
