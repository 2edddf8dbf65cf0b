"""The service as it is drawn: whole cases on the real engine, with a clock that only tests move."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine import worker
from engine.clock import VirtualClock
from engine.model import Instance, UserTask
from engine.registry import Registry
from engine.runtime import Engine
from engine.settings import Settings
from handlers import records as tables
from handlers.records import Records
from handlers.staff import Worker, employ
from web.bundles import read_bundle

PROCESSES = Path(__file__).resolve().parent.parent.parent / "processes"
ZH: dict[str, Any] = {
    "case_number": "2026-000001",
    "channel": "email",
    "contact": {"name": "李雷", "email": "li@example.com", "phone": "+86 139 0000 0000"},
    "subject": "热水器漏水",
    "text": "热水器从昨天开始漏水，请尽快派人来修。",
}
#: what people type into the forms, by element
FORMS: dict[str, dict[str, Any]] = {
    "listen": {
        "verbatim": "漏水了", "need": "修好热水器", "read_back": True, "category": "fault",
        "impact": "medium", "urgency": "high", "contact_result": "need",
    },
    "choose_methods": {"methods": ["interview", "data"]},
    "collect": {"findings": "接口老化"},
    "write_requirements": {
        "why": "漏水", "what": "更换接口", "who": "住户", "when_needed": "本周",
        "where_used": "家里", "how": "上门", "expected_result": "不再漏水",
        "items": [{"title": "接口", "priority": "high", "criterion": "24 小时不漏"}],
    },
    "draft": {
        "scope": "更换接口并检查", "method": "上门维修", "days": 2, "skill": "repair",
        "lines": [
            {"title": "人工", "count": 2, "price": 150}, {"title": "接口", "count": 1, "price": 99},
        ],
        "discount": 0, "fit": "full", "effort": "low", "risk": "low",
    },
    "revise": {"discount": 5, "offer_message": "为您优惠 5%"},
    "plan": {
        "promised_on": "2026-03-06",
        "work_orders": [{"title": "上门维修", "skill": "repair", "hours": 3}],
    },
    "accept": {"accepted": True},
    "do_work": {"hours": 2, "report": "已更换接口"},
    "lead_works": {"hours": 4, "report": "主管完成"},
    "check_quality": {"passed": True, "quality_score": 5, "findings": ""},
    "hand_over": {"explained": "使用说明", "received_by": "李雷"},
    "level_1": {"decision": "continue", "reason": "知道了"},
    "approve": {"approved": True, "comment": "同意"},
    "call_back": {"cause": "迟到", "promise": "下次准时"},
    "answer_customer": {"answer": "明天上午到"},
}  # fmt: skip
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Desk:
    """One installation: its engine, its people, and one case."""

    def __init__(self, folder: Path, settings: Settings | None = None) -> None:
        self.clock = VirtualClock(START)
        settings = settings or Settings(data_dir=folder)
        self.registry = Registry.load(settings)
        self.engine = Engine(settings, clock=self.clock, registry=self.registry)
        self.engine.migrate()
        self.records = Records.of(settings)
        bundle = read_bundle([PROCESSES], limit=settings.upload_limit)
        problems = [p for p in self.engine.check(bundle) if p.stops]
        assert problems == []
        self.engine.deploy(bundle, by="admin")
        self.case: Instance

    def begin(self, **more: Any) -> None:
        """Let the customer ask."""
        self.case = self.engine.start("service_lifecycle", ZH | more, business_key="2026-000001")
        self.work()

    def work(self) -> None:
        """Let the worker do what is due now."""
        worker.drain(self.engine, self.clock.now(), registry=self.registry)
        assert [i.message for i in self.engine.incidents()] == []

    def wait(self, **span: float) -> None:
        """Let time pass."""
        worker.drain(self.engine, self.clock.now() + timedelta(**span), registry=self.registry)
        assert [i.message for i in self.engine.incidents()] == []

    def tasks(self, element: str | None = None) -> list[UserTask]:
        """Return the open tasks of the case."""
        found = self.engine.tasks(instance_id=self.case.id)
        return [one for one in found if element in (None, one.element_id)]

    def do(self, element: str, by: str = "ann", **more: Any) -> UserTask:
        """Complete the oldest open task at an element."""
        found = self.tasks(element)
        assert found, f"no task {element}; open: {[t.element_id for t in self.tasks()]}"
        self.engine.complete(found[0].id, FORMS.get(element, {}) | more, by=by)
        self.work()
        return found[0]

    def say(self, name: str, key: str = "2026-000001", **payload: Any) -> str:
        """Let the customer send a message; return what became of it."""
        outcome = self.engine.correlate(name, key=key, payload=payload).outcome
        self.work()
        return outcome

    @property
    def variables(self) -> dict[str, Any]:
        """The variables of the case."""
        return self.engine.variables(self.case.id)

    def contact_variables(self) -> dict[str, Any]:
        """Return the variables of the phase in which the customer is heard."""
        return self.engine.variables(self.tasks("listen")[0].instance_id)

    @property
    def state(self) -> str:
        """The state of the case."""
        return str(self.engine.case(self.case.id).state)

    def passed(self) -> list[str]:
        """Return the elements in the order in which they were reached first."""
        found: list[str] = []
        for row in self.history():
            if row.kind == "element.activated" and row.element_id not in found:
                found.append(str(row.element_id))
        return found

    def history(self) -> list[Any]:
        """Return everything that has happened."""
        rows: list[Any] = []
        while more := self.engine.history(
            self.case.id, after=rows[-1].seq if rows else 0, limit=500
        ):
            rows += more
        return rows

    # ---- whole phases

    def to_needs(self) -> None:
        self.do("listen")

    def to_design(self) -> None:
        self.to_needs()
        self.do("choose_methods")
        self.do("collect")
        self.do("collect")
        self.do("write_requirements")
        assert self.say("needs_confirmed", "2026-000001/N1", by="李雷") == "delivered"

    def to_talks(self) -> None:
        self.to_design()
        self.do("draft")

    def to_execution(self) -> None:
        self.to_talks()
        assert self.say("proposal_accepted", "2026-000001/P1", by="李雷") == "delivered"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Return an installation with two technicians."""
    made = Desk(tmp_path)
    employ(made.records, Worker(user="tom", skills=["repair"], teams=["field"], capacity_hours=8))
    employ(
        made.records, Worker(user="una", skills=["software"], teams=["remote"], capacity_hours=8)
    )
    yield made
    made.engine.close()


