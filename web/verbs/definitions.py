"""check, deploy, activate, definitions: bundles of diagrams and the versions they became."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.errors import DeploymentRefused
from engine.sentences import ENGLISH, LANGUAGES, refusal, tally
from web.bundles import places, read_bundle
from web.output import problem_line, to_json_text
from web.render import plain
from web.session import Session, by_option, common

if TYPE_CHECKING:
    from engine.model import Deployment, Problem

COLUMNS = ("process_id", "version", "active", "name", "created_at", "deployment_id")
PATHS = click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)


LANGUAGE = click.option(
    "--language", type=click.Choice(LANGUAGES), default=ENGLISH, help="Language of the problems."
)


@click.command()
@PATHS
@click.option("--format", "form", type=click.Choice(("text", "json", "sarif")), default="text",
              help="What is printed; SARIF is for editors and build servers.")  # fmt: skip
@LANGUAGE
@common
def check(session: Session, paths: tuple[Path, ...], form: str, language: str) -> int:
    """List every problem of diagrams without deploying them.

    PATHS are files, folders (searched for *.bpmn, *.dmn, *.form) or zip archives; together they
    are one bundle. The status is 1 if a problem would stop the deployment.
    """
    bundle = read_bundle(paths, limit=session.settings.upload_limit)
    problems = session.engine.check(bundle)
    if form == "sarif":
        click.echo(_sarif(problems, language, places(paths, bundle)))
    elif form == "json" or session.out.as_json:
        click.echo(problems_json(problems, language))
    else:
        for problem in problems:
            click.echo(problem_line(problem, language))
    session.out.say(tally(len(bundle), problems, language))
    return 1 if any(problem.stops for problem in problems) else 0


def problems_json(problems: list[Problem], language: str) -> str:
    """Return problems as a JSON array, one a line."""
    told = ",\n".join(to_json_text(plain(problem, language)) for problem in problems)
    return f"[{told}]"


def _sarif(problems: list[Problem], language: str, found: dict[str, Path]) -> str:
    from engine.diagrams.sarif import sarif

    log = sarif(problems, language=language, version=version("caseway"), places=found)
    return json.dumps(log, ensure_ascii=False, indent=2)


@click.command()
@PATHS
@click.option("--no-activate", is_flag=True, help="Store the version, start nothing with it yet.")
@click.option("--comment", default="", help="What changed, for the list of deployments.")
@LANGUAGE
@by_option
@common
def deploy(
    session: Session,
    paths: tuple[Path, ...],
    no_activate: bool,
    comment: str,
    language: str,
    by: str,
) -> None:
    """Check diagrams as one bundle and store it; all of it or, with any error, nothing."""
    bundle = read_bundle(paths, limit=session.settings.upload_limit)
    try:
        deployment = session.engine.deploy(bundle, by=by, activate=not no_activate, comment=comment)
    except DeploymentRefused as refused:
        told = [one.told(language) for one in refused.problems]
        raise DeploymentRefused(told, refusal(told, language)[1], language) from None
    for problem in deployment.problems:
        session.out.say(problem_line(problem, language))
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
