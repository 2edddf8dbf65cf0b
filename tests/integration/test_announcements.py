"""Announcements to other machines: in the transaction of the rows, deduplicated, cleaned."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from engine.dispatch.cluster import MAINTENANCE, ClusterDispatcher
from engine.errors import SettingsError
from engine.registry import Registry
from engine.runtime import Engine
from engine.settings import Settings
from engine.store import hints
from tests.drawing import (
    about,
    catch,
    diagram,
    end,
    extension,
    node,
    path,
    process,
    service,
    signal,
    start,
    timer,
)

pytestmark = pytest.mark.postgres
PATIENCE_S = 60.0
HANDLERS = """
from __future__ import annotations

from engine import handler


@handler("first")
def first() -> None:
    return None


@handler("second")
def second() -> None:
    return None
"""


class House:
    """Nodes of one installation on one PostgreSQL database, all in this process."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        handlers = folder / "own"
        handlers.mkdir()
        (handlers / "some.py").write_text(HANDLERS)
        self.settings = Settings(
            data_dir=folder, database_url=url, handlers_dir=handlers, dispatcher="cluster"
        )
        self.registry = Registry.load(self.settings)
        self.engines: list[Engine] = []
        self.started: list[ClusterDispatcher] = []
        self.web = self.node()
        self.web.join()
        parts = process("p", start("s"), service("a", "first"), service("b", "second"), end("e"),
                        path("s", "a", "b", "e"))  # fmt: skip
        self.web.deploy({"p.bpmn": diagram(parts)}, by="test")

    def node(self) -> Engine:
        made = Engine(self.settings, registry=self.registry)
        made.migrate()
        self.engines.append(made)
        return made

    def worker(self, **options: object) -> ClusterDispatcher:
        engine = self.node()
        made = ClusterDispatcher(engine, self.registry, **options)  # type: ignore[arg-type]
        engine.announce = made.announce
        return made

    def begin(self, worker: ClusterDispatcher) -> None:
        self.started.append(worker)
        worker.start()

    def waiting(self) -> list[tuple[str, str, str]]:
        """Return (queue without its hash, lock, status) of every announcement."""
        return [
            (queue.rpartition(".")[0], lock, status)
            for queue, lock, status in self.rows(
                "SELECT queue_name, queueing_lock, status::text FROM {}.procrastinate_jobs"
                " ORDER BY id"
            )
        ]

    def queues(self) -> list[str]:
        """Return the queues that are announced, by name."""
        return sorted(queue for queue, _, _ in self.waiting())

    def rows(self, text: str) -> list[tuple[Any, ...]]:
        url = make_url(self.url).set(drivername="postgresql")
        as_libpq = url.render_as_string(hide_password=False)
        options = f"-c search_path=public,{hints.schema()}"
        with psycopg.connect(as_libpq, autocommit=True, options=options) as db:
            cursor = db.execute(text.format(hints.schema()).encode())
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        for worker in self.started:
            worker.stop(2.0)
        for engine in self.engines:
            engine.close()


@pytest.fixture
def house(tmp_path: Path, postgres_url: str) -> Iterator[House]:
    """Return an installation with one web node and no worker yet."""
    made = House(tmp_path, postgres_url)
    yield made
    made.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def test_a_start_announces_its_work_in_its_own_transaction(house: House) -> None:
    house.web.start("p", {}, by="ann")

    (work_id,) = house.rows("SELECT id FROM work")[0]
    assert house.waiting() == [("service:first", work_id, "todo")]


def test_what_is_undone_was_never_announced(house: House) -> None:
    with house.web.transaction() as tx:
        tx.add_work(
            id="w", root_id="r", instance_id="r", element_id="a", kind="service", topic="first"
        )
        tx.flush()
        assert house.web.herald is not None
        house.web.herald(tx.connection, tx.fresh)
        tx.abandon()

    assert house.rows("SELECT id FROM work") == []
    assert house.waiting() == []


