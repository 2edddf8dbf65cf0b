"""An engine on a real database with a clock that only the test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.model import Work
from engine.runtime import Engine
from engine.settings import Settings

MakeEngine = Callable[..., Engine]


class Traced:
    """The statements that went out, COMMIT and ROLLBACK included."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    @property
    def statements(self) -> list[str]:
        """What was sent apart from the ends of transactions."""
        return [text for text in self.sent if text not in ("COMMIT", "ROLLBACK")]

    @property
    def commits(self) -> int:
        """How many transactions were committed."""
        return self.sent.count("COMMIT")


@pytest.fixture
def clock() -> VirtualClock:
    """Return a clock that stands at nine on a Monday."""
    return VirtualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
def make_engine(
    database_url: str, clock: VirtualClock, tmp_path: Path
) -> Iterator[MakeEngine]:  # fmt: skip
    """Return a way to open engines on the one database of the test, as several nodes would."""
    opened: list[Engine] = []

    def make(registry: Any = None, announce: Any = None, **settings: Any) -> Engine:
        made = Engine(
            Settings(data_dir=tmp_path, database_url=database_url, **settings),
            clock=clock,
            registry=registry,
            announce=announce,
        )
        opened.append(made)
        made.migrate()
        return made

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def engine(make_engine: MakeEngine) -> Engine:
    """Return an engine on an empty database."""
    return make_engine()


@pytest.fixture
def traced() -> Callable[[Engine], Traced]:
    """Return a way to listen to the statements of an engine."""

    def listen(engine: Engine) -> Traced:
        found = Traced()
        engine.database.trace = found.sent.append
        return found

    return listen


def claim(engine: Engine, limit: int = 1, **options: Any) -> list[Work]:
    """Claim due work as worker `w`."""
    return engine.claim_work(owner="w", limit=limit, lease_s=30, **options)


def run_internal(engine: Engine) -> int:
    """Do the engine's own due work until there is none; return how much there was."""
    count = 0
    while works := engine.claim_work(
        owner="w", limit=1, lease_s=30, kinds=("timer", "continue", "deliver", "start")
    ):
        engine.run(works[0])
        count += 1
    return count


def kinds(engine: Engine, instance_id: str) -> list[str]:
    """Return the kinds of the history of a case, after checking that no number is missing."""
    rows = engine.history(instance_id)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    return [row.kind for row in rows]
