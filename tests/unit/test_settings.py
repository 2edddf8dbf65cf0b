"""The settings: their order, their places, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import SettingsError
from engine.settings import Settings, load


def test_environment_wins_over_file_and_option_over_both(tmp_path: Path) -> None:
    # given a file with three settings
    file = tmp_path / "a.toml"
    file.write_text("port = 1001\nbatch = 2\nlease_s = 5\n")

    # when one of them is also in the environment, and one an option
    settings = load(file, env={"CASEWAY_BATCH": "3", "CASEWAY_PORT": "7"}, port=1003, host=None)

    # then the stronger source counts, and an option of None says nothing
    assert (settings.port, settings.batch, settings.lease_s) == (1003, 3, 5.0)
    assert settings.host == Settings().host


def test_config_variable_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.toml"
    file.write_text('log_level = "debug"\n')

    assert load(env={"CASEWAY_CONFIG": str(file)}).log_level == "debug"


def test_file_in_working_directory_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(env={}).tenant == "default"

    (tmp_path / "caseway.toml").write_text('tenant = "north"\n')

    assert load(env={}).tenant == "north"


def test_paths_in_the_file_are_relative_to_it(tmp_path: Path) -> None:
    # given a file that names folders beside itself
    file = tmp_path / "caseway.toml"
    file.write_text('data_dir = "store"\nhandlers_dir = "own"\noutbox_dir = "mail"\n')

    # when it is read from another working directory
    settings = load(file, env={})

    # then the folders stand beside it, and the outbox inside the data folder
    assert settings.data_dir == tmp_path / "store"
    assert settings.handlers_dir == tmp_path / "own"
    assert settings.outbox_dir == tmp_path / "store" / "mail"


def test_database_is_a_file_in_the_data_folder_by_default(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)

    assert settings.url == f"sqlite:///{tmp_path.as_posix()}/caseway.db"
    assert replace(settings, database_url="postgresql://db").url == "postgresql://db"


def test_folders_survive_a_copy(tmp_path: Path) -> None:
    settings = load(env={}, data_dir=tmp_path)

    assert replace(settings, port=1).outbox_dir == tmp_path / "outbox"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("PROT", "80", "no setting 'prot'"),
        ("PORT", "eighty", "CASEWAY_PORT: 'eighty' is not a whole number"),
        ("PORT", "70000", "not between 0 and 65535"),
        ("LEASE_S", "nan", "not between"),
        ("PYTHON_SCRIPTS", "perhaps", "not true or false"),
        ("LOG_LEVEL", "loud", "none of debug, info, warning, error"),
        ("SWEEP_S", "60", "not between 1.0 and 5.0"),
        ("TOPIC_TIMEOUTS", "mail.write", "topic_timeouts: 'mail.write' is not `handler=seconds`"),
        ("TOPIC_TIMEOUTS", "mail.write=nan", "is not `handler=seconds`"),
        ("TOPIC_LIMITS", "mail.write=0", "is not `handler=whole number from 1`"),
        ("TOPIC_LIMITS", "mail.write=1.5", "is not `handler=whole number from 1`"),
        ("TOPIC_LIMITS_EVERYWHERE", "=2", "is not `handler=whole number from 1`"),
    ],
)
def test_wrong_environment_is_refused_by_name(name: str, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load(env={f"CASEWAY_{name}": text})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 1", "no setting 'prot'"),
        ('port = "80"', "port: '80' is not a whole number"),
        ("port = true", "port: True is not a whole number"),
        ("data_dir = 1", "data_dir: 1 is not a path"),
        ("[engine]\nport = 80", "no setting 'engine'"),
        ("port = ", "is not TOML"),
    ],
)
def test_wrong_file_is_refused_with_its_name(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(text)

    with pytest.raises(SettingsError, match=r"wrong\.toml") as refusal:
        load(file, env={})

    assert said in str(refusal.value)


def test_missing_named_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path / "none.toml", env={})


def test_other_variables_are_left_alone() -> None:
    load(env={"HOME": "/", "CASEWAY_TEST_POSTGRES": "x", "CASEWAYS": "y"})


def test_wrong_option_is_refused() -> None:
    with pytest.raises(SettingsError, match="option batch"):
        load(env={}, batch=0)


def test_limits_of_single_handlers_are_read() -> None:
    settings = load(
        env={
            "CASEWAY_TOPIC_TIMEOUTS": "mail.write=0.5, erp.book=120",
            "CASEWAY_TOPIC_LIMITS": " erp.book = 2 ,",
            "CASEWAY_TOPIC_LIMITS_EVERYWHERE": "erp.book=4",
        }
    )

    assert settings.timeout_of("mail.write") == 0.5
    assert settings.timeout_of("other") is None
    assert (settings.at_once_of("erp.book"), settings.everywhere_of("erp.book")) == (2, 4)
    assert settings.at_once_of("mail.write") is None
