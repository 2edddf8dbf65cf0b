"""Every setting of an installation, read once: defaults < TOML file < CASEWAY_* < the caller.

Nothing else reads the environment or a configuration file; all others are handed `Settings`.
"""

from __future__ import annotations

import os
import tomllib
import types
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from engine.errors import SettingsError

PREFIX = "CASEWAY_"
#: the file that is read when nobody names one
CONFIG_FILE = "caseway.toml"
#: names with the prefix that are no settings: the place of the file, and what tests use
_CONFIG_VARIABLE = f"{PREFIX}CONFIG"
_NO_SETTINGS = (_CONFIG_VARIABLE, f"{PREFIX}MUTANT", f"{PREFIX}FAILPOINT", f"{PREFIX}TEST_")
_LOG_LEVELS = ("debug", "info", "warning", "error")
_DISPATCHERS = ("local", "cluster")
_LANGUAGES = ("feel", "python")
_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _between(default: float, low: float, high: float) -> Any:
    return field(default=default, metadata={"low": low, "high": high})


def _one_of(default: str, choices: tuple[str, ...]) -> Any:
    return field(default=default, metadata={"choices": choices})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one installation; `load` builds it, tests may build it directly."""

    #: folder of everything Caseway writes: the SQLite file, the outbox, secrets
    data_dir: Path = Path("data")
    #: SQLAlchemy URL of the database; empty: the SQLite file caseway.db in data_dir
    database_url: str = ""
    #: whose data this node works on; leads every index of the engine
    tenant: str = "default"
    #: folder of *.py files with the admin's own handlers; none by default
    handlers_dir: Path | None = None
    #: folder where handlers put .eml files; a relative one is inside data_dir
    outbox_dir: Path = Path("outbox")
    #: maildir that is watched for mails to the service; none by default
    maildir: Path | None = None
    #: server that sends notices; empty: they are written as files into outbox_dir
    smtp_host: str = ""
    #: its port; 465 speaks TLS from the start, others when the server offers it
    smtp_port: int = _between(25, 1, 65535)
    #: account at that server; empty: none is needed
    smtp_user: str = ""
    #: its password; better in the environment than in a file
    smtp_password: str = field(default="", repr=False)
    #: sender of notices, such as "Service desk <desk@example.com>"; replies go to its domain
    mail_from: str = ""

    #: address the web process listens on
    host: str = "127.0.0.1"
    #: port the web process listens on; 0 takes a free one
    port: int = _between(8080, 0, 65535)
    #: address that people outside use, for links in mails; with https cookies are for https only
    public_url: str = ""
    #: largest upload (a bundle of diagrams) in bytes
    upload_limit: int = _between(10 * 1024 * 1024, 1024, 1 << 30)
    #: largest set of variables from outside (start, form, payload of a message) in bytes of JSON
    input_limit: int = _between(1024 * 1024, 1024, 1 << 30)
    #: `start` is refused with TooBusy while the oldest due work is older than this; seconds
    max_due_age_s: float = _between(60.0, 0.1, 86400.0)

    #: language of expressions in imported diagrams that name none: feel | python
    default_language: str = _one_of("feel", _LANGUAGES)
    #: run Python scripts of imported diagrams; only for deployers you trust, it is no sandbox
    python_scripts: bool = False
    #: values longer than this many bytes of JSON stand in the history by reference
    history_value_limit: int = _between(4096, 64, 1 << 30)
    #: values longer than this many bytes of JSON stand beside the state of a case, by reference
    large_value_limit: int = _between(8192, 64, 1 << 30)
    #: activations after which a long run is saved as it stands and goes on in a new transaction
    activations_per_piece: int = _between(1000, 1, 1_000_000)
    #: such pieces without a wait state after which an incident stops the run
    pieces_per_run: int = _between(100, 1, 1_000_000)
    #: how long a message that nobody waits for is kept, if its sender does not say; seconds
    message_ttl_s: float = _between(86400.0, 0.0, 1e9)

    #: how long the id of a message is known after it is over, so that no repetition counts; days,
    #: 0: for ever
    message_id_days: float = _between(90.0, 0.0, 100_000.0)
    #: how long a case is kept after its end, with its history; days, 0: for ever
    history_days: float = _between(0.0, 0.0, 100_000.0)
    #: how long after its end `caseway archive` leaves the history of a case in the database; days,
    #: 0: only what `--older-than` says is moved
    archive_days: float = _between(0.0, 0.0, 100_000.0)
    #: folder of the archive, the same for all machines; a relative one is inside data_dir
    archive_dir: Path = Path("archive")
    #: events of one file of the archive, unless one case alone has more
    archive_rows: int = _between(100_000, 1, 10_000_000)

    #: how workers hear of due work: local (one machine) | cluster (several, on one PostgreSQL)
    dispatcher: str = _one_of("local", _DISPATCHERS)
    #: threads of the worker process, so handlers that run at the same time
    worker_threads: int = _between(4, 1, 256)
    #: work items claimed, and settled, in one transaction while there is a backlog
    batch: int = _between(16, 1, 1000)
    #: how long a claimed work item belongs to its worker; extended while its handler runs; seconds
    lease_s: float = _between(30.0, 0.1, 86400.0)
    #: how far the clock may be from that of the database, before no work is claimed; seconds
    max_clock_skew_s: float = _between(5.0, 0.1, 3600.0)
    #: longest time between two looks for due work, so the most that a lost hint costs; seconds
    sweep_s: float = _between(1.0, 1.0, 5.0)
    #: largest output of a handler in bytes of JSON
    result_limit: int = _between(262144, 64, 1 << 30)
    #: how long a handler may run before its worker process is replaced, if it does not say; seconds
    handler_timeout_s: float = _between(60.0, 0.1, 86400.0)
    #: time limits of handlers, before what they say: "mail.write=5, erp.book=120"; seconds
    topic_timeouts: str = ""
    #: how many calls of a handler one worker process makes at once: "erp.book=2"
    topic_limits: str = ""
    #: how many calls of a handler all worker processes make at once: "erp.book=4"
    topic_limits_everywhere: str = ""
    #: further attempts after a failed one, if neither the diagram nor the handler says
    retries: int = _between(3, 0, 1000)
    #: wait before the first retry, doubled for each further one; seconds
    backoff_base_s: float = _between(1.0, 0.0, 86400.0)
    #: longest wait before a retry; seconds
    backoff_cap_s: float = _between(300.0, 0.0, 864000.0)
    #: how long a stopping process waits for running handlers; seconds
    shutdown_s: float = _between(20.0, 0.0, 3600.0)

    #: who may read /metrics: whoever sends this as bearer token; empty: this machine only
    metrics_token: str = field(default="", repr=False)
    #: port at which a worker process shows its own /metrics; 0: it does not
    worker_metrics_port: int = _between(0, 0, 65535)
    #: /readyz says 503 while the oldest due work is older than this; seconds
    ready_due_age_s: float = _between(300.0, 1.0, 1e9)
    #: how lines of the log look: text | json
    log_format: str = _one_of("text", ("text", "json"))
    #: address of an OpenTelemetry collector (OTLP over HTTP); empty: no traces
    otel_endpoint: str = ""
    #: least severity that is logged: debug | info | warning | error
    log_level: str = _one_of("info", _LOG_LEVELS)

    def __post_init__(self) -> None:
        # absolute, so that a changed working directory or a child process sees the same folders
        object.__setattr__(self, "data_dir", self.data_dir.absolute())
        object.__setattr__(self, "outbox_dir", self.data_dir / self.outbox_dir)
        object.__setattr__(self, "archive_dir", self.data_dir / self.archive_dir)
        for name in ("handlers_dir", "maildir"):
            folder = getattr(self, name)
            if folder is not None:
                object.__setattr__(self, name, folder.absolute())
        for name in ("topic_timeouts", "topic_limits", "topic_limits_everywhere"):
            # read here once, so that a slip of the pen stops the start
            object.__setattr__(self, f"_{name}", _by_topic(name, getattr(self, name)))

    def timeout_of(self, topic: str) -> float | None:
        """Return the time limit that the admin has given a handler; seconds."""
        return _of(self, "topic_timeouts", topic)

    def at_once_of(self, topic: str) -> int | None:
        """Return how many calls of a handler the admin allows one worker process at once."""
        limit = _of(self, "topic_limits", topic)
        return None if limit is None else int(limit)

    def everywhere_of(self, topic: str) -> int | None:
        """Return how many calls of a handler the admin allows all worker processes at once."""
        limit = _of(self, "topic_limits_everywhere", topic)
        return None if limit is None else int(limit)

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of the database in use."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'caseway.db').as_posix()}"


def _of(settings: Settings, name: str, topic: str) -> float | None:
    found: Mapping[str, float] = getattr(settings, f"_{name}")
    return found.get(topic)


def _by_topic(name: str, text: str) -> dict[str, float]:
    """Read `topic=number, topic=number`. Raises SettingsError."""
    found: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        topic, _, number = (piece.strip() for piece in part.rpartition("="))
        try:
            value = float(number)
        except ValueError:
            value = 0.0
        fits = 0 < value < 1e9 and (name == "topic_timeouts" or value == int(value))
        if not topic or not fits:
            wanted = "seconds" if name == "topic_timeouts" else "whole number from 1"
            raise SettingsError(f"{name}: {part!r} is not `handler={wanted}`")
        found[topic] = value
    return found


def load(
    path: Path | str | None = None, env: Mapping[str, str] = os.environ, **overrides: Any
) -> Settings:
    """Read the settings; `overrides` (of the command line) win, None among them says nothing.

    `path` or CASEWAY_CONFIG names a TOML file that must exist; without both, caseway.toml in the
    working directory is read if it is there. Paths in the file are relative to the file.
    Raises SettingsError for an unknown name or a wrong value, with the place it was read at.
    """
    known = {setting.name: setting for setting in fields(Settings)}
    hints = get_type_hints(Settings)
    values: dict[str, Any] = {}
    for place, given, convert in _sources(path, env, overrides):
        for name, value in given.items():
            if name not in known:
                raise SettingsError(f"{place(name)}: there is no setting {name!r}")
            values[name] = _checked(known[name], hints[name], value, convert, place(name))
    return Settings(**values)


_Place = Callable[[str], str]
_Convert = Callable[[Any, type], Any]


def _sources(
    path: Path | str | None, env: Mapping[str, str], overrides: Mapping[str, Any]
) -> list[tuple[_Place, Mapping[str, Any], _Convert]]:
    """Return the three sources, weakest first: how to name a place, the values, how to read one."""
    file, table = _read_file(path, env)
    variables = {
        name.removeprefix(PREFIX).lower(): text
        for name, text in env.items()
        if name.startswith(PREFIX) and not name.startswith(_NO_SETTINGS)
    }
    said = {name: value for name, value in overrides.items() if value is not None}

    def from_own_folder(name: str, value: Any) -> Any:
        is_folder = name.endswith("_dir") or name == "maildir"
        beside = name not in ("outbox_dir", "archive_dir") and is_folder and isinstance(value, str)
        return str(file.parent / value) if beside else value

    table = {name: from_own_folder(name, value) for name, value in table.items()}
    return [
        (lambda name: f"{file}: {name}", table, _from_value),
        (lambda name: f"environment: {PREFIX}{name.upper()}", variables, _from_text),
        (lambda name: f"option {name}", said, _from_value),
    ]


def _read_file(path: Path | str | None, env: Mapping[str, str]) -> tuple[Path, dict[str, Any]]:
    named = path or env.get(_CONFIG_VARIABLE)
    file = Path(named or CONFIG_FILE)
    if not named and not file.exists():
        return file, {}
    try:
        return file, tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: is not TOML: {error}")


def _checked(setting: Field[Any], hint: Any, value: Any, convert: _Convert, place: str) -> Any:
    kind = _plain(hint)
    try:
        converted = convert(value, kind)
    except (ValueError, TypeError):
        raise SettingsError(f"{place}: {value!r} is not {_KIND_NAMES[kind]}")
    rule = setting.metadata
    if "choices" in rule and converted not in rule["choices"]:
        raise SettingsError(f"{place}: {value!r} is none of {', '.join(rule['choices'])}")
    if "low" in rule and not rule["low"] <= converted <= rule["high"]:
        raise SettingsError(f"{place}: {value!r} is not between {rule['low']} and {rule['high']}")
    return converted


_KIND_NAMES: dict[type, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path",
}


def _plain(hint: Any) -> type:
    """Return the one type of a hint: Path for `Path | None`."""
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(part for part in get_args(hint) if part is not type(None))
    assert isinstance(hint, type)
    return hint


def _from_text(text: str, kind: type) -> Any:
    if kind is bool:
        if text.lower() not in _WORDS:
            raise ValueError(text)
        return _WORDS[text.lower()]
    return kind(text)


def _from_value(value: Any, kind: type) -> Any:
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    if kind is float and type(value) in (int, float):
        return float(value)
    if type(value) is not kind:
        raise TypeError(value)
    return value