def test_case_goes_from_contact_to_feedback(desk: Desk) -> None:
    desk.begin()
    desk.to_talks()
    # one round of negotiation
    assert desk.variables["case_number"] == "2026-000001"
    assert (
        desk.say("proposal_countered", "2026-000001/P1", comment="便宜一点", by="李雷")
        == "delivered"
    )
    desk.do("revise")
    assert desk.say("proposal_accepted", "2026-000001/P1", by="李雷") == "buffered"  # the old offer
    assert desk.say("proposal_accepted", "2026-000001/P2", by="李雷") == "delivered"
    desk.do("plan", by="dan")
    desk.do("accept", by="tom")
    # late: escalated, and taken over by a lead
    desk.wait(days=1, minutes=1)
    desk.do("level_1", by="lea", decision="take_over", taken_over_by="lea", reason="Tom 病了")
    assert [t.element_id for t in desk.tasks()] == ["lead_works"]
    assert desk.tasks()[0].assignee == "lea"
    desk.do("lead_works", by="lea")
    desk.do("check_quality", by="quinn")
    desk.do("hand_over", by="dan")
    desk.wait(days=3, hours=2)
    assert desk.say("survey_answer", score=5, comment="很好") == "delivered"

    assert desk.state == "completed"
    assert desk.variables["outcome"] == "done"
    phases = [
        "contact",
        "needs",
        "design",
        "talks",
        "delivery_phase",
        "after_sales_phase",
        "feedback",
    ]
    assert [one for one in desk.passed() if one in phases] == phases
    check_never_idle(desk)


def check_never_idle(desk: Desk) -> None:
    """Between two transactions of an open case something is always active."""
    active: dict[int, str] = {}
    last_at = None
    for row in desk.history():
        if last_at is not None and row.at != last_at:
            assert active, f"nothing is active at {row.at}"
        last_at = row.at
        if row.kind == "element.activated":
            active[row.token] = row.element_id
        elif row.kind in ("element.completed", "element.cancelled"):
            active.pop(row.token, None)


