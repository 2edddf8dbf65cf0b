"""What every application of one test run may share: compiled templates, the shipped definitions.

Both never change while tests run, and are made by the product itself the first time.
"""

from __future__ import annotations

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache

from engine import kernel
from engine.runtime import Engine

#: the definitions of the prepared service by id
_PARSED: dict[str, kernel.Definition] = {}


class _Compiled(BytecodeCache):
    """Templates as Jinja compiled them, by their source."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill in what was compiled before; Jinja compares the source itself."""
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def with_templates(app: Flask) -> Flask:
    """Let an application use the templates that others have compiled."""
    app.jinja_env.bytecode_cache = _COMPILED
    return app


def remember(engine: Engine) -> None:
    """Keep what an engine has parsed of its definitions."""
    with engine.database.reading() as connection:
        for one in engine.definitions():
            _PARSED[one.id] = engine.library.parsed(connection, one.id)


def recall(engine: Engine) -> None:
    """Let an engine on a copy of that database use it."""
    for definition_id, parsed in _PARSED.items():
        engine.library.keep(definition_id, parsed)
