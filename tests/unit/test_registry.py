"""Handlers: what may be one, how its inputs are read, what it may return, where it is found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

import pytest

from engine.errors import BadInput, HandlerSetupError, OutputTooLarge
from engine.registry import HandlerContext, HandlerEntry, Registry, handler
from engine.settings import Settings


class Address(TypedDict, total=False):
    """A TypedDict as an input."""

    city: str
    number: int


class Answer(TypedDict):
    """A TypedDict as an output."""

    text: str


def entry_of(function: Callable[..., Any], settings: Settings | None = None) -> HandlerEntry:
    """Return the only entry of a registry with this function."""
    [entry] = Registry.of(function, settings=settings)
    return entry


def marked(function: Callable[..., Any]) -> HandlerEntry:
    """Return the entry of a function that carries no mark yet."""
    return entry_of(handler("h")(function))


def call(function: Callable[..., Any], **inputs: Any) -> dict[str, Any]:
    """Mark a function and call it as a worker does."""
    return marked(function).call(inputs, HandlerContext())


def read(annotation: Any, value: Any) -> Any:
    """Return what a handler with one input of this type gets for a value."""
    seen = []

    def take(x: Any) -> None:
        seen.append(x)

    take.__annotations__["x"] = annotation
    call(take, x=value)
    return seen[0]


def test_mark_changes_nothing_about_the_function() -> None:
    @handler("greet")
    def greet(name: str) -> dict[str, Any]:
        return {"greeting": f"hello {name}"}

    assert greet("Li") == {"greeting": "hello Li"}


@pytest.mark.parametrize(
    ("annotation", "value", "seen"),
    [
        (str, "a", "a"),
        (int, 3, 3),
        (int, Decimal("3.0"), 3),
        (Decimal, 3, Decimal(3)),
        (Decimal, Decimal("0.1"), Decimal("0.1")),
        (bool, True, True),
        (date, "2024-02-29", date(2024, 2, 29)),
        (date, date(2024, 2, 29), date(2024, 2, 29)),
        (time, "10:00:00", time(10)),
        (datetime, "2024-02-29T10:00:00Z", datetime(2024, 2, 29, 10, tzinfo=UTC)),
        (timedelta, "PT2H", timedelta(hours=2)),
        (list[int], [1, Decimal(2)], [1, 2]),
        (dict[str, Decimal], {"a": 1}, {"a": Decimal(1)}),
        (list, [1, "a"], [1, "a"]),
        (dict, {"a": None}, {"a": None}),
        (str | None, None, None),
        (list[str | None], ["a", None], ["a", None]),
        (int | str, "a", "a"),
        (Literal["low", "high"], "high", "high"),
        (Annotated[str, "the name"], "a", "a"),
        (Any, [None], [None]),
        (Address, {"city": "Wuhan", "number": Decimal(4)}, {"city": "Wuhan", "number": 4}),
    ],
)
def test_input_is_read_by_its_hint(annotation: Any, value: Any, seen: Any) -> None:
    got = read(annotation, value)

    assert got == seen
    assert type(got) is type(seen)


@pytest.mark.parametrize(
    ("annotation", "value", "said"),
    [
        (str, 5, "5 is not a text"),
        (int, "5", "'5' is not a whole number"),
        (int, True, "True is not a whole number"),
        (int, Decimal("1.5"), "not a whole number"),
        (int, Decimal("1E+999999"), "not a whole number"),
        (int, Decimal("NaN"), "not a whole number"),
        (Decimal, "1.5", "not a number"),
        (bool, 1, "not true or false"),
        (date, datetime(2024, 1, 1, tzinfo=UTC), "not a date"),
        (date, "2023-02-29", "x"),
        (timedelta, "P1Y", "not a duration"),
        (list[int], [1, "a"], "item 2: 'a' is not"),
        (list[str], "abc", "not a list"),
        (dict[str, list[int]], {"a": [None]}, "'a': item 1: null is not"),
        (Literal[1, 2], True, "True is none of 1, 2"),
        (Address, {"city": 1}, "'city': 1 is not a text"),
        (Answer, {}, "the entry 'text' is missing"),
        (dict, "x" * 100, "x... is not a context"),
    ],
)
def test_unfit_input_is_refused_with_its_name(annotation: Any, value: Any, said: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read(annotation, value)

    assert "input 'x' of handler 'h'" in str(refusal.value)
    assert said in str(refusal.value)


def test_missing_input_is_refused_before_the_call() -> None:
    def take(name: str) -> None:
        pytest.fail("was called")

    entry = marked(take)

    with pytest.raises(BadInput, match="'name' of handler 'h' is missing"):
        entry.call({}, HandlerContext())
    with pytest.raises(BadInput, match="'name' of handler 'h' is null"):
        entry.call({"name": None}, HandlerContext())


def test_default_stands_in_for_a_missing_input() -> None:
    def take(a: int = 7, b: str | None = "b", c: str | None = None) -> dict[str, Any]:
        return {"a": a, "b": b, "c": c}

    entry = marked(take)

    assert entry.call({}, HandlerContext()) == {"a": 7, "b": "b", "c": None}
    nulls = {"a": None, "b": None}
    assert entry.call(nulls, HandlerContext()) == {"a": 7, "b": None, "c": None}


def test_nullable_input_without_default_may_be_missing() -> None:
    def take(a: str | None) -> dict[str, Any]:
        return {"a": a}

    assert call(take) == {"a": None}


def test_keywords_take_all_other_variables() -> None:
    @handler("rest")
    def rest(a: int, **others: Any) -> dict[str, Any]:
        return {"names": sorted(others)}

    entry = entry_of(rest)

    assert entry.parameters is None
    assert entry.call({"a": 1, "b": 2, "客户": 3}, HandlerContext()) == {"names": ["b", "客户"]}


def test_variable_named_like_a_word_of_python_is_reached() -> None:
    @handler("letter")
    def letter(from_: str, class_: str = "a", **rest: Any) -> dict[str, Any]:
        return {"from": from_, "class": class_, "rest": rest}

    entry = entry_of(letter)

    assert [item.name for item in entry.inputs] == ["from", "class"]
    assert entry.call({"from": "x", "to": "y"}, HandlerContext()) == {
        "from": "x",
        "class": "a",
        "rest": {"to": "y"},
    }


def test_context_is_no_input() -> None:
    @handler("told")
    def told(context: HandlerContext) -> dict[str, Any]:
        return {"key": context.key, "attempt": context.attempt}

    entry = entry_of(told)

    assert entry.parameters == ()
    assert entry.call({}, HandlerContext(key="k", attempt=2)) == {"key": "k", "attempt": 2}


def test_inline_handler_cannot_change_the_scope() -> None:
    @handler("sort", inline=True)
    def sort(rows: Any, context: HandlerContext) -> dict[str, Any]:
        rows[0]["n"] = 2
        return {"mark": context.headers["mark"]}

    rows = [{"n": 1}]

    told = HandlerContext(headers={"mark": "x"})
    assert entry_of(sort).call({"rows": rows}, told) == {"mark": "x"}
    assert rows == [{"n": 1}]


@pytest.mark.parametrize("result", [5, "text", [("a", 1)], {"a": object()}, {"a": {1, 2}}])
def test_output_must_be_a_dict_of_json_values(result: Any) -> None:
    with pytest.raises(BadInput, match="handler 'h'"):
        call(lambda: result)


def test_output_over_the_limit_is_refused() -> None:
    @handler("big")
    def big() -> dict[str, Any]:
        return {"text": "x" * 2000}

    with pytest.raises(OutputTooLarge, match=r"'big' returned 2011 bytes .* allows 1000"):
        entry_of(big, Settings(result_limit=1000)).call({}, HandlerContext())


def test_options_of_the_mark_win_over_settings() -> None:
    @handler("own", retries=0, timeout_s=2, backoff_s=9, title="Own", title_zh="自己的")
    def own() -> None:
        """Do nothing."""

    @handler("usual")
    def usual() -> None: ...

    registry = Registry.of(own, usual, settings=Settings(retries=5, handler_timeout_s=7.0))

    entry, other = registry.get("own"), registry.get("usual")
    assert entry is not None
    assert other is not None
    assert (entry.retries, entry.timeout_s, entry.backoff_s) == (0, 2, 9)
    assert (other.retries, other.timeout_s, other.backoff_s) == (5, 7.0, 1.0)
    assert (entry.title, entry.title_zh, entry.doc) == ("Own", "自己的", "Do nothing.")


def test_signature_is_the_catalogue_entry() -> None:
    @handler("write")
    def write(to: Annotated[str, "address"], urgency: Literal["low", "high"] = "low") -> Answer:
        return {"text": to + urgency}

    entry = entry_of(write)
    to, urgency = entry.inputs

    assert (to.name, to.required, to.hint.text, to.hint.note) == ("to", True, "text", "address")
    assert (urgency.required, urgency.default) == (False, "low")
    assert urgency.hint.choices == ("low", "high")
    assert entry.outputs == ("text",)
    assert __file__ in entry.source


def positional(a: int, /) -> None: ...
def starred(*a: int) -> None: ...
def bare(a) -> None: ...  # type: ignore[no-untyped-def]
def floating(a: float) -> None: ...
def a_set(a: set[int]) -> None: ...
def unknown(a: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821
async def later(a: int) -> None: ...
def numbered(a: dict[int, str]) -> None: ...


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (positional, "positional-only"),
        (starred, "no *"),
        (bare, "parameter 'a' needs a type hint"),
        (floating, "take Decimal"),
        (a_set, "no type of a variable"),
        (unknown, "Nowhere"),
        (later, "no async"),
        (numbered, "keys of a context are texts"),
    ],
)
def test_bad_signature_is_refused_with_its_place(function: Any, said: str) -> None:
    with pytest.raises(HandlerSetupError) as refusal:
        Registry.of(handler("wrong")(function))

    assert said in str(refusal.value)
    assert f"{__file__}:{function.__code__.co_firstlineno}" in str(refusal.value)
    del function.__caseway_handler__


@pytest.mark.parametrize(
    "options", [{"name": " "}, {"name": "a", "retries": -1}, {"name": "a", "timeout_s": 0}]
)
def test_nonsense_in_the_mark_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(HandlerSetupError):
        handler(**options)


def test_unmarked_or_twice_marked_function_is_refused() -> None:
    def plain() -> None: ...

    with pytest.raises(HandlerSetupError, match="not marked"):
        Registry.of(plain)
    with pytest.raises(HandlerSetupError, match="twice"):
        handler("b")(handler("a")(plain))


# ------------------------------------------------------------------ sources


HANDLER_FILE = """
from __future__ import annotations
from engine.registry import handler