def test_customer_withdraws_while_the_work_runs(desk: Desk) -> None:
    desk.begin()
    desk.to_execution()
    desk.do("plan")
    desk.do("accept", by="tom")
    quote_id = desk.variables["quote"]["quote_id"]
    accepted = desk.records.get(tables.quote, id=quote_id)
    assert accepted is not None
    assert accepted["state"] == "accepted"

    assert desk.say("customer_withdraws", reason="搬家") == "delivered"

    # then nothing is open, what was agreed is undone, and who was assigned is free
    assert (desk.state, desk.tasks()) == ("completed", [])
    assert desk.variables["outcome"] == "withdrawn"
    undone = desk.records.get(tables.quote, id=quote_id)
    assert undone is not None
    assert undone["state"] == "void"
    orders = desk.records.all(tables.work_order, case_number="2026-000001")
    assert [one["state"] for one in orders] == ["cancelled"]
    check_never_idle(desk)


def test_customer_withdraws_before_anything_is_agreed(desk: Desk) -> None:
    desk.begin()

    desk.say("customer_withdraws", reason="不需要了")

    assert (desk.state, desk.variables["outcome"]) == ("completed", "withdrawn")
    assert "void_quote" not in desk.passed()


def test_customer_declines(desk: Desk) -> None:
    desk.begin()
    desk.to_talks()

    desk.say("proposal_declined", "2026-000001/P1", comment="太贵")

    assert (desk.state, desk.variables["outcome"]) == ("completed", "declined")
    assert "delivery_phase" not in desk.passed()


def test_proposal_without_answer_is_reminded_once_and_expires(desk: Desk) -> None:
    desk.begin()
    desk.to_talks()

    desk.wait(days=5, minutes=1)
    assert desk.passed().count("remind") == 1
    assert desk.state == "running"
    desk.wait(days=5, minutes=1)

    assert (desk.state, desk.variables["outcome"]) == ("completed", "expired")


def decided(desk: Desk, decision: str) -> Any:
    """Return what a decision of the case came to, the last time it was made."""
    row = next(row for row in desk.engine.decided(desk.case.id) if row.name == decision)
    return next(one["value"] for one in row.value if one["decision"] == decision)


def test_customer_of_many_orders_becomes_a_preferred_one(desk: Desk) -> None:
    tiers = []
    for number in range(1, 5):
        case_number = f"2026-00000{number}"
        desk.case = desk.engine.start(
            "service_lifecycle", ZH | {"case_number": case_number}, business_key=case_number
        )
        desk.work()
        tiers.append(decided(desk, "customer_tier"))
        desk.do("listen")
        desk.do("choose_methods", methods=["data"])
        desk.do("collect")
        desk.do("write_requirements")
        desk.say("needs_confirmed", f"{case_number}/N1", by="李雷")
        desk.do("draft")
        assert desk.say("proposal_accepted", f"{case_number}/P1", by="李雷") == "delivered"

    # three orders within the year: the fourth time they are preferred, and answered sooner
    assert tiers == ["standard", "standard", "standard", "preferred"]
    assert desk.variables["customer"]["tier"] == "preferred"
    assert desk.variables["customer"]["orders"] == 3
    assert desk.variables["sla"]["resolution"] == "P7D"


def test_clocks_follow_the_priority_once_it_is_known(desk: Desk) -> None:
    desk.begin()
    assert desk.contact_variables()["sla"]["first_response"] == "PT4H"

    desk.do("listen", impact="high", urgency="high")

    assert desk.variables["priority"] == "P1"
    assert desk.variables["sla"] == {
        "first_response": "PT30M", "resolution": "P2D", "calendar": "always", "pauses": [],
    }  # fmt: skip


def test_large_project_cannot_skip_what_its_depth_asks_for(desk: Desk) -> None:
    desk.begin()
    desk.do("listen", category="purchase", budget=150000)

    desk.do("choose_methods", methods=["questionnaire"])

    assert len(desk.tasks("collect")) == 4
    methods = desk.engine.variables(desk.tasks("collect")[0].instance_id)["methods"]
    assert methods == ["questionnaire", "interview", "data", "swot"]


