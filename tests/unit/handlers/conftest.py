"""An installation without an engine: a data folder, the business tables, contexts for handlers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine import HandlerContext
from engine.settings import Settings
from handlers.records import Records

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MakeContext = Callable[..., HandlerContext]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the settings of an installation of this test's own."""
    return Settings(data_dir=tmp_path)


@pytest.fixture
def records(settings: Settings) -> Records:
    """Return its business tables."""
    return Records.of(settings)


@pytest.fixture
def context(settings: Settings) -> MakeContext:
    """Return a way to make contexts: `context("key", template="plan")` names task headers."""

    def make(key: str = "root/element/1", now: datetime = NOW, **headers: Any) -> HandlerContext:
        return HandlerContext(
            key=key, root_id="root", settings=settings, now=now, headers=headers
        )  # fmt: skip

    return make
