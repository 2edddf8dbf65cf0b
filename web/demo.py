"""`make demo`: a whole service to look at, with people, diagrams and cases in every phase.

Everything is made on the first run; a later run on the same folder goes on with what is there.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from engine.runtime import Engine

_BY = "demo"


class Person(NamedTuple):
    """One user of the demonstration."""

    name: str
    display: str
    groups: Sequence[str]
    language: str | None = None


#: the name is the role too
PEOPLE = (
    Person("customer", "林小雨", ()),
    Person("operator", "王芳", ("frontdesk", "delivery")),
    Person("lead", "Maria Lind", ("lead", "frontdesk", "delivery", "quality", "experts")),
    Person("analyst", "赵明", ("analyst", "experts")),
    Person(
        "admin", "Tom Becker", ("lead", "analyst", "experts", "frontdesk", "delivery", "quality")
    ),
)


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default="build/demo", show_default=True)
@click.option("--port", type=int, default=8000, show_default=True)
@click.option("--password", default="", help="One password for all; else one-time passwords.")
def main(data: Path, port: int, password: str) -> None:
    """Fill a data folder and serve it on 127.0.0.1 until SIGTERM."""
    from engine.errors import EngineError

    try:
        sys.exit(run(data, port, password))
    except EngineError as error:
        click.echo(f"demo: {error}", err=True)
        sys.exit(1)


def run(data: Path, port: int, password: str) -> int:
    """Make what is missing, print who may sign in, serve; return the exit status."""
    from engine.settings import Settings
    from web.logs import configure
    from web.opening import open_engine
    from web.serve import Parent, bind, url_of

    listener = bind("127.0.0.1", port)  # taken first: a port in use is told at once
    url = url_of(listener)
    settings = Settings(data_dir=data, host="127.0.0.1", port=port, public_url=url)
    configure("warning", "demo")
    engine = open_engine(settings)
    fill(engine)
    told = [*passwords(engine, password), "", f"Open {url}  (Ctrl-C stops it)"]
    engine.close()
    click.echo("\n".join(told))
    sys.stdout.flush()  # who starts us in a pipe waits for these lines
    environment = {
        "CASEWAY_DATA_DIR": str(settings.data_dir), "CASEWAY_PUBLIC_URL": url,
        "CASEWAY_HOST": "127.0.0.1", "CASEWAY_PORT": str(port), "CASEWAY_LOG_LEVEL": "warning",
    }  # fmt: skip
    return Parent(listener, environment, shutdown_s=settings.shutdown_s).run()


def fill(engine: Engine) -> None:
    """Deploy the shipped diagrams and play the cases, unless that was done before."""
    from web.demo_cases import play
    from web.opening import load_registry

    deployed = {one.process_id for one in engine.definitions()}
    if not deployed:
        engine.deploy(shipped(), by=_BY, comment="as shipped")
    if not engine.cases(limit=1):
        play(engine.settings, load_registry(engine.settings), datetime.now(UTC))


def shipped() -> dict[str, bytes]:
    """Return the diagrams, decisions and forms that come with Caseway."""
    from importlib.resources import files

    from web.bundles import KINDS

    found: dict[str, bytes] = {}
    todo = [("", files("processes"))]
    while todo:
        path, here = todo.pop()
        for child in here.iterdir():
            if child.is_dir():
                todo.append((f"{path}{child.name}/", child))
            elif child.name.endswith(KINDS):
                found[f"{path}{child.name}"] = child.read_bytes()
    return found


def passwords(engine: Engine, password: str) -> list[str]:
    """Make the people who are missing; return a line for each: name, password, role."""
    known = {user.name: user for user in engine.users()}
    lines = [f"{'user':<10} {'password':<22} "]
    for person in PEOPLE:
        found = known.get(person.name)
        if found is None:
            secret = _create(engine, person, password)
        elif password or found.must_change:
            secret = engine.reset_password(person.name, by=_BY, password=password or None)
        else:
            secret = "(as you have set it)"  # noqa: S105 - says that there is none to show
        once = "" if password or secret.startswith("(") else "  one-time: choose your own"
        lines.append(f"{person.name:<10} {secret:<22}{once}")
    return lines


def _create(engine: Engine, person: Person, password: str) -> str:
    details: dict[str, Any] = {
        "display": person.display, "groups": person.groups, "language": person.language,
        "email": f"{person.name}@example.com",
    }  # fmt: skip
    _, secret = engine.create_user(
        person.name, role=person.name, by=_BY, password=password or None, demo=True, **details
    )
    return secret


if __name__ == "__main__":
    main()
