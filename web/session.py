"""What every command shares: the options before the verb, the settings, and the opened engine."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import click

from web.output import Output
from web.render import cursor

if TYPE_CHECKING:
    from engine.runtime import Engine
    from engine.settings import Settings

Item = TypeVar("Item")

#: rows asked of the database at once while a command reads a long list
PAGE = 200


class Session:
    """One run of the CLI; the engine is opened when a verb first needs it."""

    def __init__(self, *, config: str | None, as_json: bool, **overrides: Any) -> None:
        self._config = config
        #: settings named on the command line, None where nothing was said
        self.overrides = overrides
        self.out = Output(as_json=as_json)

    @cached_property
    def settings(self) -> Settings:
        """The settings of this run. Raises SettingsError."""
        from engine.settings import load

        return load(self._config, **self.overrides)

    @cached_property
    def engine(self) -> Engine:
        """The engine on the database, its schema brought up to date."""
        from web.logs import configure
        from web.opening import open_engine

        configure(self.settings.log_level, form=self.settings.log_format)
        return open_engine(self.settings)

    def close(self) -> None:
        """Close the engine, if a verb has opened it."""
        if "engine" in self.__dict__:
            self.engine.close()

    @property
    def environment(self) -> dict[str, str]:
        """What child processes need in their environment to read the same settings."""
        said = {name: value for name, value in self.overrides.items() if value is not None}
        variables = {f"CASEWAY_{name.upper()}": str(value) for name, value in said.items()}
        if self._config:
            variables["CASEWAY_CONFIG"] = self._config
        return variables


def operator_name() -> str:
    """Return the name of the person at this terminal, the usual `--by`."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without an account for its user id
        return "cli"


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb `--json` after its name too, since that is where people type it."""

    def set_json(context: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            context.find_object(Session).out.as_json = True  # type: ignore[union-attr]

    option = click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=set_json,
        help="Print one JSON document instead of text.",
    )
    return option(click.pass_obj(command))


def by_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb `--by`: who acts."""
    return click.option("--by", default=operator_name, help="Who acts; the account's name.")(
        command
    )


def paged(read: Callable[..., list[Item]], limit: int, **filters: Any) -> Iterator[Item]:
    """Yield the rows of a reading verb page by page, at most `limit` of them; 0 means all."""
    left = limit or -1
    after = filters.pop("after", None)
    while left:
        asked = PAGE if left < 0 else min(PAGE, left)
        rows = read(after=after, limit=asked, **filters)
        yield from rows
        if len(rows) < asked:
            return
        after = cursor(rows[-1])
        left -= len(rows) if left > 0 else 0


def progress(items: Iterable[Item], *, total: int | None, what: str) -> Iterable[Item]:
    """Show a bar on a terminal while items are worked through; silent in a pipe."""
    from tqdm import tqdm

    return tqdm(items, total=total, desc=what, unit="", disable=None, leave=False)
