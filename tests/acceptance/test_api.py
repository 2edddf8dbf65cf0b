"""The JSON API on a real engine: its verbs, its refusals, and that a refusal changes nothing."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from engine.access import ROLES
from engine.clock import VirtualClock
from engine.runtime import Engine
from engine.settings import Settings
from tests.acceptance.diagrams import TASK, WRONG, Wrong, drawn
from web.api import ROUTES
from web.app import SECURITY_HEADERS, create_app
from web.opening import open_engine

TIMER = (
    '<bpmn:intermediateCatchEvent id="work"><bpmn:timerEventDefinition>'
    '<bpmn:timeDuration xsi:type="bpmn:tFormalExpression">PT1M</bpmn:timeDuration>'
    "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
)
UNKNOWN = "019a0000-0000-7000-8000-000000000000"
WAITS = (
    '<bpmn:intermediateCatchEvent id="work"><bpmn:messageEventDefinition messageRef="m"/>'
    "</bpmn:intermediateCatchEvent>"
)
MESSAGE = (
    '<bpmn:message id="m" name="go"><bpmn:extensionElements>'
    '<zeebe:subscription correlationKey="=key"/></bpmn:extensionElements></bpmn:message>'
)


class Api:
    """Calls the application as one user."""

    def __init__(self, client: FlaskClient, secret: str | None) -> None:
        self._client = client
        self._secret = secret

    def call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> TestResponse:  # fmt: skip
        """Send a request; `body` is sent as JSON."""
        sent = dict(headers or {})
        if self._secret is not None:
            sent["Authorization"] = f"Bearer {self._secret}"
        if body is not None:
            more |= {"data": json.dumps(body), "content_type": "application/json"}
        return self._client.open(path, method=method, headers=sent, **more)

    def get(self, path: str, **query: Any) -> Any:
        """Return the document of a GET that must succeed."""
        answer = self.call("GET", path, query_string=query)
        assert answer.status_code == 200, answer.text
        return answer.json

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        """Return the document of a POST that must succeed."""
        answer = self.call("POST", path, body, **more)
        assert answer.status_code in (200, 201), answer.text
        return answer.json

    def deploy(self, *contents: bytes, name: str = "plain.bpmn") -> TestResponse:
        """Upload diagrams; the first is called `name`."""
        names = [name, *(f"{number}-{name}" for number in range(1, len(contents)))]
        files = [(io.BytesIO(c), n) for c, n in zip(contents, names, strict=True)]
        return self.call("POST", "/api/deployments", data={"file": files})


@pytest.fixture
def settings(data_folder: Path) -> Settings:
    return Settings(data_dir=data_folder, upload_limit=200_000, input_limit=20_000)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    opened = open_engine(settings)
    yield opened
    opened.close()


@pytest.fixture
def client(settings: Settings, engine: Engine) -> FlaskClient:
    return create_app(settings, engine=engine).test_client()


@pytest.fixture
def admin(client: FlaskClient, engine: Engine) -> Api:
    return api_of(client, engine, "admin")


def api_of(client: FlaskClient, engine: Engine, role: str) -> Api:
    _, secret = engine.create_token(f"{role}-user", role=role, by="test")
    return Api(client, secret)


@pytest.fixture
def plain(admin: Api) -> Api:
    """Return the admin's API with a deployed process of one user task."""
    assert admin.deploy(drawn().encode()).status_code == 201
    return admin


def state(engine: Engine) -> list[Any]:
    """Return all that a refused call might have changed."""
    cases = engine.cases(limit=100)
    return [
        engine.definitions(),
        cases,
        [engine.history(case.id) for case in cases],
        [engine.variables(case.id) for case in cases],
        engine.tasks(limit=100),
    ]


