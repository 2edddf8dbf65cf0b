"""serve, web, work: the processes that run all day."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click

from web.logs import configure
from web.session import Session, common

HOST = click.option("--host", help="Address to listen on.")
PORT = click.option("--port", type=int, help="Port to listen on; 0 takes a free one.")


@click.command()
@HOST
@PORT
@common
def serve(session: Session, host: str | None, port: int | None) -> int:
    """Run the service: a web and a worker process.

    A process that dies is started again. SIGTERM or Ctrl-C lets both finish what they have begun.
    The address is printed when the port is taken; calls made before the web process is up wait.
    """
    from web.opening import prepare
    from web.serve import Parent, bind, url_of

    session.overrides |= {"host": host, "port": port}
    settings = session.settings
    prepare(settings)
    configure(settings.log_level, "serve", settings.log_format)
    refuse_open_door(session)
    listener = bind(settings.host, settings.port)
    url = url_of(listener)
    click.echo(json.dumps({"url": url, "pid": os.getpid()}) if session.out.as_json else url)
    sys.stdout.flush()  # who starts us in a pipe waits for this line
    return Parent(listener, session.environment, shutdown_s=settings.shutdown_s).run()


@click.command()
@HOST
@PORT
@common
def web(session: Session, host: str | None, port: int | None) -> None:
    """Run only the web process.

    For an installation that starts its processes itself; any number of them may share one
    PostgreSQL database.
    """
    from web import maildir, traces
    from web.app import create_app
    from web.listen import answer
    from web.serve import bind, url_of

    session.overrides |= {"host": host, "port": port}
    settings = session.settings
    refuse_open_door(session)
    listener = bind(settings.host, settings.port)
    click.echo(url_of(listener))
    sys.stdout.flush()
    traces.start(settings, "web")
    app = create_app(settings, engine=session.engine)
    maildir.start(session.engine)
    answer(app, listener, settings)


KINDS = ("service", "timer", "continue", "deliver", "start")


def _listed(context: click.Context, parameter: click.Parameter, text: str | None) -> Any:
    """Read `a,b`. None where nothing was said."""
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    if parameter.name == "kinds" and (unknown := [name for name in names if name not in KINDS]):
        raise click.BadParameter(f"{unknown[0]!r} is none of {', '.join(KINDS)}")
    return names or None


@click.command()
@click.option("--drain", is_flag=True, help="Do what is due now in this process, then end.")
@click.option("--topics", callback=_listed, help="Only these handlers: a,b.")
@click.option("--kinds", callback=_listed, help=f"Only this work, of {','.join(KINDS)}.")
@common
def work(session: Session, drain: bool, topics: Any, kinds: Any) -> int:
    """Run only a worker process.

    Several may share one PostgreSQL database, on one machine or on many. With --topics it calls no
    other handlers, and with --kinds service it leaves timers and messages to others.
    """
    if drain:
        from engine.worker import drain as drain_now
        from web.opening import load_registry

        ran = drain_now(session.engine, registry=load_registry(session.settings), batch=16)
        session.out.one({"done": ran}, f"{ran} item(s) of work done")
        return 0
    from engine.dispatch import worker_main
    from web import traces
    from web.metrics import show_worker
    from web.opening import prepare

    prepare(session.settings)
    configure(session.settings.log_level, "worker", session.settings.log_format)
    traces.start(session.settings, "worker")
    show_worker(session.settings)
    return worker_main(session.settings, topics=_known(session, topics), kinds=kinds)


def _known(session: Session, topics: list[str] | None) -> list[str] | None:
    """Return the topics. Raises SettingsError if there is no handler for one."""
    from engine.errors import SettingsError
    from web.opening import load_registry

    if topics is None:
        return None
    registry = load_registry(session.settings)
    for topic in topics:
        if registry.get(topic) is None:
            raise SettingsError(f"--topics: there is no handler {topic!r} on this node")
    return topics


def refuse_open_door(session: Session) -> None:
    """Raise SettingsError if other machines could sign in with the accounts of a demonstration."""
    from engine.errors import SettingsError
    from web.serve import is_loopback

    host = session.settings.host
    if is_loopback(host):
        return
    known = [user.name for user in session.engine.users() if user.demo and not user.disabled_at]
    session.engine.close()  # the children open the database for themselves
    if known:
        raise SettingsError(
            f"host {host} can be reached from other machines, and there are demonstration users "
            f"({', '.join(known)}): disable them with `caseway users disable NAME` first"
        )


VERBS = (serve, web, work)
