"""The database is away, or its answer is lost: what programs and people are told, and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from engine.errors import OutcomeUnknown, Unavailable
from engine.model import UserTask
from engine.runtime import Engine
from engine.store.connect import Connection, Disconnected
from tests.browsing import Browser
from tests.drawing import diagram, end, path, process, start, user
from tests.unit.web.conftest import Login

LOST = OutcomeUnknown("nobody knows whether it was stored")
AWAY = Disconnected("the database cannot be reached: no socket")
ENGLISH, CHINESE = "en-GB", "zh-CN"
SAID = {
    (LOST, ENGLISH): ("Nobody knows whether this was stored", "do the same again"),
    (LOST, CHINESE): ("无法确定这次操作是否已保存", "请原样再做一次"),
    (AWAY, ENGLISH): ("The database does not answer", "Nothing was changed"),
    (AWAY, CHINESE): ("数据库没有响应", "没有更改任何内容"),
}
Break = Callable[[Unavailable], None]


@pytest.fixture
def task(engine: Engine) -> UserTask:
    """Return an open task."""
    drawn = diagram(process("p", start("s"), user("u"), end("e"), path("s", "u", "e")))
    engine.deploy({"p.bpmn": drawn}, by="test")
    engine.start("p")
    (found,) = engine.tasks()
    return found


@pytest.fixture
def break_commit(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Break:
    """Return a way to end `complete` at its COMMIT: carried out, its answer lost, or not at all."""
    inside: list[bool] = []

    def break_with(error: Unavailable) -> None:
        complete, commit = engine.complete, Connection.commit

        def watched(*given: Any, **more: Any) -> Any:
            inside.append(True)
            try:
                return complete(*given, **more)
            finally:
                inside.clear()

        def broken(self: Connection) -> None:
            if not inside:
                return commit(self)
            if isinstance(error, OutcomeUnknown):
                commit(self)
            raise error

        monkeypatch.setattr(engine, "complete", watched)
        monkeypatch.setattr(Connection, "commit", broken)

    return break_with


@pytest.mark.parametrize(("error", "asked"), SAID)
def test_a_program_is_told_by_code_and_when_to_come_back(
    app: Flask, engine: Engine, task: UserTask, break_commit: Break,
    error: Unavailable, asked: str, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    _, secret = engine.create_token("ann", role="operator", by="test")
    headers = {"Authorization": f"Bearer {secret}", "Accept-Language": asked}
    call = f"/api/tasks/{task.id}/complete"
    break_commit(error)

    answer = app.test_client().post(call, json={"variables": {}}, headers=headers)

    title, sentence = SAID[error, asked]
    told = answer.get_json(force=True)
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["Content-Language"] == asked[:2]
    assert (told["code"], told["title"], told["instance"]) == (error.code, title, call)
    assert told["type"].endswith(f"/{error.code}")
    assert sentence in told["detail"]
    # the same call again: a task is completed once, whichever of both it was
    monkeypatch.undo()
    again = app.test_client().post(call, json={"variables": {}}, headers=headers)
    assert again.status_code == (409 if error is LOST else 200)


@pytest.mark.parametrize(("error", "asked"), SAID)
def test_a_person_is_told_to_look_before_doing_it_again(
    login: Login, engine: Engine, task: UserTask, break_commit: Break,
    error: Unavailable, asked: str, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    desk: Browser = login("lead", language=asked[:2])
    engine.claim(task.id, by="lead")
    break_commit(error)

    answer = desk.post(f"/tasks/{task.id}", {"act": "complete"})

    title, sentence = SAID[error, asked]
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert f"<h1>{title}</h1>" in answer.text
    assert sentence in answer.text
    # no word that nothing was stored where nobody knows
    assert "Nothing was stored" not in answer.text
    # who does it again learns that it is done, or does it now
    monkeypatch.undo()
    again = desk.post(f"/tasks/{task.id}", {"act": "complete"})
    assert again.status_code == (409 if error is LOST else 303)