def problem(answer: TestResponse, status: int) -> Any:
    """Return the problem document of a refusal, checked for what every one has."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    document = json.loads(answer.data)
    assert document["status"] == status
    assert set(document) >= {"type", "title", "status", "detail", "code", "instance"}
    return document


def test_a_case_runs_through_the_api_alone(plain: Api) -> None:
    started = plain.post("/api/instances", {"process_id": "plain", "variables": {"n": 1}})
    (task,) = plain.get("/api/tasks")["items"]

    plain.post(f"/api/tasks/{task['id']}/claim")
    ended = plain.post(f"/api/tasks/{task['id']}/complete", {"variables": {"answer": "好的"}})

    assert ended["state"] == "completed"
    path = f"/api/instances/{started['id']}"
    assert plain.get(f"{path}/variables") == {"n": 1, "answer": "好的"}
    rows = plain.get(f"{path}/history")["items"]
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert "admin-user" in {row["actor"] for row in rows}


def test_a_repeated_start_with_one_key_starts_one_case(plain: Api, engine: Engine) -> None:
    key = {"Idempotency-Key": "order-7"}
    first = plain.call("POST", "/api/instances", {"process_id": "plain"}, headers=key)
    second = plain.call("POST", "/api/instances", {"process_id": "plain"}, headers=key)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json
    assert second.json
    assert first.json["id"] == second.json["id"]
    assert first.headers["Location"].endswith(first.json["id"])
    assert len(engine.cases()) == 1


def test_lists_go_on_page_by_page(plain: Api) -> None:
    made = {plain.post("/api/instances", {"process_id": "plain"})["id"] for _ in range(5)}

    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    for _ in range(4):
        page = plain.get("/api/instances", **query)
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]

    assert len(seen) == 5
    assert set(seen) == made


def test_a_message_reaches_the_case_that_waits_for_it(admin: Api) -> None:
    diagram = drawn(WAITS).replace("<bpmn:process", f"{MESSAGE}<bpmn:process", 1)
    assert admin.deploy(diagram.encode()).status_code == 201
    admin.post("/api/instances", {"process_id": "plain", "variables": {"key": "k1"}})

    sent = admin.post("/api/messages", {"name": "go", "key": "k1", "message_id": "once"})
    again = admin.post("/api/messages", {"name": "go", "key": "k1", "message_id": "once"})

    assert sent["outcome"] == "delivered"
    assert again["outcome"] == "duplicate"


def test_a_file_comes_back_byte_for_byte(plain: Api) -> None:
    (definition,) = plain.get("/api/definitions")["items"]
    deployment = plain.get(f"/api/deployments/{definition['deployment_id']}")

    path = f"/api/deployments/{deployment['id']}/files/{deployment['files'][0]}"
    answer = plain.call("GET", path)

    assert answer.data == drawn().encode()
    assert answer.headers["Content-Disposition"] == "attachment"


def zipped(entries: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_an_archive_is_one_bundle(admin: Api) -> None:
    archive = zipped({f"all/{name}.bpmn": drawn(process=name).encode() for name in ("a", "b")})

    answer = admin.deploy(archive, name="all.zip")

    assert answer.status_code == 201
    assert answer.json
    assert answer.json["files"] == ["all/a.bpmn", "all/b.bpmn"]
    assert {d["process_id"] for d in answer.json["definitions"]} == {"a", "b"}


@pytest.mark.parametrize(
    "archive",
    [zipped({"a.bpmn": b"0" * 1_000_000}), zipped({"../a.bpmn": b"x"}), b"PK no archive"],
    ids=["unpacks_too_large", "leads_out", "broken"],
)
def test_a_wrong_archive_is_refused(admin: Api, engine: Engine, archive: bytes) -> None:
    problem(admin.deploy(archive, name="all.zip"), 422)

    assert engine.definitions() == []


def test_the_same_bundle_again_is_no_new_version(plain: Api, engine: Engine) -> None:
    again = plain.deploy(drawn().encode())

    assert again.status_code == 200
    assert again.json
    assert again.json["created"] is False
    assert len(engine.definitions()) == 1


def test_a_version_can_be_taken_back(plain: Api) -> None:
    assert plain.deploy(drawn(TASK.replace("Work", "Other work")).encode()).status_code == 201

    plain.post("/api/definitions/plain/activate", {"version": 1, "why": "the new one is wrong"})

    active = {d["version"]: d["active"] for d in plain.get("/api/definitions")["items"]}
    assert active == {1: True, 2: False}
    assert plain.post("/api/instances", {"process_id": "plain"})["version"] == 1


def test_decimals_pass_without_losing_a_digit(plain: Api) -> None:
    number = "0.10000000000000000000000001"
    body = '{"process_id": "plain", "variables": {"share": ' + number + "}}"

    answer = plain.call("POST", "/api/instances", data=body, content_type="application/json")

    assert answer.json
    stored = plain.call("GET", f"/api/instances/{answer.json['id']}/variables")
    assert number in stored.text


def test_the_revision_is_the_etag(plain: Api) -> None:
    case = plain.post("/api/instances", {"process_id": "plain"})["id"]
    before = plain.call("GET", f"/api/instances/{case}").headers["ETag"]

    plain.post(f"/api/instances/{case}/cancel", {"why": "test"})

    assert plain.call("GET", f"/api/instances/{case}").headers["ETag"] != before


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_a_wrong_diagram_is_a_problem_document(plain: Api, engine: Engine, wrong: Wrong) -> None:
    before = state(engine)

    answer = plain.deploy(drawn(process="good").encode(), wrong.content, name=f"{wrong.name}.bpmn")

    document = problem(answer, 422)
    assert document["code"] == "deployment_refused"
    assert wrong.says in " ".join(p["message"] for p in document["problems"]).lower()
    assert state(engine) == before


def test_an_upload_over_the_limit_is_refused(plain: Api) -> None:
    problem(plain.deploy(b"x" * 400_000), 413)


def test_too_large_variables_are_refused(plain: Api, engine: Engine) -> None:
    before = state(engine)

    for size in (30_000, 200_000):
        body = {"process_id": "plain", "variables": {"text": "x" * size}}
        answer = plain.call("POST", "/api/instances", body)
        assert answer.status_code in (413, 422)
        problem(answer, answer.status_code)

    assert state(engine) == before


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", f"/api/instances/{UNKNOWN}", None, 404, "not_found"),
        ("GET", f"/api/instances/{UNKNOWN}/history", None, 404, "not_found"),
        ("GET", f"/api/instances/{UNKNOWN}/variables", None, 404, "not_found"),
        ("GET", f"/api/tasks/{UNKNOWN}", None, 404, "not_found"),
        ("GET", f"/api/deployments/{UNKNOWN}", None, 404, "not_found"),
        ("POST", f"/api/tasks/{UNKNOWN}/complete", {}, 404, "not_found"),
        ("POST", f"/api/incidents/{UNKNOWN}/retry", None, 404, "not_found"),
        ("POST", "/api/instances", {"process_id": "nobody"}, 404, "not_found"),
        ("POST", "/api/instances", {"process_id": 7}, 422, "bad_input"),
        ("POST", "/api/instances", {"process_id": "plain", "variables": []}, 422, "bad_input"),
        ("POST", "/api/instances", {"process_id": "plain", "colour": 1}, 422, "bad_input"),
        ("POST", "/api/instances", [], 422, "bad_input"),
        ("POST", "/api/messages", {"name": ""}, 422, "bad_input"),
        ("GET", "/api/instances?limit=0", None, 422, "bad_input"),
        ("GET", "/api/instances?state=lost", None, 422, "bad_input"),
        ("GET", "/api/nothing", None, 404, "not_found"),
        ("DELETE", "/api/instances", None, 405, "method_not_allowed"),
    ],
)
def test_a_wrong_call_is_a_problem_document_and_changes_nothing(
    plain: Api, engine: Engine, method: str, path: str, body: Any, status: int, code: str
) -> None:
    plain.post("/api/instances", {"process_id": "plain"})
    before = state(engine)

    document = problem(plain.call(method, path, body), status)

    assert document["code"] == code
    assert state(engine) == before


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"{broken", "application/json", 400),
        (b'{"process_id": "plain", "process_id": "plain"}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 5000, "application/json", 400),
        (b'{"process_id": "plain", "variables": {"x": NaN}}', "application/json", 400),
        (b"process_id=plain", "application/x-www-form-urlencoded", 415),
    ],
    ids=["broken", "twice", "no_utf8", "deep", "nan", "form"],
)
def test_a_body_that_is_no_json_is_refused(
    plain: Api, engine: Engine, data: bytes, kind: str, status: int
) -> None:
    before = state(engine)

    problem(plain.call("POST", "/api/instances", data=data, content_type=kind), status)

    assert state(engine) == before


def test_a_completed_task_is_a_conflict(plain: Api, engine: Engine) -> None:
    plain.post("/api/instances", {"process_id": "plain"})
    task = plain.get("/api/tasks")["items"][0]["id"]
    plain.post(f"/api/tasks/{task}/complete", {"variables": {"x": 1}})
    before = state(engine)

    for verb in ("complete", "claim", "unclaim"):
        assert problem(plain.call("POST", f"/api/tasks/{task}/{verb}"), 409)["code"] == "conflict"

    assert state(engine) == before


WRONG_HEADERS = (
    None,
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong",
    "Basic YTpi",
    "Bearer " + "x" * 5000,
    f"Bearer {UNKNOWN}.secret",
)


@pytest.mark.parametrize("header", WRONG_HEADERS, ids=lambda header: str(header)[:20])
def test_no_route_answers_without_a_token(client: FlaskClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    for route in ROUTES:
        path = route.path.replace("{", "").replace("}", "")

        answer = client.open(path, method=route.method, headers=headers)

        assert problem(answer, 401)["code"] == "unauthorised"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("role", ROLES)
def test_every_route_is_closed_to_roles_without_its_right(
    client: FlaskClient, engine: Engine, role: str
) -> None:
    api = api_of(client, engine, role)
    before = state(engine)
    for route in ROUTES:
        path = re.sub(r"{\w+}", UNKNOWN, route.path)

        answer = api.call(route.method, path)

        if route.right in ROLES[role]:
            assert answer.status_code not in (401, 403, 500), route.name
        else:
            document = problem(answer, 403)
            assert role in document["detail"]
    assert state(engine) == before


def test_a_service_far_behind_says_when_to_come_back(settings: Settings) -> None:
    clock = VirtualClock(datetime(2026, 5, 1, tzinfo=UTC))
    late = Engine(settings, clock=clock)
    timer = drawn(TIMER)
    late.deploy({"plain.bpmn": timer.encode()}, by="test")
    late.start("plain")
    clock.advance(settings.max_due_age_s + 120)
    api = api_of(create_app(settings, engine=late).test_client(), late, "operator")

    answer = api.call("POST", "/api/instances", {"process_id": "plain"})

    assert problem(answer, 429)["code"] == "too_busy"
    assert int(answer.headers["Retry-After"]) >= 1
    assert len(late.cases()) == 1
    late.close()


def test_erased_values_leave_the_history_and_not_its_rows(plain: Api) -> None:
    case = plain.post("/api/instances", {"process_id": "plain", "variables": {"phone": "123"}})
    path = f"/api/instances/{case['id']}"
    before = plain.get(f"{path}/history")["items"]

    erased = plain.post(f"{path}/erase", {"names": ["phone"], "why": "asked for"})

    after = plain.get(f"{path}/history")["items"]
    assert erased == {"instance": case["id"], "rows": 1}
    assert [row["seq"] for row in after[:-1]] == [row["seq"] for row in before]
    assert [row["value"] for row in after if row["name"] == "phone"] == [None]


def test_a_revoked_token_is_worthless(client: FlaskClient, engine: Engine) -> None:
    token, secret = engine.create_token("ann", role="admin", by="test")
    assert Api(client, secret).get("/api/definitions")

    engine.revoke_token(token.id, by="test")

    problem(Api(client, secret).call("GET", "/api/definitions"), 401)


def test_every_answer_has_the_security_headers(client: FlaskClient, admin: Api) -> None:
    answers = [
        client.get("/healthz"),
        client.get("/api/openapi.json"),
        client.get("/nothing"),
        client.get("/api/tasks"),
        admin.call("GET", "/api/tasks"),
    ]

    for answer in answers:
        assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_a_fault_of_ours_shows_nothing_of_the_inside(
    settings: Settings, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(settings, engine=engine)

    def broken() -> str:
        raise RuntimeError("the password is 1234")

    # in the place of a known route: one that nobody has declared is refused before it runs
    app.view_functions["health.healthz"] = broken
    answer = app.test_client().get("/healthz")

    problem(answer, 500)
    assert "1234" not in answer.text
    assert "1234" in caplog.text


def test_a_draft_is_shown_in_the_language_that_the_caller_accepts(
    admin: Api, engine: Engine
) -> None:
    broken = drawn().replace('id="work"', 'id="other"').encode()
    kept = admin.call(
        "POST", "/api/drafts?title=Autumn", data={"file": (io.BytesIO(broken), "plain.bpmn")}
    )
    assert kept.status_code == 201
    assert kept.json is not None
    path = f"/api/drafts/{kept.json['id']}"

    told = {
        language: admin.call("GET", path, headers={"Accept-Language": language}).json
        for language in ("zh-CN", "en", "fr")
    }
    texts = {language: shown["problems"][0]["message"] for language, shown in told.items() if shown}

    assert texts["en"] == texts["fr"]
    assert texts["zh-CN"] != texts["en"]
    assert admin.call("GET", f"{path}/files/plain.bpmn").data == broken
    assert problem(admin.call("POST", f"{path}/deploy", {}), 422)["code"] == "deployment_refused"
    assert engine.definitions() == []
    whole = {"file": (io.BytesIO(drawn().encode()), "plain.bpmn")}
    assert admin.call("PUT", f"{path}?revision=1", data=whole).status_code == 200
    problem(admin.call("POST", f"{path}/discard", {"revision": 1}), 409)
    assert admin.call("POST", f"{path}/deploy", {"revision": 2}).status_code == 201
    assert admin.get("/api/drafts")["items"] == []
    problem(admin.call("GET", path), 404)
