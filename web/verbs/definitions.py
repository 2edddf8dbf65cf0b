"""check, deploy, activate, definitions: bundles of diagrams and the versions they became."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.bundles import read_bundle
from web.output import problem_line
from web.session import Session, by_option, common

if TYPE_CHECKING:
    from engine.model import Deployment, Problem

COLUMNS = ("process_id", "version", "active", "name", "created_at", "deployment_id")
PATHS = click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)


@click.command()
@PATHS
@common
def check(session: Session, paths: tuple[Path, ...]) -> int:
    """List every problem of diagrams without deploying them.

    PATHS are files, folders (searched for *.bpmn, *.dmn, *.form) or zip archives; together they
    are one bundle. The status is 1 if a problem would stop the deployment.
    """
    bundle = read_bundle(paths, limit=session.settings.upload_limit)
    problems = session.engine.check(bundle)
    show_problems(session, problems)
    stopping = sum(problem.stops for problem in problems)
    session.out.say(f"{len(bundle)} file(s), {len(problems)} problem(s), {stopping} of them stop")
    return 1 if stopping else 0


def show_problems(session: Session, problems: list[Problem]) -> None:
    """Print problems as the result of a verb: JSON objects, or one line each."""
    if session.out.as_json:
        session.out.listing(problems, ())
        return
    for problem in problems:
        click.echo(problem_line(problem))


@click.command()
@PATHS
@click.option("--no-activate", is_flag=True, help="Store the version, start nothing with it yet.")
@click.option("--comment", default="", help="What changed, for the list of deployments.")
@by_option
@common
def deploy(
    session: Session, paths: tuple[Path, ...], no_activate: bool, comment: str, by: str
) -> None:
    """Check diagrams as one bundle and store it; all of it or, with any error, nothing."""
    bundle = read_bundle(paths, limit=session.settings.upload_limit)
    deployment = session.engine.deploy(bundle, by=by, activate=not no_activate, comment=comment)
    for problem in deployment.problems:
        session.out.say(problem_line(problem))
    session.out.one(deployment, _told(deployment))


def _told(deployment: Deployment) -> str:
    if not deployment.created:
        return f"unchanged: the same bundle is deployed already ({deployment.id})"
    names = ", ".join(f"{d.process_id} version {d.version}" for d in deployment.definitions)
    return f"deployed {names} ({deployment.id})"


@click.command()
@click.argument("process")
@click.argument("version", type=int)
@click.option("--why", default="", help="The reason, kept in the record.")
@by_option
@common
def activate(session: Session, process: str, version: int, why: str, by: str) -> None:
    """Let new cases of PROCESS use VERSION.

    Also the way back to an older version; running cases stay with theirs.
    """
    definition = session.engine.activate(process, version, by=by, why=why)
    session.out.one(definition, f"{process} version {version} is active")


@click.command()
@common
def definitions(session: Session) -> None:
    """List all processes and versions, and which one is active."""
    session.out.listing(session.engine.definitions(), COLUMNS)


VERBS = (check, deploy, activate, definitions)
