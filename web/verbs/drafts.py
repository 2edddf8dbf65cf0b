"""drafts: unfinished bundles that are kept and shown, and never executed."""

from __future__ import annotations

from pathlib import Path

import click

from engine.errors import BadInput
from web.bundles import read_bundle
from web.output import problem_line
from web.session import Session, by_option, common
from web.verbs.definitions import LANGUAGE, PATHS

COLUMNS = ("id", "title", "revision", "saved_at", "saved_by")
REVISION = click.option(
    "--revision", type=int, help="The revision you have seen; refused if somebody was faster."
)


@click.group()
def drafts() -> None:
    """Keep unfinished diagrams with all that is missing in them; nothing of them is executed."""


@drafts.command("list")
@common
def list_drafts(session: Session) -> None:
    """List all drafts, the one that was saved last first."""
    session.out.listing(session.engine.bundle_drafts(), COLUMNS)


@drafts.command("save")
@PATHS
@click.option("--title", default="", help="What the draft is called; the first file otherwise.")
@click.option("--replace", "draft_id", help="Id of the draft whose files are replaced.")
@REVISION
@by_option
@common
def save_draft(
    session: Session,
    paths: tuple[Path, ...],
    title: str,
    draft_id: str | None,
    revision: int | None,
    by: str,
) -> None:
    """Keep diagrams as a draft, whatever is wrong with them."""
    bundle = read_bundle(paths, limit=session.settings.upload_limit)
    if draft_id is None:
        kept = session.engine.save_bundle_draft(bundle, title=title, by=by)
    else:
        kept = session.engine.replace_bundle_draft(
            draft_id, bundle, by=by, title=title, revision=revision
        )
    stopping = sum(problem.stops for problem in kept.problems)
    told = (
        f"draft {kept.title} is kept, revision {kept.revision} ({kept.id}); {stopping} problem(s)"
    )
    session.out.one(kept, f"{told} would stop its deployment")


@drafts.command("show")
@click.argument("draft")
@LANGUAGE
@click.option("--out", type=click.Path(file_okay=False, path_type=Path),
              help="Folder that the files are written to; nothing in it is replaced.")  # fmt: skip
@common
def show_draft(session: Session, draft: str, language: str, out: Path | None) -> int:
    """List every problem of DRAFT as `check` does, and write its files if asked to."""
    found = session.engine.bundle_draft(draft)
    if out is not None:
        _write(out, session.engine.bundle_draft_files(draft))
    lines = "\n".join(problem_line(problem, language) for problem in found.problems)
    session.out.one(found, lines or "nothing is missing")
    return 0 if found.deployable else 1


def _write(folder: Path, files: dict[str, bytes]) -> None:
    root = folder.resolve()
    for name in files:
        path = (root / name).resolve()
        if not path.is_relative_to(root):
            raise BadInput(f"the file name {name!r} leads out of {folder}")
        if path.exists():
            raise BadInput(f"{path} is there already; choose another folder")
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@drafts.command("discard")
@click.argument("draft")
@REVISION
@by_option
@common
def discard_draft(session: Session, draft: str, revision: int | None, by: str) -> None:
    """Forget DRAFT and its files."""
    gone = session.engine.discard_bundle_draft(draft, by=by, revision=revision)
    session.out.one(gone, f"draft {gone.title} is gone")


@drafts.command("deploy")
@click.argument("draft")
@click.option("--no-activate", is_flag=True, help="Store the version, start nothing with it yet.")
@click.option("--comment", default="", help="What changed; the title of the draft otherwise.")
@REVISION
@by_option
@common
def deploy_draft(
    session: Session, draft: str, no_activate: bool, comment: str, revision: int | None, by: str
) -> None:
    """Deploy DRAFT like any bundle, if nothing is missing; the draft is gone then."""
    made = session.engine.deploy_bundle_draft(
        draft, by=by, activate=not no_activate, comment=comment, revision=revision
    )
    names = ", ".join(f"{one.process_id} version {one.version}" for one in made.definitions)
    session.out.one(made, f"deployed {names} ({made.id})")


VERBS = (drafts,)
