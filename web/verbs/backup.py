"""backup, restore: the whole installation as one file, and back."""

from __future__ import annotations

from pathlib import Path

import click

from web.session import Session, common

FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command()
@FILE
@common
def backup(session: Session, file: Path) -> None:
    """Write database and data folder to FILE, also while the service runs.

    FILE holds one moment of the database, the files that belong to it and a checksum of each. It
    appears when it is complete, and overwrites nothing. It holds secrets: keep it like them.
    """
    from web.backup import backup as keep
    from web.backup import left_out

    made = keep(session.settings, file)
    size = file.stat().st_size
    outside = left_out(session.settings)
    for name, folder in outside:
        session.out.say(
            f"not in it: {name} {folder}, outside the data folder; save it now, after this"
        )
    said = {"file": str(file), "bytes": size, "files": len(made.files) - 1, "kind": made.kind,
            "schema": made.schema, "made_at": made.made_at,
            "left_out": [str(folder) for _, folder in outside]}  # fmt: skip
    session.out.one(said, f"{file}: {made.kind}, {len(made.files) - 1} file(s), {size} bytes")


@click.command()
@FILE
@click.option("--check", is_flag=True, help="Only read FILE and compare its checksums.")
@click.option("--force", is_flag=True, help="Set aside what is there.")
@common
def restore(session: Session, file: Path, check: bool, force: bool) -> None:
    """Make this installation what FILE says. Stop it first.

    Nothing is changed before FILE was read whole and found good. With --force, what is there is
    moved to a folder (PostgreSQL: and a schema) called before_restore_..., for you to delete.
    """
    from web.backup import check as read
    from web.backup import restore as bring_back

    if check:
        manifest, aside = read(file), ""
    else:
        manifest, aside = bring_back(session.settings, file, force=force)
    said = {"file": str(file), "kind": manifest.kind, "schema": manifest.schema,
            "made_at": manifest.made_at, "restored": not check, "set_aside": aside}  # fmt: skip
    done = f"{file} of {manifest.made_at} is good" if check else f"restored {manifest.made_at}"
    session.out.one(said, f"{done}; what was there is now {aside}" if aside else done)


VERBS = (backup, restore)
