"""The command `caseway`: one verb of the engine per subcommand, run on the database directly.

Exit status: 0 done; 1 refused, with the reasons on stderr; 2 wrong use or a wrong setting;
3 a fault of Caseway itself. Everything heavy is imported by the verbs, when they run.
"""

from __future__ import annotations

import importlib
import logging
import sys
from pathlib import Path
from typing import Any

import click

# nothing of ours is imported here: `engine` may be somebody else's, and `check_owners` shall say so

#: packages of ours whose names other distributions use too
OWNED = ("engine", "handlers", "web")
OWNER = "caseway"
#: modules of web/verbs
NOUNS = (
    "definitions", "decisions", "cases", "changes", "tasks", "messages", "stores", "admin", "lanes",
    "running", "users", "intake", "convert", "drafts", "backup", "archive",
)  # fmt: skip

REFUSED, MISUSED, BROKEN = 1, 2, 3


def check_owners() -> None:
    """Stop if another distribution's package has taken one of our names."""
    for name in OWNED:
        package = importlib.import_module(name)
        if getattr(package, "OWNER", None) != OWNER:
            where = getattr(package, "__file__", None) or list(getattr(package, "__path__", []))
            raise click.UsageError(
                f"the package {name!r} at {where} is not Caseway's. Another distribution or a "
                "folder uses the same name: install Caseway in an environment of its own and "
                "start it by its command, outside that folder."
            )


class Verbs(click.Group):
    """The verbs, gathered from `web/verbs/` when one is first asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of all verbs."""
        return sorted(self._verbs())

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return the verb of this name."""
        return self._verbs().get(name)

    def _verbs(self) -> dict[str, click.Command]:
        if not self.commands:
            for noun in NOUNS:
                module = importlib.import_module(f"web.verbs.{noun}")
                self.commands.update({verb.name: verb for verb in module.VERBS})
        return dict(self.commands)


@click.group(
    cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option("--data", "data_dir", type=click.Path(path_type=Path), help="Folder of all data.")
@click.option("--database", "database_url", help="SQLAlchemy URL; default: SQLite in the folder.")
@click.option("--config", type=click.Path(dir_okay=False), help="TOML file with settings.")
@click.option("--handlers", "handlers_dir", type=click.Path(path_type=Path),
              help="Folder of your own handlers (*.py).")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.version_option(package_name="caseway", prog_name="caseway")
@click.pass_context
def cli(context: click.Context, /, config: str | None, as_json: bool, **overrides: Any) -> None:
    """Run a service organisation as it is drawn.

    Every setting can also stand in the environment (CASEWAY_DATA_DIR, CASEWAY_DATABASE_URL, ...)
    or in the TOML file; docs/reference.md lists them.
    """
    from web.session import Session

    context.obj = Session(config=config, as_json=as_json, **overrides)
    context.call_on_close(context.obj.close)


def refuse(error: Exception, *, as_json: bool) -> int:
    """Print why the engine refused, all of it, and return the exit status."""
    from engine.errors import ChangeRefused, DeploymentRefused, EngineError, SettingsError
    from web.output import problem_line, to_json_text
    from web.problems import describe

    assert isinstance(error, EngineError)
    if as_json and not isinstance(error, SettingsError):
        language = error.language if isinstance(error, (ChangeRefused, DeploymentRefused)) else "en"
        click.echo(to_json_text(describe(error, language=language)))
    if isinstance(error, DeploymentRefused):
        for problem in error.problems:
            click.echo(problem_line(problem), err=True)
    if isinstance(error, ChangeRefused):
        for problem in error.problems:
            click.echo(problem_line(problem, error.language).strip(), err=True)
    click.echo(f"caseway: {error}", err=True)
    return MISUSED if isinstance(error, SettingsError) else REFUSED


def main() -> None:
    """Run the command line; the entry point of the distribution."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit status."""
    try:
        check_owners()
    except click.UsageError as error:
        error.show()
        return error.exit_code
    from engine.errors import EngineError

    try:
        result = cli.main(arguments, prog_name="caseway", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return 130
    except EngineError as error:
        return refuse(error, as_json="--json" in arguments)
    except BrokenPipeError:
        # the reader (head, less) has enough; without this Python complains again while it ends
        sys.stdout = None
        return 0
    except Exception:  # the rim of the program: what gets here is a fault of ours
        logging.getLogger("caseway").exception("caseway: this should not have happened")
        return BROKEN
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    main()