def test_rows_of_one_transaction_and_topic_are_announced_once(house: House) -> None:
    with house.web.transaction() as tx:
        for number in range(5):
            tx.add_work(
                id=f"w{number}", root_id="r", instance_id="r", element_id="a", kind="service",
                topic="first",
            )  # fmt: skip

    assert house.waiting() == [("service:first", "w0", "todo")]


def test_work_due_later_is_not_announced(house: House) -> None:
    with house.web.transaction() as tx:
        tx.add_work(
            id="w", root_id="r", instance_id="r", element_id="a", kind="timer",
            due_at=datetime(2999, 1, 1, tzinfo=UTC),
        )  # fmt: skip

    assert house.waiting() == []


def test_work_due_before_the_next_sweep_is_announced(house: House) -> None:
    with house.web.transaction() as tx:
        soon = tx.now + timedelta(seconds=house.settings.sweep_s)
        tx.add_work(
            id="w", root_id="r", instance_id="r", element_id="a", kind="timer", due_at=soon
        )  # fmt: skip

    assert house.waiting() == [("timer", "w", "todo")]


def test_a_timer_of_another_node_sets_the_alarm_to_its_moment(house: House) -> None:
    # given a worker that nothing wakes but announcements
    worker = house.worker()
    alarm = StillAlarm()
    worker._alarm = alarm  # type: ignore[assignment]
    house.begin(worker)
    until(lambda: bool(house.rows("SELECT id FROM {}.procrastinate_workers")))

    # when another node makes a timer that is due soon
    with house.web.transaction() as tx:
        soon = tx.now + timedelta(seconds=house.settings.sweep_s)
        tx.add_work(
            id="w", root_id="r", instance_id="r", element_id="a", kind="timer", due_at=soon
        )  # fmt: skip

    # then its alarm is set to just that moment, before it has come
    until(lambda: bool(alarm.asked))
    assert alarm.asked[0] == (soon, True)


class StillAlarm:
    """An alarm that never rings: it notes the moments it is set to, and whether they are ahead."""

    def __init__(self) -> None:
        self.asked: list[tuple[datetime, bool]] = []

    def start(self) -> None:
        """Begin to do nothing."""

    def stop(self) -> None:
        """Go on so."""

    def pull_forward(self, due_at: datetime) -> None:
        self.asked.append((due_at, datetime.now(UTC) < due_at))


def lane_of(house: House) -> list[str]:
    """Start two cases whose first work is in one lane; return their ids."""
    lane = '<zeebe:properties><zeebe:property name="lane" value="=who"/></zeebe:properties>'
    first = node("serviceTask", "a", extension('<zeebe:taskDefinition type="first"/>', lane))
    laned = process("l", start("s"), first, end("e"), path("s", "a", "e"))
    house.web.deploy({"l.bpmn": diagram(laned)}, by="test")
    ids = [house.web.start("l", {"who": "ann"}, by="ann").id for _ in range(2)]
    house.rows("DELETE FROM {}.procrastinate_jobs")
    return ids


def test_the_next_row_of_a_lane_is_announced_by_who_frees_the_lane(house: House) -> None:
    first, second = lane_of(house)

    house.web.cancel(first, by="ann")

    assert house.rows("SELECT root_id, state FROM work") == [(second, "ready")]
    assert house.queues() == ["service:first"]


def test_work_that_is_handed_back_is_announced(house: House) -> None:
    house.web.start("p", {}, by="ann")
    house.rows("DELETE FROM {}.procrastinate_jobs")
    (claimed,) = house.web.claim_work(owner="a", limit=1, lease_s=30)

    house.web.release([claimed])

    assert house.queues() == ["service:first"]