def test_solution_with_too_few_points_goes_back_to_the_draft(desk: Desk) -> None:
    desk.begin()
    desk.to_design()

    desk.do("draft", fit="partly", effort="high", risk="high")

    assert [one.element_id for one in desk.tasks()] == ["draft"]
    assert decided(desk, "evaluate_solution") == 20
    # the third time it does, the lead is asked; the draft stays open
    desk.do("draft", fit="partly", effort="high", risk="high")
    desk.do("draft", fit="partly", effort="high", risk="high")
    assert {one.element_id for one in desk.tasks()} == {"draft", "level_1"}


@pytest.mark.parametrize(
    ("points", "goes_on"),
    [(("partly", "low", "high"), False), (("partly", "medium", "medium"), True)],
)
def test_fifty_points_are_enough(desk: Desk, points: tuple[str, ...], goes_on: bool) -> None:
    desk.begin()
    desk.to_design()

    desk.do("draft", **dict(zip(("fit", "effort", "risk"), points, strict=True)))

    assert (desk.tasks("draft") == []) is goes_on


def test_reply_leaves_on_the_channel_of_the_request(desk: Desk) -> None:
    desk.begin(channel="wechat")
    noted = desk.records.all(tables.message, direction="out")

    assert [one["channel"] for one in noted] == ["wechat"]
    (mail,) = desk.engine.settings.outbox_dir.glob("*.eml")
    assert b"X-Caseway-Channel: wechat" in mail.read_bytes()


def test_withdrawn_consent_for_a_channel_is_respected(desk: Desk) -> None:
    desk.begin(channel="sms", contact={**ZH["contact"], "withdrawn": ["sms"]})

    assert decided(desk, "reply_channel") == "email"
    noted = desk.records.all(tables.message, direction="out")
    assert [(one["channel"], one["address"]) for one in noted] == [("email", "li@example.com")]


def test_message_on_another_channel_is_answered_there(desk: Desk) -> None:
    desk.begin(channel="phone")
    assert decided(desk, "reply_channel") == "email"
    desk.to_needs()

    desk.say("customer_message", message={"text": "什么时候来？", "channel": "wechat"})
    desk.do("answer_customer")

    assert decided(desk, "reply_channel") == "wechat"
    assert desk.variables["customer"]["reply_channel"] == "wechat"
    sent = desk.records.all(tables.message, direction="out", template="answer")
    assert [one["channel"] for one in sent] == ["wechat"]


def to_after_sales(desk: Desk, text: str) -> None:
    """Bring the case to its first after-sales request."""
    desk.begin()
    desk.to_execution()
    desk.do("plan")
    desk.do("accept", by="tom")
    desk.do("do_work", by="tom")
    desk.do("check_quality")
    desk.do("hand_over")
    assert desk.say("after_sales_request", message={"text": text}) == "delivered"


def test_question_after_delivery_is_answered_at_once(desk: Desk) -> None:
    to_after_sales(desk, "怎么除垢？")

    desk.do("assess", topic="usage", in_warranty=True)

    (task,) = desk.tasks("resolve")
    assert (task.candidate_groups, task.priority) == (("delivery",), 50)
    desk.do("resolve", answer="每月一次")
    assert desk.variables["outcome"] if desk.state == "completed" else desk.tasks() == []


def test_fault_in_warranty_is_a_visit_free_of_charge(desk: Desk) -> None:
    to_after_sales(desk, "又漏水了")

    desk.do("assess", topic="fault", in_warranty=True, hours=1)

    assert decided(desk, "after_sales_type") == {
        "type": "repair", "skill": "repair", "visit": True, "charged": False,
    }  # fmt: skip
    (task,) = desk.tasks("accept")
    assert task.assignee == "tom"
    desk.do("accept", by="tom")
    desk.do("do_work", by="tom")
    assert [one.element_id for one in desk.tasks()] == ["resolve"]


