"""A process with one task whose form has every kind of component."""

from __future__ import annotations

import json
from typing import Any

PROCESS = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="sample" targetNamespace="urn:sample">
  <bpmn:process id="needs" name="需求分析" isExecutable="true">
    <bpmn:extensionElements><zeebe:properties>
      <zeebe:property name="name.en" value="Needs analysis" />
    </zeebe:properties></bpmn:extensionElements>
    <bpmn:startEvent id="begin"><bpmn:outgoing>f1</bpmn:outgoing></bpmn:startEvent>
    <bpmn:userTask id="clarify" name="澄清客户需求">
      <bpmn:documentation>Call the customer **today**, and write down what was said.

- what is wanted
- by when</bpmn:documentation>
      <bpmn:extensionElements>
        <zeebe:userTask />
        <zeebe:formDefinition formId="clarify_needs" />
        <zeebe:assignmentDefinition candidateGroups="front_desk,analysts" />
        <zeebe:taskSchedule dueDate="=due_at" />
        <zeebe:priorityDefinition priority="=if urgent then 90 else 50" />
        <zeebe:properties>
          <zeebe:property name="name.en" value="Clarify the customer's needs" />
          <zeebe:property name="documentation.zh" value="今天给客户打电话，并记录沟通内容。" />
        </zeebe:properties>
      </bpmn:extensionElements>
      <bpmn:incoming>f1</bpmn:incoming><bpmn:outgoing>f2</bpmn:outgoing>
    </bpmn:userTask>
    <bpmn:userTask id="file_it" name="归档">
      <bpmn:extensionElements>
        <zeebe:userTask />
        <zeebe:assignmentDefinition candidateGroups="front_desk" />
        <zeebe:properties><zeebe:property name="name.en" value="File the case" /></zeebe:properties>
      </bpmn:extensionElements>
      <bpmn:incoming>f2</bpmn:incoming><bpmn:outgoing>f3</bpmn:outgoing>
    </bpmn:userTask>
    <bpmn:endEvent id="end"><bpmn:incoming>f3</bpmn:incoming></bpmn:endEvent>
    <bpmn:sequenceFlow id="f1" sourceRef="begin" targetRef="clarify" />
    <bpmn:sequenceFlow id="f2" sourceRef="clarify" targetRef="file_it" />
    <bpmn:sequenceFlow id="f3" sourceRef="file_it" targetRef="end" />
  </bpmn:process>
</bpmn:definitions>
"""


def part(kind: str, key: str = "", label: str = "", en: str = "", **more: Any) -> dict[str, Any]:
    """Return a component as the form editor writes it."""
    properties = {**({"label.en": en} if en else {}), **more.pop("properties", {})}
    made: dict[str, Any] = {"type": kind, "id": f"Field_{key or kind}", **more}
    if label:
        made["label"] = label
    if key:
        made["key"] = key
    return made | ({"properties": properties} if properties else {})


def form(*parts: dict[str, Any], id: str = "clarify_needs") -> bytes:
    """Return the file of a form."""
    whole = {"id": id, "type": "default", "schemaVersion": 18, "components": list(parts)}
    return json.dumps(whole, ensure_ascii=False).encode()


CHANNELS = [
    {"label": "电话", "value": "phone"},
    {"label": "邮件", "value": "mail"},
    {"label": "上门", "value": "visit"},
]
IN_ENGLISH = {"value.phone.en": "Phone", "value.mail.en": "E-mail", "value.visit.en": "Visit"}

EVERY_KIND = form(
    {"type": "text", "id": "t", "text": "### 客户需求\n请**完整**填写。{{customer_name}}",
     "properties": {"text.en": "### What the customer needs\nFill in **everything**, "
                               "{{customer_name}} waits."}},
    part("textfield", "contact.name", "联系人", "Contact",
         validate={"required": True, "maxLength": 40},
         layout={"row": "r1", "columns": 8}),
    part("textfield", "contact.email", "邮箱", "E-mail", validate={"validationType": "email"},
         layout={"row": "r1", "columns": 8}),
    part("number", "budget", "预算", "Budget", decimalDigits=2,
         validate={"min": 0, "max": "=limit"},
         appearance={"prefixAdorner": "¥"}, description="不含税",
         properties={"description.en": "Without tax"}, layout={"row": "r2", "columns": 5}),
    part("datetime", "wanted_by", "期望日期", "Wanted by", subtype="date",
         layout={"row": "r2", "columns": 5}),
    part("datetime", "call_at", "回电时间", "Call back at", subtype="datetime",
         layout={"row": "r2", "columns": 6}),
    part("select", "kind", "类型", "Kind", values=[{"label": "维修", "value": "repair"},
         {"label": "安装", "value": "install"}], validate={"required": True},
         properties={"value.repair.en": "Repair", "value.install.en": "Installation"}),
    part("radio", "channel", "渠道", "Channel", values=CHANNELS, properties=IN_ENGLISH),
    part("textfield", "address", "上门地址", "Address of the visit", validate={"required": True},
         conditional={"hide": '=channel != "visit"'}),
    part("checklist", "topics", "主题", "Topics", values=CHANNELS, properties=IN_ENGLISH),
    part("taglist", "tags", "标签", "Tags", valuesKey="known_tags"),
    {"type": "separator", "id": "s"},
    {"type": "dynamiclist", "id": "l", "path": "items", "label": "明细", "defaultRepetitions": 1,
     "properties": {"label.en": "Lines"}, "allowAddRemove": True, "components": [
         part("textfield", "what", "内容", "What", validate={"required": True}),
         part("number", "qty", "数量", "Quantity", validate={"min": 1})]},
    {"type": "table", "id": "tb", "label": "历史订单", "dataSource": "=orders",
     "properties": {"label.en": "Earlier orders", "column.no.en": "Number", "column.sum.en": "Sum"},
     "columns": [{"label": "编号", "key": "no"}, {"label": "金额", "key": "sum"}]},
    {"type": "group", "id": "g", "label": "结论", "properties": {"label.en": "Conclusion"},
     "components": [part("textarea", "summary", "小结", "Summary", validate={"maxLength": 500}),
                    part("checkbox", "agreed", "客户已确认", "The customer agrees")]},
    {"type": "html", "id": "h", "content": "<p>Help: <a href='https://example.com'>guide</a>"
                                         "<script>alert(1)</script></p>"},
    {"type": "expression", "id": "x", "key": "total", "expression": "=sum(items.qty)"},
)  # fmt: skip

FILES = {"needs.bpmn": PROCESS.encode(), "clarify_needs.form": EVERY_KIND}
VARIABLES: dict[str, Any] = {
    "customer_name": "王小明", "limit": 50000, "urgent": False, "known_tags": ["VIP", "老客户"],
    "orders": [{"no": "A-1", "sum": 1200}, {"no": "A-2", "sum": 80}],
    "contact": {"name": "王小明", "phone": "+86 10 5555 0100"}, "due_at": None,
    "request": "洗衣机漏水，希望本周内上门维修。之前已经来过一次。",
}  # fmt: skip