def test_an_incident_that_is_tried_again_is_announced(house: House) -> None:
    house.web.start("p", {}, by="ann")
    (claimed,) = house.web.claim_work(owner="a", limit=1, lease_s=30)
    house.web.fail(claimed, "no", "", retry_at=None)
    house.rows("DELETE FROM {}.procrastinate_jobs")

    house.web.retry_many(by="ann")

    assert house.queues() == ["service:first"]


def test_the_deliveries_of_a_signal_are_announced(house: House) -> None:
    drawn = diagram(
        signal("sig", "fire"),
        process("q", start("s"), catch("c", about("signal", "sig")), end("e"), path("s", "c", "e")),
    )
    house.web.deploy({"q.bpmn": drawn}, by="test")
    house.web.start("q", {}, by="ann")

    house.web.signal("fire")

    assert house.queues() == ["deliver", "start"]


def test_a_worker_that_stops_leaves_the_next_attempt_to_others(house: House) -> None:
    # given a worker that would do the next attempt itself
    worker = house.worker(topics=["first"], listen=False)
    house.web.start("p", {}, by="ann")
    house.rows("DELETE FROM {}.procrastinate_jobs")
    (claimed,) = worker._cluster.claim_work(owner="a", limit=1, lease_s=30)
    again = datetime.now(UTC)
    assert worker._cluster.fail(claimed, "no", "", retry_at=again)
    assert house.waiting() == []

    # when it fails while the worker stops, as after a handler that hangs
    (claimed,) = worker._cluster.claim_work(owner="a", limit=1, lease_s=30)
    worker._stopping.set()
    assert worker._cluster.fail(claimed, "no", "", retry_at=again)

    assert house.queues() == ["service:first"]


def test_a_worker_keeps_to_itself_what_it_can_do_itself(house: House) -> None:
    worker = house.worker(topics=["first"], listen=False)
    house.web.start("p", {}, by="ann")
    house.rows("DELETE FROM {}.procrastinate_jobs")

    house.begin(worker)
    until(lambda: bool(house.waiting()))

    assert [queue for queue, _, _ in house.waiting()] == ["service:second"]


def test_a_worker_for_timers_leaves_handlers_to_others(house: House) -> None:
    wait = catch("w", timer("Duration", '=duration("PT1S")'))
    parts = process("q", start("s"), wait, service("a", "first"), end("e"),
                    path("s", "w", "a", "e"))  # fmt: skip
    house.web.deploy({"q.bpmn": diagram(parts)}, by="test")
    house.begin(house.worker(kinds=["timer", "continue", "deliver", "start"], listen=False))

    house.web.start("q", {}, by="ann")
    until(lambda: "service:first" in house.queues())

    assert house.rows("SELECT kind, attempt FROM work") == [("service", 0)]


def test_a_full_worker_takes_no_announcements_from_others(house: House) -> None:
    worker = house.worker(listen=False)
    for _ in range(3):
        house.web.start("p", {}, by="ann")
    rooms = iter([0, 0, 2])
    worker._crew.room = lambda: next(rooms)  # type: ignore[method-assign]

    asyncio.run(worker._heed())

    # it waited for room, then took back one more beside the one it had
    assert next(rooms, None) is None
    assert len(house.waiting()) == 2


def test_an_announcement_wakes_the_worker_that_serves_it(house: House) -> None:
    first, second = house.worker(topics=["first"]), house.worker(topics=["second"])
    house.begin(first)
    house.begin(second)

    case = house.web.start("p", {}, by="ann")
    until(lambda: house.web.case(case.id).state.value == "completed")

    until(lambda: not house.waiting())


def test_one_look_answers_the_announcements_it_has_room_for(house: House) -> None:
    for _ in range(20):
        house.web.start("p", {}, by="ann")
    queue = hints.queue("default", "service", "first")

    assert house.web.swallow_hints([queue], 15) == 15
    assert house.web.swallow_hints([hints.queue("default", "service", "second")], 15) == 0
    assert len(house.waiting()) == 5


