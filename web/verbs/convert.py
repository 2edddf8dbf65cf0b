"""convert: a diagram of another dialect as a file of Camunda 8, with its forms beside it."""

from __future__ import annotations

from pathlib import Path

import click

from engine.errors import BadInput
from web.bundles import KINDS
from web.output import problem_line
from web.session import Session, common
from web.verbs.definitions import LANGUAGE, problems_json

#: endings that are replaced, the longest first
_ENDINGS = (".bpmn20.xml", ".bpmn2", ".bpmn", ".xml")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", "dialect", type=click.Choice(("zeebe",)), required=True,
              help="The dialect to write; zeebe is that of Camunda 8.")  # fmt: skip
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path),
              help="The file to write; default: NAME.zeebe.bpmn beside FILE.")  # fmt: skip
@LANGUAGE
@common
def convert(session: Session, file: Path, dialect: str, output: Path | None, language: str) -> int:
    """Write a diagram of Camunda 7, SpiffWorkflow or plain BPMN as one of Camunda 8.

    FILE stays as it is. Forms that the diagram generates are written beside the result, and what
    could not be carried over is listed; the status is 1 if something has to be done by hand. A
    file without a drawing gets one.
    """
    from engine.diagrams.convert import convert as converted

    target = output or file.with_name(f"{_stem(file)}.zeebe.bpmn")
    result = converted(file.name, file.read_bytes(), _beside(session, file))
    written = {target: result.diagram}
    written |= {target.parent / name: content for name, content in result.forms.items()}
    for path in written:
        if path.exists() and path.samefile(file):
            raise BadInput(f"{path} would be overwritten: name another file with --output")
    _write(written)
    problems = list(result.problems)
    if session.out.as_json:
        click.echo(problems_json(problems, language))
    else:
        for problem in problems:
            click.echo(problem_line(problem, language))
    stopping = sum(problem.stops for problem in problems)
    for path in written:
        session.out.say(f"written: {path}")
    if result.laid_out:
        session.out.say("the drawing was made anew")
    session.out.say(f"{len(problems)} remark(s), {stopping} of them to be done by hand")
    return 1 if stopping else 0


def _write(files: dict[Path, bytes]) -> None:
    """Write all files, or none: each under another name first, then renamed.

    Raises BadInput if one cannot be written.
    """
    fresh = {path: path.with_name(f".{path.name}.new") for path in files}
    try:
        for path, content in files.items():
            fresh[path].write_bytes(content)
        for path, new in fresh.items():
            new.replace(path)
    except OSError as error:
        raise BadInput(
            f"{error.filename} cannot be written: {error.strerror};"
            " name a file in a folder that is there with --output"
        ) from error
    finally:
        for new in fresh.values():
            new.unlink(missing_ok=True)


def _stem(file: Path) -> str:
    lowered = file.name.lower()
    ending = next((end for end in _ENDINGS if lowered.endswith(end)), "")
    return file.name[: len(file.name) - len(ending)] or file.name


def _beside(session: Session, file: Path) -> dict[str, bytes]:
    """Return forms and decisions that lie beside a diagram; it may name them."""
    kinds = tuple(kind for kind in (*KINDS, ".json") if kind not in _ENDINGS)
    limit = session.settings.upload_limit
    return {
        path.name: path.read_bytes()
        for path in sorted(file.parent.iterdir())
        if path.name.lower().endswith(kinds) and path.is_file() and path.stat().st_size <= limit
    }


VERBS = (convert,)
