"""The command line itself: quick to start, and every verb takes --json."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from web.cli import cli, run

HEAVY = {"SpiffWorkflow", "sqlalchemy", "lxml", "flask", "alembic", "apscheduler"}


@pytest.mark.parametrize("arguments", [["--help"], ["start", "--help"], ["tokens", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    # the last line alone: the help itself names one of them in a sentence
    code = f"import sys; from web.cli import run; run({arguments}); print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )

    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert "web" in loaded
    assert loaded & HEAVY == set()


def verbs(group: click.Group) -> list[click.Command]:
    context = click.Context(group)
    found = [group.get_command(context, name) for name in group.list_commands(context)]
    inside = [verbs(verb) if isinstance(verb, click.Group) else [verb] for verb in found if verb]
    return [verb for part in inside for verb in part]


@pytest.mark.parametrize("verb", verbs(cli), ids=lambda verb: verb.name)
def test_every_verb_takes_json_and_explains_itself(verb: click.Command) -> None:
    assert "--json" in {option for parameter in verb.params for option in parameter.opts}
    assert verb.help
    assert all(parameter.help for parameter in verb.params if isinstance(parameter, click.Option))


def test_a_broken_pipe_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", sys.stdout)  # restored afterwards: `run` gives it up
    monkeypatch.setattr(cli, "main", closed)

    assert run(["cases"]) == 0
