"""What acceptance tests share: a data folder whose database is made once and copied."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.settings import Settings
from tests.acceptance.command import Caseway
from web.opening import open_engine


@pytest.fixture(scope="session")
def empty_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with an empty database of the present schema; do not write to it."""
    folder = tmp_path_factory.mktemp("empty") / "data"
    open_engine(Settings(data_dir=folder)).close()
    return folder


@pytest.fixture
def data_folder(empty_data: Path, tmp_path: Path) -> Path:
    """Return a data folder of this test's own."""
    return Path(shutil.copytree(empty_data, tmp_path / "data"))


@pytest.fixture
def caseway(data_folder: Path) -> Caseway:
    """Return the command line on an empty database."""
    return Caseway(data_folder.parent)