def test_complaint_is_weighed_and_goes_to_the_quality_team(desk: Desk) -> None:
    to_after_sales(desk, "维修把地板弄坏了")

    desk.do("assess", topic="complaint", harm="damage", claimed=12000)

    assert decided(desk, "complaint_severity")["severity"] == "critical"
    (task,) = desk.tasks("resolve")
    assert (task.candidate_groups, task.priority) == (("quality", "lead"), 100)
    assert task.due_at == desk.clock.now() + timedelta(hours=2)
    # the second complaint of the case counts the first one
    desk.do("resolve", answer="我们赔偿")
    desk.say("after_sales_request", message={"text": "还没有赔"})
    desk.do("assess", topic="complaint", harm="none")
    assert decided(desk, "complaint_severity")["severity"] == "moderate"
    # and a plain question after it is no complaint any more
    desk.do("resolve", answer="今天付款")
    desk.say("after_sales_request", message={"text": "怎么除垢？"})
    desk.do("assess", topic="usage")
    assert desk.tasks("resolve")[0].candidate_groups == ("delivery",)
    assert desk.tasks("resolve")[0].priority == 50


def test_rounds_used_up_go_to_the_lead(desk: Desk) -> None:
    desk.begin(max_rounds=1)
    desk.to_talks()

    desk.say("proposal_countered", "2026-000001/P1", comment="再便宜一点")
    desk.do("level_1", by="lea", decision="continue", reason="再谈一次")
    desk.do("revise")
    desk.say("proposal_countered", "2026-000001/P2", comment="还是贵")
    desk.do("level_1", by="lea", decision="give_up", reason="到此为止")

    assert (desk.state, desk.variables["outcome"]) == ("completed", "declined")


def test_large_discount_needs_the_lead(desk: Desk) -> None:
    desk.begin()
    desk.to_design()

    desk.do("draft", discount=20)
    assert [t.candidate_groups for t in desk.tasks()] == [("lead",)]
    desk.do("approve", approved=False, comment="太多")
    desk.do("draft", discount=80)
    # a discount beyond every limit goes back to the draft at once
    desk.do("draft", discount=5)

    assert desk.say("proposal_accepted", "2026-000001/P1", by="李雷") == "delivered"


def test_two_of_three_experts_decide(desk: Desk) -> None:
    desk.begin()
    desk.to_design()

    desk.do("draft", lines=[{"title": "整机", "count": 1, "price": 9000}])
    assert len(desk.tasks("expert_review")) == 3
    desk.do("expert_review", by="eva", approved=True, comment="好")
    desk.do("expert_review", by="ed", approved=True, comment="可行")

    assert desk.tasks() == []
    assert desk.variables["quote"]["total"] == 10170
    called = {one.process_id: one for one in desk.engine.case_view(desk.case.id).called}
    reviews = desk.engine.variables(called["solution_design"].id)["reviews"]
    assert [r and r["approved"] for r in reviews] == [True, True, None]


def test_three_refused_drafts_are_escalated(desk: Desk) -> None:
    desk.begin()
    desk.to_design()

    for _ in range(3):
        desk.do("draft", discount=20)
        desk.do("approve", approved=False, comment="太多")

    # the design goes on while the lead decides
    assert {t.element_id for t in desk.tasks()} == {"draft", "level_1"}
    desk.do("level_1", by="lea")
    assert desk.variables["design_decision"] == "continue"


def test_nobody_free_is_escalated_and_assigned_once_somebody_is(desk: Desk) -> None:
    desk.records.change(tables.staff, {"id": "tom"}, active=False)
    desk.begin()
    desk.to_execution()
    desk.do("plan")
    assert [t.element_id for t in desk.tasks()] == ["level_1"]

    desk.records.change(tables.staff, {"id": "tom"}, active=True)
    desk.do("level_1", by="lea", decision="extend", extension="PT1H", reason="等 Tom 回来")
    desk.wait(hours=1, minutes=1)
    desk.do("level_1", by="lea", decision="continue", reason="Tom 回来了")

    assert [(t.element_id, t.assignee) for t in desk.tasks()] == [("accept", "tom")]


def test_lead_does_what_nobody_else_can(desk: Desk) -> None:
    desk.records.change(tables.staff, {"id": "tom"}, active=False)
    desk.begin()
    desk.to_execution()
    desk.do("plan")

    desk.do("level_1", by="lea", decision="take_over", taken_over_by="lea", reason="我来")
    desk.do("lead_works", by="lea")

    assert [t.element_id for t in desk.tasks()] == ["check_quality"]


