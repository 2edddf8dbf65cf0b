"""A node of the release before works beside a new one on the same database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine import kernel
from engine.kernel import snapshot
from engine.model import InstanceState
from engine.runtime import Engine
from engine.settings import Settings
from engine.store import migrate
from tests.drawing import diagram, end, path, process, script, start, user

#: a node that reads and writes what the release before did: its newest format, its schema. What
#: later migrations have added, it does not know: it neither fills nor reads it
OLDER = f"""
import sys
from engine import kernel
from engine.kernel import snapshot
from engine.store import migrate

kernel.FORMAT = snapshot.FORMAT = {kernel.FORMAT - 1}
migrate.SCHEMA = {migrate.SCHEMA - 1}

from web.cli import main
main()
"""
PATIENCE_S = 60.0
LONG = "for i in 1..4000 return i"


def older(folder: Path, url: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the release before."""
    return subprocess.run(
        [sys.executable, "-P", "-c", OLDER, "--data", str(folder), *command],
        env={"CASEWAY_DATABASE_URL": url, "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip


def newer(folder: Path, url: str) -> Engine:
    engine = Engine(Settings(data_dir=folder, database_url=url))
    engine.migrate()
    return engine


def as_before_the_upgrade(engine: Engine) -> None:
    """Let a database say that the release before has made it."""
    with engine.database.db.connect() as connection:
        connection.execute(sa.text("DELETE FROM meta WHERE name = 'snapshot_format'"))
        connection.execute(
            sa.text("INSERT INTO meta (name, value) VALUES ('snapshot_format', :number)"),
            {"number": str(kernel.FORMAT - 1)},
        )
        connection.commit()


@pytest.mark.postgres
def test_an_older_node_ends_what_a_newer_one_began_until_the_upgrade_is_finished(
    tmp_path: Path, postgres_url: str
) -> None:
    # given: an upgrade under way, and a case with a large value begun by the new node
    first = newer(tmp_path, postgres_url)
    as_before_the_upgrade(first)
    drawing = diagram(process("p", start("s"), script("n", LONG, "long"), user("a"), end("e"),
                              path("s", "n", "a", "e")))  # fmt: skip
    node = newer(tmp_path, postgres_url)
    node.deploy({"p.bpmn": drawing}, by="ann")
    case, other = node.start("p", {}, by="ann"), node.start("p", {}, by="ann")

    # when: the older node completes its task
    (task,) = [row for row in node.tasks() if row.root_id == case.id]
    done = older(tmp_path, postgres_url, "complete", task.id, "--by", "li")

    # then
    assert done.returncode == 0, done.stderr
    assert node.case(case.id).state is InstanceState.COMPLETED

    # when: the upgrade is finished
    node.finish_upgrade()
    refused = older(tmp_path, postgres_url, "cases")

    # then: the older node does not start any more, and says why
    assert refused.returncode == 1
    assert f"reads up to format {kernel.FORMAT - 1}: upgrade it" in refused.stderr
    after = newer(tmp_path, postgres_url)
    (task,) = [row for row in after.tasks() if row.root_id == other.id]
    after.complete(task.id, {}, by="li")
    assert after.case(other.id).state is InstanceState.COMPLETED
    later = after.start("p", {}, by="ann")
    assert stored_format(after, later.id) == kernel.FORMAT
    for engine in (first, node, after):
        engine.close()


def stored_format(engine: Engine, case_id: str) -> int:
    with engine.database.db.connect() as connection:
        data = connection.scalar(
            sa.text("SELECT snapshot FROM instance WHERE id = :id"), {"id": case_id}
        )
    return int(snapshot.read(bytes(data))["f"])


def test_an_older_node_starts_on_a_schema_that_only_gained_something(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'caseway.db'}"
    engine = newer(tmp_path, url)
    as_before_the_upgrade(engine)

    told = older(tmp_path, url, "migrate")

    assert told.returncode == 0, told.stderr
    assert migrate.found(engine.database) == migrate.SCHEMA
    engine.close()
