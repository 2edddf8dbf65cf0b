"""Camunda Forms on the server: every kind of component, conditions, lists, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from tests.unit.web.sample import EVERY_KIND, VARIABLES, form, part
from web import language
from web.forms import Filled, FormDamaged, Sheet, Shown, act_on_rows, fill, load
from web.forms.rich import html, markdown

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module", autouse=True)
def _in_a_request() -> Iterator[None]:
    app = Flask("web")
    language.install(app)
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield


def opened(
    data: bytes, texts: Mapping[str, Sequence[str]] | None = None, *, said_in: str = "en",
    check: bool = False, **variables: Any,
) -> Filled:  # fmt: skip
    """Return a form with variables and what was typed."""
    if texts is not None and "shown" not in texts:
        texts = {**texts, "shown": [f"v.{one}" for one in names(load(data).parts)]}
    sheet = Sheet(variables=variables, texts=texts, language=said_in, zone=SHANGHAI, now=NOW,
                  check=check)  # fmt: skip
    return fill(load(data), sheet)


def names(parts: Sequence[Any]) -> list[str]:
    return [".".join(one.path) for one in parts if one.path]


def sent(data: bytes, *, values: Mapping[str, str | Sequence[str]], **variables: Any) -> Filled:
    """Return what comes of sending a form whose every field was on the page."""
    texts = {f"v.{name}": [text] if isinstance(text, str) else list(text)
             for name, text in values.items()}  # fmt: skip
    return opened(data, texts, check=True, **variables)


def labelled(parts: Sequence[Shown]) -> dict[str, Shown]:
    return {str(one.label): one for one in parts}


def one(kind: str, **more: Any) -> bytes:
    return form(part(kind, "x", "X", **more))


# ------------------------------------------------------------------ showing


def test_every_kind_is_shown_in_the_language_of_the_person() -> None:
    english = labelled(opened(EVERY_KIND, **VARIABLES).parts)
    chinese = labelled(opened(EVERY_KIND, said_in="zh", **VARIABLES).parts)

    assert {"Contact", "Budget", "Kind", "Channel", "Topics", "Tags", "Lines", "Earlier orders",
            "Conclusion"} <= set(english)  # fmt: skip
    assert {"联系人", "预算", "类型", "明细", "结论"} <= set(chinese)
    assert [option.label for option in english["Kind"].options] == ["Repair", "Installation"]
    assert english["Budget"].hint == "Without tax"
    assert english["Earlier orders"].columns == [("no", "Number"), ("sum", "Sum")]
    assert [option.value for option in english["Tags"].options] == ["VIP", "老客户"]


def test_fields_begin_with_the_variables_of_the_case() -> None:
    shown = labelled(opened(EVERY_KIND, **VARIABLES).parts)

    assert shown["Contact"].texts == ["王小明"]


def test_default_value_counts_only_without_a_variable() -> None:
    data = one("textfield", defaultValue="usual")

    assert opened(data).parts[0].texts == ["usual"]
    assert opened(data, x="given").parts[0].texts == ["given"]


def test_rows_of_form_js_become_columns_of_twelve() -> None:
    shown = labelled(opened(EVERY_KIND, **VARIABLES).parts)

    assert (shown["Contact"].width, shown["E-mail"].width, shown["Kind"].width) == (6, 6, 0)


def test_text_is_filled_with_expressions_and_escaped() -> None:
    data = form({"type": "text", "text": "Dear {{name}}, **welcome**"})

    shown = opened(data, name="<b>Eve</b>").parts[0]

    assert shown.content == "<p>Dear &lt;b&gt;Eve&lt;/b&gt;, <strong>welcome</strong></p>"


# ------------------------------------------------------------------ reading


@pytest.mark.parametrize(
    ("kind", "more", "typed", "value"),
    [
        ("textfield", {}, " a b ", "a b"),
        ("textarea", {}, "a\r\nb\n", "a\nb"),
        ("number", {}, "1,234.50", Decimal("1234.50")),
        ("number", {}, "１２", 12),
        ("number", {}, "-3", -3),
        ("number", {"serializeToString": True}, "0.10", "0.10"),
        ("checkbox", {}, "true", True),
        ("checkbox", {}, [], False),
        ("radio", {"values": [{"label": "Two", "value": 2}]}, "2", 2),
        ("select", {"values": [{"label": "A", "value": "a"}]}, "", None),
        ("checklist", {"values": [{"value": "a"}, {"value": "b"}]}, ["b", "a"], ["b", "a"]),
        ("taglist", {"valuesExpression": '=["p", "q"]'}, ["q"], ["q"]),
        ("datetime", {"subtype": "date"}, "2026-03-05", "2026-03-05"),
        ("datetime", {"subtype": "time"}, "08:30", "08:30"),
        ("datetime", {"subtype": "datetime"}, "2026-03-05T08:30", "2026-03-05T08:30+08:00"),
        ("datetime", {"subtype": "datetime", "timeSerializingFormat": "utc_normalized"},
         "2026-03-05T08:30", "2026-03-05T00:30Z"),
        ("datetime", {"subtype": "datetime", "timeSerializingFormat": "no_timezone"},
         "2026-03-05T08:30", "2026-03-05T08:30"),
    ],
)  # fmt: skip
def test_what_was_typed_becomes_a_value(
    kind: str, more: dict[str, Any], typed: Any, value: Any
) -> None:
    filled = sent(one(kind, **more), values={"x": typed})

    assert filled.errors == {}
    assert filled.values == {"x": value}
    assert type(filled.values["x"]) is type(value)


@pytest.mark.parametrize(
    ("kind", "more", "typed"),
    [
        ("textfield", {"validate": {"required": True}}, "  "),
        ("textfield", {"validate": {"minLength": 3}}, "ab"),
        ("textfield", {"validate": {"maxLength": 3}}, "abcd"),
        ("textfield", {"validate": {"pattern": "^[A-Z]+$"}}, "abc"),
        ("textfield", {"validate": {"pattern": "("}}, "abc"),
        ("textfield", {"validate": {"validationType": "email"}}, "nobody"),
        ("textfield", {"validate": {"validationType": "phone"}}, "call me"),
        ("number", {}, "12 apples"),
        ("number", {}, "1e9999"),
        ("number", {}, "9" * 100),
        ("number", {"decimalDigits": 2}, "1.234"),
        ("number", {"validate": {"min": 5}}, "4"),
        ("number", {"validate": {"max": "=limit - 1"}}, "10"),
        ("checkbox", {"validate": {"required": True}}, []),
        ("radio", {"values": [{"value": "a"}], "validate": {"required": True}}, []),
        ("select", {"values": [{"value": "a"}]}, "b"),
        ("checklist", {"values": [{"value": "a"}]}, ["a", "z"]),
        ("datetime", {"subtype": "date"}, "tomorrow"),
        ("datetime", {"subtype": "date", "disallowPassedDates": True}, "2026-03-01"),
        ("datetime", {"subtype": "datetime"}, "2026-03-05"[:7]),
    ],
)
def test_what_does_not_fit_is_named_beside_its_field(
    kind: str, more: dict[str, Any], typed: Any
) -> None:
    filled = sent(one(kind, **more), values={"x": typed}, limit=10)

    assert list(filled.errors) == ["f-x"]
    assert filled.errors["f-x"][0] == "X"
    assert filled.parts[0].error
    # and what was typed stays
    assert filled.parts[0].texts == ([typed] if isinstance(typed, str) else typed)


def test_nothing_is_wrong_before_the_form_is_sent() -> None:
    assert opened(one("textfield", validate={"required": True})).errors == {}


def test_a_moment_is_shown_in_the_zone_of_the_person() -> None:
    data = one("datetime", subtype="datetime")

    assert opened(data, x="2026-03-05T00:30:00Z").parts[0].texts == ["2026-03-05T08:30"]
    assert opened(data, x=NOW).parts[0].texts == ["2026-03-02T17:00"]


def test_other_members_of_an_object_stay() -> None:
    data = form(part("textfield", "contact.name", "Name"))

    filled = sent(data, values={"contact.name": "Li"}, contact={"name": "Wang", "phone": "1"})

    assert filled.values == {"contact": {"name": "Li", "phone": "1"}}


# ------------------------------------------------------------------ what may not be changed


@pytest.mark.parametrize("rule", [{"readonly": True}, {"disabled": True}, {"readonly": "=locked"}])
def test_what_a_person_may_not_change_does_not_change(rule: dict[str, Any]) -> None:
    filled = sent(one("textfield", **rule), values={"x": "forged"}, x="kept", locked=True)

    assert filled.values == {}
    assert filled.parts[0].texts == ["kept"]


def test_a_hidden_field_is_neither_asked_nor_sent() -> None:
    data = form(
        part("checkbox", "delivered", "Delivered"),
        part("textfield", "where", "Where", validate={"required": True},
             conditional={"hide": "=not(delivered)"}),
    )  # fmt: skip

    filled = sent(data, values={"delivered": [], "where": "forged"})

    assert filled.values == {"delivered": False}
    assert [shown.name for shown in filled.parts] == ["v.delivered"]


def test_a_field_that_was_not_on_the_page_is_asked_for_once_it_is() -> None:
    data = form(
        part("checkbox", "delivered", "Delivered"),
        part("textfield", "where", "Where", validate={"required": True},
             conditional={"hide": "=not(delivered)"}),
    )  # fmt: skip
    texts = {"v.delivered": ["true"], "shown": ["v.delivered"]}

    filled = opened(data, texts, check=True)

    assert list(filled.errors) == ["f-where"]


def test_a_broken_condition_hides_nothing() -> None:
    assert len(opened(one("textfield", conditional={"hide": "=1 +"})).parts) == 1


# ------------------------------------------------------------------ lists, groups, computed values

ITEMS = form({
    "type": "dynamiclist", "path": "items", "label": "Items", "components": [
        part("textfield", "what", "What", validate={"required": True}),
        part("number", "qty", "Quantity", conditional={"hide": '=what = "none"'}),
    ]},
    {"type": "expression", "key": "total", "expression": "=sum(items.qty)"},
)  # fmt: skip


def items(*rows: tuple[str, str]) -> dict[str, list[str]]:
    texts = {"rows.v.items": [str(len(rows))], "shown": []}
    for number, (what, qty) in enumerate(rows):
        texts |= {f"v.items.{number}.what": [what], f"v.items.{number}.qty": [qty]}
        texts["shown"] += [f"v.items.{number}.what", f"v.items.{number}.qty"]
    return texts


def test_a_list_has_one_value_a_row() -> None:
    filled = opened(ITEMS, items(("bolt", "3"), ("none", "9")), check=True)

    # the condition of a row sees the values of that row
    assert filled.values == {"items": [{"what": "bolt", "qty": 3}, {"what": "none"}]}


def test_a_row_with_a_mistake_is_named_by_its_number() -> None:
    filled = opened(ITEMS, items(("bolt", "3"), ("", "1")), check=True)

    assert list(filled.errors) == ["f-items-1-what"]


def test_rows_come_and_go_with_what_was_typed() -> None:
    typed = items(("a", "1"), ("b", "2"), ("c", "3"))

    less = opened(ITEMS, act_on_rows(typed, "remove v.items.1"))
    more = opened(ITEMS, act_on_rows(typed, "add v.items"))

    assert [[cell.texts for cell in row] for row in less.parts[0].rows] == [
        [["a"], ["1"]], [["c"], ["3"]],
    ]  # fmt: skip
    assert len(more.parts[0].rows) == 4


@pytest.mark.parametrize(
    "act", ["remove v.items.9", "remove v.items.x", "add v.other", "add", "", "remove", "x y z"]
)
def test_nonsense_changes_no_row(act: str) -> None:
    typed = items(("a", "1"))

    assert act_on_rows(typed, act) == typed


def test_nobody_asks_for_a_million_rows() -> None:
    typed = {**items(("a", "1")), "rows.v.items": ["1000000"]}

    assert len(opened(ITEMS, typed).parts[0].rows) == 200


# ------------------------------------------------------------------ files that are no forms


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", b'{"components": 3}', b'{"components": [[[]]]' * 50]
)
def test_what_is_no_form_is_named(data: bytes) -> None:
    with pytest.raises(FormDamaged):
        load(data)


def test_components_of_unknown_kinds_do_no_harm() -> None:
    data = form({"type": "hologram", "key": "x"}, {"type": 3}, {"components": [part("textfield")]})

    assert opened(data, check=True).values == {}


# ------------------------------------------------------------------ rich texts


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("<p>a</p><script>alert(1)</script>b", "<p>a</p>b"),
        ('<a href="javascript:alert(1)">x</a>', '<a rel="noopener noreferrer">x</a>'),
        ('<a href="//evil.example">x</a>', '<a rel="noopener noreferrer">x</a>'),
        ('<b onclick="x()" style="color:red">x</b>', "<b>x</b>"),
        ("<img src=x onerror=alert(1)>x", "x"),
        ("<b>open", "<b>open</b>"),
        ("</div>x", "x"),
        ("a &lt; b", "a &lt; b"),
        ("<style>p{}</style><svg><script>1</script></svg>x", "x"),
        ("<scr<script>ipt>alert(1)</script>", ""),
    ],
)
def test_html_of_a_form_is_made_harmless(given: str, kept: str) -> None:
    shown = str(html(given))

    assert shown == kept or (kept == "" and "<script" not in shown)


def test_markdown_knows_what_forms_need() -> None:
    text = "# T\n\n- a\n- **b**\n\n1. x\n\n[go](https://example.com) [no](javascript:1) `c` *i*"

    shown = str(markdown(text))

    assert "<h3>T</h3><ul><li>a</li><li><strong>b</strong></li></ul><ol><li>x</li></ol>" in shown
    assert 'href="https://example.com"' in shown
    assert "javascript" not in shown
    assert "<code>c</code> <em>i</em>" in shown
