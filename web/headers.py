"""What a browser is told about a page: where scripts may come from, and what it may pass on."""

from __future__ import annotations

import secrets

from flask import Response, g

_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'{styles}; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


def nonce() -> str:
    """Return the word that marks our own inline scripts in this answer."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    found: str = g.nonce
    return found


def allow_inline_styles() -> None:
    """Let this answer's page set styles by script: the modeler does, nothing else may."""
    g.inline_styles = True


def add(response: Response) -> Response:
    """Add the policy of a page to an answer; web/app.py adds what all answers have."""
    if response.mimetype == "text/html":
        styles = " 'unsafe-inline'" if g.get("inline_styles") else ""
        policy = _POLICY.format(nonce=nonce(), styles=styles)
        response.headers.setdefault("Content-Security-Policy", policy)
    return response
