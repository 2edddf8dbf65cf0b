"""The cases of the demonstration: who asks what, what is answered, and where each case stops.

Texts only; web/demo_cases.py plays them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

#: the address of the user `customer`: these cases are shown under "My requests"
OWN = "customer@example.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One case of the demonstration."""

    #: names it for good: the same story never begins twice
    key: str
    language: str
    name: str
    email: str
    text: str
    #: hours before now at which it begins, and minutes between two acts
    began_h: float
    pace_min: float
    #: elements or messages at which nobody acts any more
    stop: frozenset[str]
    category: str = "fault"
    impact: str = "medium"
    urgency: str = "medium"
    #: what was understood, and what comes of it
    need: str = ""
    scope: str = ""
    #: title, count, price
    lines: tuple[tuple[str, int, str], ...] = ()
    skill: str = "repair"
    #: a question that the desk asks first, and what the customer answers
    question: str = ""
    reply: str = ""
    #: what the customer wants changed in the first offer; empty: it is accepted
    counter: str = ""
    #: why the customer withdraws, when everything else has stopped
    withdraws: str = ""
    score: int = 5
    comment: str = ""
    #: durations that replace the usual ones
    times: Mapping[str, str] = field(default_factory=dict)


STORIES: tuple[Story, ...] = (
    Story(
        key="demo-zh-closed", language="zh", name="林小雨", email=OWN, began_h=150, pace_min=95,
        text="三楼会议室的空调不制冷，下周有客户来访，希望尽快修好。",
        need="会议室空调维修，客户来访前恢复制冷",
        scope="检修三楼会议室空调，更换压缩机电容，加注冷媒",
        lines=(("上门检修", 1, "280"), ("压缩机电容", 1, "165.50"), ("冷媒加注", 2, "120")),
        stop=frozenset(), score=5, comment="师傅很专业，当天就修好了。",
        times={"after_sales": "PT6H", "survey_delay": "PT1H"},
    ),
    Story(
        key="demo-en-late", language="en", name="Daniel Reed", email="daniel.reed@example.com",
        text="The conveyor at packing line 2 stops every hour and has to be restarted by hand.",
        began_h=60, pace_min=50, impact="high", urgency="high",
        need="Find out why the conveyor stops, and mend it",
        scope="Replace the worn drive belt and the proximity sensor of line 2, test under load",
        lines=(("Visit", 1, "420"), ("Drive belt", 1, "310"), ("Proximity sensor", 2, "84.90")),
        stop=frozenset({"do_work", "level_1", "level_2", "level_3", "tell_delay"}),
        times={"work": "P1D", "level_1": "PT30H"},
    ),
    Story(
        key="demo-zh-offer", language="zh", name="林小雨", email=OWN, began_h=46, pace_min=40,
        text="我们准备在新仓库安装二十个监控摄像头，想了解方案和价格。", category="purchase",
        need="新仓库安装 20 个监控摄像头，录像保存 30 天", skill="install",
        scope="供应并安装 20 个网络摄像头、录像主机与布线，录像保存 30 天",
        lines=(("网络摄像头", 20, "165"), ("录像主机", 1, "780"), ("布线与安装", 1, "600")),
        counter="安装费能否优惠一些？我们年底还有第二个仓库。",
        stop=frozenset({"proposal_accepted@2"}), times={"proposal": "P9D"},
    ),
    Story(
        key="demo-en-survey", language="en", name="Amelia Clark", email="amelia.clark@example.com",
        text="Please install the accounting package on three new laptops before the audit starts.",
        began_h=40, pace_min=45, category="consultation", skill="software", impact="low",
        need="Accounting package on three laptops, ready before the audit",
        scope="Install and set up the accounting package on three laptops, move the templates",
        lines=(("Installation per laptop", 3, "95"), ("Moving of templates", 1, "140")),
        stop=frozenset({"survey_answer"}),
        times={"after_sales": "PT2H", "survey_delay": "PT30M", "survey": "P9D"},
    ),
    Story(
        key="demo-zh-withdrawn", language="zh", name="周文涛", email="zhou.wentao@example.com",
        text="想给前台换一台饮水机，请报价。", began_h=30, pace_min=60, category="purchase",
        need="前台饮水机更换", stop=frozenset({"choose_methods"}),
        withdraws="公司决定统一采购，先不需要了。",
    ),
    Story(
        key="demo-zh-working", language="zh", name="陈立", email="chen.li@example.com",
        text="厂区门禁读卡器经常读不到卡，员工早上排队很久。",
        began_h=26, pace_min=35, impact="high",
        need="门禁读卡稳定，早高峰不排队", scope="更换四台门禁读卡器，升级控制器固件",
        lines=(("读卡器", 4, "260"), ("固件升级", 1, "180"), ("上门服务", 1, "200")),
        stop=frozenset({"do_work"}), times={"work": "P3D"},
    ),
    Story(
        key="demo-en-design", language="en", name="Sofia Marino", email="sofia.marino@example.com",
        text="Our web shop needs a nightly export of orders to the warehouse system.",
        began_h=20, pace_min=40, category="purchase", skill="software",
        need="Nightly export of orders, with a report of what failed",
        stop=frozenset({"draft"}),
    ),
    Story(
        key="demo-zh-confirm", language="zh", name="林小雨", email=OWN, began_h=9, pace_min=25,
        text="希望给客服团队做一次投诉处理的培训，大约十五个人。", category="consultation",
        need="十五人投诉处理培训，一天，含情景演练", skill="consulting",
        stop=frozenset({"needs_confirmed"}), times={"confirm": "P6D"},
    ),
    Story(
        key="demo-en-question", language="en", name="Peter Novak", email="peter.novak@example.com",
        text="The printer does not work again.", began_h=5, pace_min=20,
        question="Which printer is it (the number is on the front), and what does its display say?",
        stop=frozenset({"customer_reply"}), times={"reply": "P6D"},
    ),
    Story(
        key="demo-zh-late", language="zh", name="吴敏", email="wu.min@example.com",
        text="昨天送来的两台显示器有一台屏幕闪烁，请帮忙更换。", began_h=4.5, pace_min=20,
        stop=frozenset({"listen", "level_1", "level_2", "level_3"}), times={"level_1": "PT12H"},
    ),
    Story(
        key="demo-en-new", language="en", name="Grace Kim", email="grace.kim@example.com",
        text="Could somebody look at the leaking tap in the kitchen on floor 5? It drips all day.",
        began_h=0.6, pace_min=20, stop=frozenset({"listen"}),
    ),
    Story(
        key="demo-zh-new", language="zh", name="许静", email="xu.jing@example.com",
        text="电梯里的应急通话按钮按下去没有反应，请尽快检查，比较着急。", began_h=0.3, pace_min=20,
        impact="high", urgency="high", stop=frozenset({"listen"}),
    ),
)  # fmt: skip


