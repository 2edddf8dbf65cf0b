"""A refused deployment is told in the language of the reader, its summary too."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from engine.errors import DeploymentRefused
from engine.model import Problem, Severity
from engine.runtime import Engine
from engine.settings import Settings
from tests.drawing import diagram, end, node, path, process, start
from web.app import create_app
from web.cli import run

#: two tasks that nobody can do, and a third one that can be done
FAULTY = diagram(
    process("p", start("s"), node("serviceTask", "a"), node("serviceTask", "b"), end("e"),
            path("s", "a", "b", "e"))
)  # fmt: skip
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    made = Engine(settings)
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def client(settings: Settings, engine: Engine) -> FlaskClient:
    return create_app(settings, engine=engine).test_client()


def deployed(client: FlaskClient, engine: Engine, language: str) -> TestResponse:
    _, secret = engine.create_token("ann", role="admin", by="test")
    return client.post(
        "/api/deployments",
        data={"file": (BytesIO(FAULTY), "case.bpmn")},
        headers={"Authorization": f"Bearer {secret}", "Accept-Language": language},
    )


@pytest.mark.parametrize(
    ("asked", "given", "title", "summary"),
    [
        ("zh-CN", "zh", "部署有错误", "2 个问题阻止了部署"),
        ("en-GB", "en", "The deployment has errors", "2 problems stop the deployment"),
        ("fr", "en", "The deployment has errors", "2 problems stop the deployment"),
    ],
)
def test_the_api_answers_in_the_language_that_is_asked_for(
    client: FlaskClient, engine: Engine, asked: str, given: str, title: str, summary: str
) -> None:
    # when
    answer = deployed(client, engine, asked)
    # then
    document = answer.get_json(force=True)
    assert answer.status_code == 422
    assert (document["title"], document["detail"]) == (title, summary)
    assert answer.headers["Content-Language"] == given
    assert "Accept-Language" in answer.headers["Vary"]


def test_other_refusals_say_that_they_are_english(client: FlaskClient) -> None:
    for route in ("/api/tasks", "/api/v1/nowhere"):
        answer = client.get(route, headers={"Accept-Language": "zh"})
        assert answer.mimetype == "application/problem+json"
        assert answer.headers["Content-Language"] == "en"
        assert "Accept-Language" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("language", "last"),
    [("zh", "caseway: 2 个问题阻止了部署"), ("en", "caseway: 2 problems stop the deployment")],
)
def test_the_last_line_of_a_refused_deployment_is_in_the_language_of_the_rest(
    tmp_path: Path, capsys: Capture, language: str, last: str
) -> None:
    # given
    (tmp_path / "case.bpmn").write_bytes(FAULTY)
    assert run(["--data", str(tmp_path / "d"), "migrate"]) == 0
    # when
    code = run(["--data", str(tmp_path / "d"), "deploy", str(tmp_path / "case.bpmn"),
                "--language", language])  # fmt: skip
    # then
    assert code == 1
    assert capsys.readouterr().err.splitlines()[-1] == last


def test_the_last_line_of_a_check_is_in_the_language_of_the_rest(
    tmp_path: Path, capsys: Capture
) -> None:
    # given
    (tmp_path / "case.bpmn").write_bytes(FAULTY)
    # when
    code = run(["--data", str(tmp_path / "d"), "check", str(tmp_path / "case.bpmn"),
                "--language", "zh"])  # fmt: skip
    # then
    assert code == 1
    printed = capsys.readouterr()
    assert "1 个文件，2 个问题，其中 2 个会阻止部署" in printed.out + printed.err


def test_only_what_stops_is_counted() -> None:
    # given
    stops = Problem(file="a.bpmn", element=None, line=1, message="No.")
    mentioned = Problem(
        file="a.bpmn", element=None, line=1, message="Hm.", severity=Severity.WARNING
    )
    # then
    assert str(DeploymentRefused([stops, mentioned])) == "1 problem stops the deployment"
    assert str(DeploymentRefused([stops, stops])) == "2 problems stop the deployment"