def test_due_work_that_nobody_takes_is_announced_again_with_growing_gaps(house: House) -> None:
    worker = house.worker(topics=["second"], listen=False)
    now = [0.0]
    worker._timer = lambda: now[0]
    house.web.start("p", {}, by="ann")
    house.rows("DELETE FROM {}.procrastinate_jobs")

    announced = []
    for second in range(64):
        now[0] = float(second)
        if worker.announce_again():
            announced.append(second)
            house.rows("DELETE FROM {}.procrastinate_jobs")

    assert announced == [2, 6, 14, 30, 62]


def test_a_second_announcement_is_not_doubled(house: House) -> None:
    queue = hints.queue("default", "service", "first")

    assert house.web.hint_again([queue]) == 1
    assert house.web.hint_again([queue]) == 0
    assert len(house.waiting()) == 1


def test_announcements_of_a_dead_worker_and_stale_ones_are_cleaned(house: House) -> None:
    for _ in range(3):
        house.web.start("p", {}, by="ann")
    held, stale, _ = (lock for _, lock, _ in house.waiting())
    house.rows(
        "INSERT INTO {0}.procrastinate_workers (id, last_heartbeat)"
        " OVERRIDING SYSTEM VALUE VALUES (77, now() - interval '1 minute')"
    )
    house.rows(
        "UPDATE {0}.procrastinate_jobs SET status = 'doing', worker_id = 77"
        f" WHERE queueing_lock = '{held}'"
    )
    house.rows(
        "UPDATE {0}.procrastinate_events SET at = now() - interval '2 minutes' WHERE job_id ="
        f" (SELECT id FROM {{0}}.procrastinate_jobs WHERE queueing_lock = '{stale}')"
    )

    assert house.web.clean_hints() == 2
    assert len(house.waiting()) == 1
    assert house.rows("SELECT id FROM {}.procrastinate_workers") == []


def test_work_goes_on_without_the_tables_of_announcements(house: House) -> None:
    # given a worker and a web process, under which somebody drops the tables
    house.begin(house.worker())
    house.rows("DROP SCHEMA {} CASCADE")

    # when a case is started, then nothing of it is refused, and the sweep finds its work
    case = house.web.start("p", {}, by="ann")
    until(lambda: house.web.case(case.id).state.value == "completed")

    # and each further verb does not try in vain before it is done
    sent: list[str] = []
    house.web.database.trace = sent.append
    house.web.start("p", {}, by="ann")
    assert sent.count("COMMIT") == 1
    assert sent.count("ROLLBACK") == 0


def test_one_node_has_the_duty_and_another_takes_it_over(house: House) -> None:
    other = house.node()

    assert house.web.take_duty(MAINTENANCE, owner="a", lease_s=30)
    assert not other.take_duty(MAINTENANCE, owner="b", lease_s=30)
    assert house.web.take_duty(MAINTENANCE, owner="a", lease_s=0)  # dies, its lease is over
    assert other.take_duty(MAINTENANCE, owner="b", lease_s=30)
    assert not house.web.take_duty(MAINTENANCE, owner="a", lease_s=30)
    other.leave_duties("b")
    assert house.web.take_duty(MAINTENANCE, owner="a", lease_s=30)


def test_a_queue_is_readable_and_never_too_long_for_a_channel() -> None:
    long, other = (hints.queue("t", "service", topic * 40) for topic in ("数据", "数x"))

    assert hints.queue("t", "service", "erp.book").startswith("service:erp.book.")
    assert len(f"procrastinate_queue_v1#{long}".encode()) <= 63
    assert long != other
    assert hints.queue("t", "timer", "") != hints.queue("u", "timer", "")


def test_a_cluster_needs_postgresql(tmp_path: Path) -> None:
    engine = Engine(Settings(data_dir=tmp_path, dispatcher="cluster"))

    with pytest.raises(SettingsError, match="needs PostgreSQL"):
        engine.migrate()
    engine.close()
