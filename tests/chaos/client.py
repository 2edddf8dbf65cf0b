"""A caller of the JSON API that repeats a call until the service has answered it."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from tests.chaos.journal import Journal

#: how long one call may take; a frozen process answers later than that
_CALL_S = 4.0
_PAUSE_S = 0.2


class GivenUp(Exception):
    """The run is over, nobody waits for the answer any more."""


class Client:
    """Calls the service as one user."""

    def __init__(self, url: str, token: str, journal: Journal, is_over: Callable[[], bool]) -> None:
        self._url = url
        self._token = token
        self._journal = journal
        self._is_over = is_over

    def ask(
        self, method: str, path: str, body: Any = None, *, key: str | None = None
    ) -> tuple[int, Any]:
        """Return status and document of the first answer that is no fault of the service.

        Whoever repeats a call needs a key, a message id or a task that is completed once.
        """
        while not self._is_over():
            try:
                status, answer = self._once(method, path, body, key)
            except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
                self._journal.troubled(type(error).__name__)
            else:
                if status < 500 and status != 429:
                    return status, answer
                self._journal.troubled(str(status))
            time.sleep(_PAUSE_S)
        raise GivenUp(path)

    def _once(self, method: str, path: str, body: Any, key: str | None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_CALL_S) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def start(self, process_id: str, number: int, start_key: str) -> str | None:
        """Start a case and note the acknowledgement; return its id, None if it was refused."""
        body = {"process_id": process_id, "variables": {"number": number},
                "business_key": start_key}  # fmt: skip
        status, told = self.ask("POST", "/api/instances", body, key=start_key)
        if status not in (200, 201):
            self._journal.refused(f"start {start_key}", status, json.dumps(told))
            return None
        self._journal.started(start_key, number, told["id"], status == 201)
        return str(told["id"])
