"""A browser without a screen: keeps cookies and sends the token that our forms carry."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
#: what browsers say they read
ACCEPT = "text/html,application/xhtml+xml,*/*;q=0.8"


class Browser:
    """Opens pages and sends forms of one application."""

    def __init__(self, app: Flask, language: str = "en") -> None:
        self.client = app.test_client()
        self._headers = {"Accept": ACCEPT, "Accept-Language": language}

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open a page."""
        headers = self._headers | options.pop("headers", {})
        return self.client.get(path, headers=headers, **options)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """Send a form as a page of ours would: with the token of this browser."""
        headers = self._headers | options.pop("headers", {})
        sent = {"csrf": self.token(), **(data or {})}
        return self.client.post(path, data=sent, headers=headers, **options)

    def token(self) -> str:
        """Return the token against forged forms."""
        page = self.get("/password")
        found = _TOKEN.search(page.text if page.status_code == 200 else self.get("/login").text)
        assert found is not None
        return found[1]

    def sign_in(self, name: str, password: str) -> TestResponse:
        """Send the form of the sign-in page."""
        return self.post("/login", {"name": name, "password": password})
