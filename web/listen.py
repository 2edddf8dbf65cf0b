"""HTTP: waitress on a socket that somebody else has bound, with an end that loses no answer."""

from __future__ import annotations

import json
import signal
import socket
import time
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from flask import Flask

    from engine.settings import Settings

#: requests answered at the same time
THREADS = 8
#: what a body may have beside its files: multipart borders, form fields
OVERHEAD = 64 * 1024


def answer(app: Flask, listener: socket.socket, settings: Settings) -> None:
    """Answer requests until SIGTERM, then finish those that have begun and return."""
    from waitress.server import create_server

    server: Any = create_server(
        app,
        sockets=[listener],
        threads=THREADS,
        ident=None,
        # refused by the head of the request: nothing of a larger body is read or stored
        max_request_body_size=settings.upload_limit + OVERHEAD,
    )
    server.channel_class = _channel_class()
    stopping: list[int] = []

    def stop(number: int, frame: object) -> None:
        stopping.append(number)
        server.pull_trigger()  # the loop may sit in a poll; this ends it

    signal.signal(signal.SIGTERM, stop)
    try:
        while not stopping:
            server.asyncore.loop(timeout=5, use_poll=True, map=server._map, count=1)
        _finish(server, settings.shutdown_s)
    finally:
        server.task_dispatcher.shutdown(timeout=1)


def _channel_class() -> Any:
    """Return waitress's channel, but its own refusals (413, 431, 400) are problem documents too."""
    from waitress.channel import HTTPChannel
    from waitress.task import ErrorTask

    from web.problems import of_status

    class ProblemTask(ErrorTask):
        def execute(self) -> None:
            error = cast(Any, self.request).error
            body = json.dumps(of_status(error.code, error.reason, error.body, instance=None))
            self.status = f"{error.code} {error.reason}"
            self.response_headers = [("Content-Type", "application/problem+json")]
            self.set_close_on_finish()
            self.content_length = len(body)
            self.write(body.encode())

    class Channel(HTTPChannel):
        error_task_class = ProblemTask

    return Channel


def _finish(server: Any, limit_s: float) -> None:
    """Take no new connection; go on until every request that has begun is answered and sent."""
    server.del_channel()
    server.socket.close()
    end = time.monotonic() + limit_s
    while time.monotonic() < end and any(_busy(c) for c in server.active_channels.values()):
        server.asyncore.loop(timeout=0.1, use_poll=True, map=server._map, count=1)


def _busy(channel: Any) -> bool:
    return bool(channel.request or channel.requests or channel.total_outbufs_len)
