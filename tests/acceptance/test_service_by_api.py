"""A whole case through the JSON API alone: a portal, an app or a partner's system could do this."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from engine import worker
from engine.clock import VirtualClock
from engine.registry import Registry
from engine.runtime import Engine
from engine.settings import Settings
from handlers.records import Records
from handlers.staff import Worker, employ
from tests import story
from web.app import create_app
from web.demo import shipped

KEY = "2026-000001"
REQUEST = {
    "case_number": KEY,
    "channel": "web",
    "contact": {"name": "李雷", "email": "li@example.com"},
    "language": "zh",
    "subject": "热水器漏水",
    "text": "热水器从昨天开始漏水，请尽快派人来修。",
    "attachments": [],
}
#: what people answer, by element, in the order in which the tasks come
FORMS: dict[str, dict[str, Any]] = {
    "listen": {
        "verbatim": "漏水了", "need": "修好热水器", "read_back": True, "category": "fault",
        "impact": "medium", "urgency": "high", "contact_result": "need",
    },
    "choose_methods": {"methods": ["interview"]},
    "collect": {"findings": "接口老化"},
    "write_requirements": {
        "why": "漏水", "what": "更换接口", "who": "住户", "when_needed": "本周",
        "where_used": "家里", "how": "上门", "expected_result": "不再漏水",
        "items": [{"title": "接口", "priority": "high", "criterion": "24 小时不漏"}],
    },
    "draft": {
        "scope": "更换接口并检查", "method": "上门维修", "days": 2, "skill": "repair",
        "lines": [{"title": "人工", "count": 2, "price": 150}], "discount": 0,
        "fit": "full", "effort": "low", "risk": "low",
    },
    "revise": {"discount": 5, "offer_message": "为您优惠 5%"},
    "plan": {
        "promised_on": "2026-03-06",
        "work_orders": [{"title": "上门维修", "skill": "repair", "hours": 3}],
    },
    "accept": {"accepted": True},
    "level_1": {"decision": "take_over", "taken_over_by": "lea", "reason": "Tom 病了"},
    "lead_works": {"hours": 4, "report": "主管完成"},
    "check_quality": {"passed": True, "quality_score": 95, "findings": ""},
    "hand_over": {"explained": "使用说明", "received_by": "李雷"},
}  # fmt: skip


class Service:
    """The API of an installation, as one caller sees it; its clock is moved by the test."""

    def __init__(self, engine: Engine, clock: VirtualClock, client: FlaskClient) -> None:
        self._engine, self._clock, self._client = engine, clock, client
        self._secrets: dict[str, str] = {}

    def call(self, method: str, path: str, body: Any = None, *, by: str = "desk") -> Any:
        """Send a request as a user; return the answer, which must be a good one."""
        if by not in self._secrets:
            self._secrets[by] = self._engine.create_token(by, role="operator", by="test")[1]
        answer = self._client.open(
            f"/api{path}", method=method, data=None if body is None else json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self._secrets[by]}"},
        )  # fmt: skip
        assert answer.status_code < 300, answer.text
        return answer.json

    def work(self, **span: float) -> None:
        """Let the worker do what is due, now or after a while."""
        registry = self._engine.registry
        assert registry is not None
        worker.drain(self._engine, self._clock.now() + timedelta(**span), registry=registry)
        assert self.call("GET", "/incidents")["items"] == []

    def do(self, element: str, by: str = "desk", **more: Any) -> None:
        """Claim and complete the open task at an element."""
        tasks = {one["element_id"]: one for one in self.call("GET", "/tasks")["items"]}
        assert element in tasks, f"open are {sorted(tasks)}"
        path = f"/tasks/{tasks[element]['id']}"
        self.call("POST", f"{path}/claim", by=by)
        self.call("POST", f"{path}/complete", {"variables": FORMS[element] | more}, by=by)
        self.work()

    def say(self, name: str, key: str, **payload: Any) -> str:
        """Send a message as the system in front of the customer would; return its outcome."""
        message = {"name": name, "key": key, "payload": payload, "message_id": f"{name}:{key}"}
        outcome = str(self.call("POST", "/messages", message, by="portal")["outcome"])
        self.work()
        return outcome

    def case(self) -> Any:
        """Return the case of the customer."""
        found = self.call("GET", f"/instances?process_id=service_lifecycle&business_key={KEY}")
        (case,) = found["items"]
        return case

    def history(self, case_id: str) -> list[Any]:
        """Return everything that happened in a case, page by page."""
        rows: list[Any] = []
        after: int | None = 0
        while after is not None:
            page = self.call("GET", f"/instances/{case_id}/history?limit=100&after={after}")
            rows += page["items"]
            after = page["next"]
        return rows


@pytest.fixture
def service(data_folder: Any) -> Iterator[Service]:
    settings = Settings(data_dir=data_folder)
    clock = VirtualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    engine = Engine(settings, clock=clock, registry=Registry.load(settings))
    engine.migrate()
    engine.deploy(shipped(), by="test")
    employ(Records.of(settings), Worker(user="tom", skills=["repair"], teams=["field"]))
    yield Service(engine, clock, create_app(settings, engine=engine).test_client())
    engine.close()


def test_a_customer_is_served_from_contact_to_feedback_by_the_api_alone(service: Service) -> None:
    assert service.say("service_request", KEY, **REQUEST) == "started"
    for element in ("listen", "choose_methods", "collect", "write_requirements"):
        service.do(element)
    assert service.say("needs_confirmed", f"{KEY}/N1", by="李雷") == "delivered"
    service.do("draft")

    # the customer negotiates once and accepts what comes of it
    countered = service.say("proposal_countered", f"{KEY}/P1", comment="便宜一点", by="李雷")
    assert countered == "delivered"
    service.do("revise")
    assert service.say("proposal_accepted", f"{KEY}/P2", by="李雷") == "delivered"

    # delivery is late: it is escalated, and a lead takes the work over
    service.do("plan")
    service.do("accept", by="tom")
    service.work(days=1, minutes=1)
    service.do("level_1", by="lea")
    service.do("lead_works", by="lea")
    service.do("check_quality", by="quinn")
    service.do("hand_over")
    service.work(days=3, hours=2)
    assert service.say("survey_answer", KEY, score=5, comment="很好") == "delivered"

    case = service.case()
    assert case["state"] == "completed"
    variables = service.call("GET", f"/instances/{case['id']}/variables")
    assert (variables["outcome"], variables["score"]) == ("done", 5)
    events = service.history(case["id"])
    assert story.phases(events) == story.PHASES
    assert story.idle(events) == []
    assert story.gaps(events) == []
    assert {event["actor"] for event in events} >= {"portal", "desk", "tom", "lea", "quinn"}


def test_the_same_request_sent_twice_is_one_case(service: Service) -> None:
    assert service.say("service_request", KEY, **REQUEST) == "started"

    assert service.say("service_request", KEY, **REQUEST) == "duplicate"

    assert service.case()["state"] == "running"


def test_an_answer_to_an_old_offer_accepts_nothing(service: Service) -> None:
    service.say("service_request", KEY, **REQUEST)
    for element in ("listen", "choose_methods", "collect", "write_requirements"):
        service.do(element)
    service.say("needs_confirmed", f"{KEY}/N1", by="李雷")
    service.do("draft")
    service.say("proposal_countered", f"{KEY}/P1", comment="便宜一点", by="李雷")
    service.do("revise")

    service.say("proposal_accepted", f"{KEY}/P1", by="李雷")

    variables = service.call("GET", f"/instances/{service.case()['id']}/variables")
    assert variables.get("agreement") != "agreed"
    assert service.say("proposal_accepted", f"{KEY}/P2", by="李雷") == "delivered"
