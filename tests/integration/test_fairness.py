"""Nobody waits for another's backlog: topics, tenants and priorities side by side, and limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from engine.clock import SystemClock, VirtualClock
from engine.errors import ClockOff
from engine.registry import Registry, handler
from engine.runtime import Engine
from engine.settings import Settings
from engine.store import work
from tests.integration import drawings
from tests.integration.conftest import MakeEngine, Traced, claim

Listen = Callable[[Engine], Traced]


@pytest.fixture
def engine(make_engine: MakeEngine) -> Engine:
    """Return an engine that begins cases whatever its backlog."""
    return make_engine(max_due_age_s=86400.0)


def _deployed(engine: Engine, *topics: str) -> None:
    for topic in topics:
        body = (
            drawings.start() + drawings.service(topic) + drawings.END
            + drawings.line("begin", topic, "end")
        )  # fmt: skip
        engine.deploy({f"{topic}.bpmn": drawings.drawn(body, process_id=f"p_{topic}")}, by="ann")


def _backlog(engine: Engine, topic: str, rows: int, priority: int = 0) -> None:
    """Add rows that have been due for an hour, of cases that nobody asks for."""
    now = engine.clock.now()
    with engine.database.writing() as connection:
        given = [
            work.row(
                connection, id=f"{topic}-{priority}-{n:06d}", root_id=f"r{n}", instance_id=f"r{n}",
                element_id="e", kind="service", topic=topic, priority=priority,
                due_at=now - timedelta(hours=1),
            )
            for n in range(rows)
        ]  # fmt: skip
        work.insert(connection, given)
        connection.commit()


def test_a_topic_does_not_wait_for_the_backlog_of_another(engine: Engine, traced: Listen) -> None:
    # given a topic with a backlog, and one case of another that has only just begun
    _deployed(engine, "small")
    _backlog(engine, "huge", 3000)
    small = engine.start("p_small").id
    sent = traced(engine)

    # when a batch is claimed
    got = claim(engine, 8)

    # then the one is in it, for the statements of any claim
    assert Counter(item.topic for item in got) == {"huge": 7, "small": 1}
    assert small in {item.root_id for item in got}
    assert len(sent.statements) == 3
    # and if workers claim one by one, it waits for one turn at most
    second = engine.start("p_small").id
    assert second in {item.root_id for _ in range(2) for item in claim(engine, 1)}


def test_a_smaller_priority_gets_its_share(engine: Engine) -> None:
    _backlog(engine, "a", 100, priority=9)
    _backlog(engine, "a", 100, priority=0)

    got = Counter(item.priority for _ in range(24) for item in claim(engine, 1))

    assert got == {9: 18, 0: 6}


def test_a_tenant_does_not_see_the_backlog_of_another(
    make_engine: MakeEngine, traced: Listen
) -> None:
    # given two tenants on one database, one of them with a backlog
    one, other = make_engine(tenant="one"), make_engine(tenant="other")
    _backlog(one, "huge", 3000)
    _deployed(other, "small")
    case = other.start("p_small")
    sent = traced(other)

    got = claim(other, 8)

    assert [item.root_id for item in got] == [case.id]
    assert len(sent.statements) == 3
    assert other.settle(got[0], {})
    assert other.next_due() is None
    assert len(claim(one, 8)) == 8


def test_work_of_other_topics_is_not_even_looked_at(engine: Engine) -> None:
    _backlog(engine, "huge", 500)
    _backlog(engine, "small", 1)

    assert [item.topic for item in claim(engine, 8, topics=["small"])] == ["small"]
    assert claim(engine, 8, kinds=["timer"]) == []


def test_a_row_that_comes_alone_is_not_left_behind(engine: Engine, clock: VirtualClock) -> None:
    # given a row whose worker died, among a backlog
    _backlog(engine, "b", 1)
    (lost,) = claim(engine, 1)
    _backlog(engine, "a", 50)
    clock.advance(31)

    # when workers go on claiming
    claims = [claim(engine, 8) for _ in range(3)]

    # then it comes soon, and alone
    assert [lost.id] in [[item.id for item in got] for got in claims]


def _limited(**limits: int) -> Registry:
    @handler("book", **limits)  # type: ignore[arg-type]
    def book() -> None:
        """Book."""

    return Registry.of(book)


def test_a_limit_everywhere_holds_for_all_nodes(
    make_engine: MakeEngine, clock: VirtualClock
) -> None:
    registry = _limited(at_once_everywhere=3)
    nodes = [make_engine(registry=registry), make_engine(registry=registry)]
    _backlog(nodes[0], "book", 10)
    _backlog(nodes[0], "free", 10)

    # when both claim as much as they can
    first, second = claim(nodes[0], 4), claim(nodes[1], 16)

    # then three of the limited ones are on their way
    both = Counter(item.topic for item in [*first, *second])
    assert both["book"] == 3
    assert both["free"] > 3
    hinted = nodes[1].claim_one("book-0-000009", owner="w", lease_s=30)
    assert hinted is None
    # and one that comes back makes room for one more
    done = next(item for item in first if item.topic == "book")
    nodes[0].release([done])
    assert len(claim(nodes[1], 16, topics=["book"])) == 1
    # and so do leases that have run out
    clock.advance(31)
    assert len(claim(nodes[1], 16, topics=["book"])) == 3


def test_room_says_how_many_of_a_topic_may_come(engine: Engine) -> None:
    _backlog(engine, "a", 10)
    _backlog(engine, "b", 10)

    got = claim(engine, 8, room={"a": 2})

    assert Counter(item.topic for item in got) == {"a": 2, "b": 6}
    assert claim(engine, 8, room={"a": 0, "b": 0}) == []


class _Off(SystemClock):
    """The clock of a machine without NTP."""

    off_s = 0.0

    def now(self):  # type: ignore[no-untyped-def]
        return super().now() + timedelta(seconds=self.off_s)


@pytest.mark.parametrize(("off_s", "word"), [(60.0, "ahead of"), (-60.0, "behind")])
def test_a_node_whose_clock_is_off_claims_nothing(
    make_engine: MakeEngine, database_url: str, off_s: float, word: str
) -> None:
    _backlog(make_engine(), "a", 3)
    clock = _Off()
    node = Engine(Settings(database_url=database_url), clock=clock)
    clock.off_s = off_s
    if database_url.startswith("sqlite"):
        # one machine, one clock
        assert node.database.dialect.name == "sqlite"
        node.close()
        return

    with pytest.raises(ClockOff, match=f"60.0 s {word} the database's, 5 s are allowed"):
        claim(node)

    # it goes on as soon as the clock is set
    clock.off_s = 0.0
    assert len(claim(node)) == 1
    node.close()