def test_escalation_climbs_until_somebody_decides(desk: Desk) -> None:
    desk.begin()

    desk.wait(hours=4, minutes=1)
    assert {t.element_id for t in desk.tasks()} == {"listen", "level_1"}
    desk.wait(hours=1)
    assert "level_2" in {t.element_id for t in desk.tasks()}
    assert desk.say("escalation_notify", to="boss@example.com", text="请关注") == "delivered"
    desk.wait(hours=2)
    (last,) = desk.tasks("level_3")
    assert last.candidate_groups == ("lead", "admin")
    assert last.priority == 100

    desk.do("level_3", by="root", decision="continue", reason="已安排")
    assert [t.element_id for t in desk.tasks()] == ["listen"]


def test_order_that_is_not_accepted_goes_to_somebody_else(desk: Desk) -> None:
    employ(desk.records, Worker(user="sam", skills=["repair"], teams=["field"], capacity_hours=8))
    desk.begin()
    desk.to_execution()
    desk.do("plan")
    (first,) = desk.tasks("accept")
    assert first.assignee == "sam"

    desk.wait(hours=2, minutes=1)

    assert [t.assignee for t in desk.tasks("accept")] == ["tom"]


def test_customer_writes_during_delivery_and_is_answered(desk: Desk) -> None:
    desk.begin()
    desk.to_execution()
    desk.do("plan")

    for text in ("什么时候到？", "几点？"):
        assert (
            desk.say("customer_message", message={"text": text, "subject": "问一下"}) == "delivered"
        )

    assert [t.element_id for t in desk.tasks()].count("answer_customer") == 2
    desk.do("answer_customer")
    desk.do("answer_customer")
    assert [t.element_id for t in desk.tasks()] == ["accept"]


def test_open_question_is_answered_or_given_up(desk: Desk) -> None:
    desk.begin()
    desk.do("listen", contact_result="question", reply="什么型号？")
    desk.say("customer_reply", message={"text": "A-100"})
    assert "A-100" in desk.contact_variables()["text"]

    desk.do("listen", contact_result="question", reply="什么时候买的？")
    desk.wait(days=2, minutes=1)

    assert (desk.state, desk.variables["outcome"]) == ("completed", "not_taken")


def test_answered_at_once_still_asks_for_a_rating(desk: Desk) -> None:
    desk.begin()
    desk.do("listen", contact_result="answered", reply="保修期内免费。")
    desk.wait(hours=2)

    assert desk.say("survey_answer", score=1, comment="慢") == "delivered"
    desk.do("call_back")

    assert (desk.state, desk.variables["outcome"]) == ("completed", "answered")
    assert "needs" not in desk.passed()


def test_needs_are_corrected_reminded_and_confirmed_by_phone(desk: Desk) -> None:
    desk.begin()
    desk.to_needs()
    desk.do("choose_methods", methods=["interview"])
    desk.do("collect")
    desk.do("write_requirements")
    desk.say("needs_corrected", "2026-000001/N1", comment="还有水压问题")
    desk.do("write_requirements")

    desk.wait(days=2, minutes=1)
    desk.wait(days=2, minutes=1)
    desk.do("decide_unconfirmed", needs_result="confirmed", confirmed_by="李雷")

    assert [t.element_id for t in desk.tasks()] == ["draft"]
    assert desk.variables["needs_version"] == 2


def test_survey_without_answer_is_reminded_once(desk: Desk) -> None:
    desk.begin()
    desk.do("listen", contact_result="answered", reply="好的")

    desk.wait(days=7)

    assert (desk.state, desk.variables["survey_result"]) == ("completed", "no_answer")
    sent = [m["template"] for m in desk.records.all(tables.message, direction="out")]
    assert sorted(sent) == ["answer", "received", "survey", "survey_reminder"]


def test_customer_of_another_case_is_recognised(desk: Desk) -> None:
    desk.begin()
    desk.engine.start("service_lifecycle", ZH | {"case_number": "2026-000002"})
    desk.work()

    customers = desk.records.all(tables.customer)
    assert [one["name"] for one in customers] == ["李雷"]


def test_case_starts_by_message_and_without_a_number(desk: Desk) -> None:
    started = {name: value for name, value in ZH.items() if name != "case_number"}

    assert desk.engine.correlate("service_request", payload=started).outcome == "started"
    desk.work()

    (case,) = desk.engine.cases()
    assert desk.engine.variables(case.id)["case_number"] == "2026-000001"