def form(story: Story, element_id: str, now_date: str) -> dict[str, Any] | None:
    """Return what is typed into the form of a task; None: the demonstration does not know it."""
    zh = story.language == "zh"
    need = story.need or story.text
    forms: dict[str, dict[str, Any]] = {
        "listen": {
            "verbatim": story.text, "need": need, "read_back": True, "category": story.category,
            "impact": story.impact, "urgency": story.urgency, "contact_result": "need",
        },
        "choose_methods": {"methods": ["interview"]},
        "collect": {"findings": f"电话访谈：{need}。" if zh else f"By phone: {need}."},
        "write_requirements": _requirements(story, need),
        "draft": {
            "scope": story.scope, "method": "现场实施" if zh else "On site", "days": 3,
            "skill": story.skill, "discount": 0, "fit": "full", "effort": "medium", "risk": "low",
            "lines": [{"title": t, "count": c, "price": Decimal(p)} for t, c, p in story.lines],
        },
        "expert_review": {"approved": True, "comment": "可行" if zh else "Feasible"},
        "approve": {"approved": True, "comment": "同意" if zh else "Agreed"},
        "revise": {
            "discount": 5,
            "offer_message": "安装费已为您优惠 5%。" if zh else "We have taken 5 % off.",
        },
        "plan": {
            "promised_on": now_date,
            "work_orders": [{"title": story.scope[:60], "skill": story.skill, "hours": 4}],
        },
        "accept": {"accepted": True},
        "do_work": {"hours": 3, "report": "已完成并测试。" if zh else "Done and tested."},
        "check_quality": {"passed": True, "quality_score": 5, "findings": ""},
        "hand_over": {
            "explained": "使用方法与保养" if zh else "Use and care", "received_by": story.name
        },
    }  # fmt: skip
    if element_id == "listen" and story.question:
        asked = {"contact_result": "question", "reply": story.question, "category": "other"}
        return forms["listen"] | asked
    return forms.get(element_id)


def _requirements(story: Story, need: str) -> dict[str, Any]:
    zh = story.language == "zh"
    return {
        "why": story.text, "what": need, "who": story.name,
        "when_needed": "两周内" if zh else "Within two weeks",
        "where_used": "客户现场" if zh else "On the customer's site",
        "how": "上门服务" if zh else "A visit on site",
        "expected_result": need,
        "items": [{
            "title": need, "priority": "high",
            "criterion": "客户现场验收通过" if zh else "Accepted by the customer on site",
        }],
    }  # fmt: skip