@handler("{name}")
def work(a: int) -> dict[str, int]:
    return {{"b": a + 1}}
"""


def test_folder_of_the_admin_is_loaded_by_path(tmp_path: Path) -> None:
    # given a file whose name is also that of a module of the standard library
    (tmp_path / "json.py").write_text(HANDLER_FILE.format(name="plus one"))

    # when the handlers are gathered
    registry = Registry.load(Settings(handlers_dir=tmp_path))

    # then it is there, and `json` is still the one of Python
    entry = registry.get("plus one")
    assert entry is not None
    assert entry.call({"a": 1}, HandlerContext()) == {"b": 2}
    assert entry.source == f"{tmp_path / 'json.py'}:5"
    import json

    assert hasattr(json, "loads")


def test_duplicate_name_is_refused_with_both_places(tmp_path: Path) -> None:
    for file in ("a.py", "b.py"):
        (tmp_path / file).write_text(HANDLER_FILE.format(name="same"))

    with pytest.raises(HandlerSetupError, match="two handlers are named 'same'") as refusal:
        Registry.load(Settings(handlers_dir=tmp_path))

    assert f"{tmp_path / 'a.py'}:5" in str(refusal.value)
    assert f"{tmp_path / 'b.py'}:5" in str(refusal.value)


def test_imported_handler_is_counted_once(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(HANDLER_FILE.format(name="once"))
    (tmp_path / "b.py").write_text("from caseway_handlers_dir.a import work\nagain = work\n")

    assert "once" in Registry.load(Settings(handlers_dir=tmp_path))


def test_file_that_fails_to_load_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0")

    with pytest.raises(HandlerSetupError, match=r"broken\.py: loading failed: ZeroDivisionError"):
        Registry.load(Settings(handlers_dir=tmp_path))


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HandlerSetupError, match="not a folder"):
        Registry.load(Settings(handlers_dir=tmp_path / "none"))


def test_installed_add_on_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given an installed distribution that names its module in our group
    (tmp_path / "an_add_on.py").write_text(HANDLER_FILE.format(name="added"))
    about = tmp_path / "an_add_on-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: an-add-on\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[caseway.handlers]\nadd = an_add_on\n")
    monkeypatch.syspath_prepend(tmp_path)

    # when the handlers are gathered, then it is there
    assert "added" in Registry.load(Settings()).names()


def test_shipped_handlers_load() -> None:
    registry = Registry.load(Settings())

    assert len(registry) == len(registry.names())
    assert registry.get("there is no such handler") is None


def test_the_admin_has_the_last_word_on_time_and_limits() -> None:
    @handler("book", timeout_s=5, at_once=3, at_once_everywhere=9)
    def book() -> None:
        """Book."""

    settings = Settings(
        topic_timeouts="book=7.5", topic_limits="book=1", topic_limits_everywhere=""
    )
    entry = entry_of(book, settings)

    assert (entry.timeout_s, entry.at_once, entry.at_once_everywhere) == (7.5, 1, 9)
    assert entry_of(book).timeout_s == 5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"at_once": 0}, "at_once must be at least 1"),
        ({"at_once_everywhere": 0}, "at_once_everywhere must be at least 1"),
        ({"lane": "other"}, "lane 'other' is none of its inputs: customer"),
        ({"lane": "customer", "inline": True}, "inline"),
    ],
)
def test_nonsense_about_order_and_limits_is_refused(options: dict[str, Any], said: str) -> None:
    def book(customer: str) -> None:
        """Book."""

    with pytest.raises(HandlerSetupError, match=said):
        entry_of(handler("book", **options)(book))
