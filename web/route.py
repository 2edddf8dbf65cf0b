"""The shape of the API: a route, its fields, and how a field is read and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from web.problems import WrongField

if TYPE_CHECKING:
    from engine.runtime import Engine
    from web.auth import Caller

#: rows of a list, unless asked otherwise; and the most of one page
USUAL_ROWS, MOST_ROWS = 50, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One member of a JSON body, or one query parameter."""

    name: str
    #: text | object | integer | number | boolean | texts
    kind: str = "text"
    doc: str
    required: bool = False
    #: used when the field is missing
    default: Any = None
    choices: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    #: a query parameter that may be given more than once; its value is a tuple
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a route, authenticated and checked."""

    engine: Engine
    caller: Caller
    #: parts of the path
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    #: uploaded files, by name
    bundle: Mapping[str, bytes]
    #: header Idempotency-Key
    idempotency_key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an act gives back; `body` is a value of the model, bytes, or a mapping."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One line of the API's table: the routing, the checks and the document come from it."""

    method: str
    #: in OpenAPI's form: /api/tasks/{task_id}
    path: str
    #: operationId
    name: str
    #: what a role needs to be allowed, see engine/access.py
    right: str
    act: Callable[[Call], Answer]
    summary: str
    #: class of engine/model.py in the answer, or a schema of web/openapi.py
    answers: str
    #: the answer is {"items": [...], "next": ...}
    listed: bool = False
    query: tuple[Field, ...] = ()
    body: tuple[Field, ...] = ()
    #: the body is multipart/form-data with diagrams
    upload: bool = False
    #: takes the header Idempotency-Key
    idempotent: bool = False
    #: status of success; 201 where something is made
    status: int = 200
    #: further refusals beside those of every route
    refusals: tuple[int, ...] = ()


_PYTHON: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "object": (dict,),
    "integer": (int,),
    "number": (int, Decimal, float),
    "boolean": (bool,),
    "texts": (list,),
}
#: whole numbers beyond are no longer exact in every JSON, and no database takes much larger ones
_MOST = 2**53 - 1
_WORDS = {"text": "a text", "object": "an object", "integer": "a whole number",
          "number": "a number", "boolean": "true or false", "texts": "a list of texts"}  # fmt: skip


def read_body(fields: tuple[Field, ...], body: Any) -> dict[str, Any]:
    """Return the members of a JSON body by name. Raises WrongField."""
    if not isinstance(body, dict):
        raise WrongField("/", "the body is not a JSON object")
    known = {item.name: item for item in fields}
    for name in body:
        if name not in known:
            raise WrongField(f"/{name}", "there is no such field here")
    return {item.name: _member(item, body) for item in fields}


def _member(item: Field, body: Mapping[str, Any]) -> Any:
    value = body.get(item.name)
    where = f"/{item.name}"
    if value is None:
        if item.required:
            raise WrongField(where, "is missing")
        return item.default
    # a bool is an int for Python, for nobody else
    fits = isinstance(value, _PYTHON[item.kind])
    if not fits or (isinstance(value, bool) and item.kind != "boolean"):
        raise WrongField(where, f"is not {_WORDS[item.kind]}")
    if item.kind == "texts" and not all(isinstance(text, str) for text in value):
        raise WrongField(where, f"is not {_WORDS[item.kind]}")
    if item.required and value in ("", []):
        raise WrongField(where, "is empty")
    return _within(item, value, where)


def read_query(fields: tuple[Field, ...], given: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the query parameters by name. Raises WrongField."""
    known = {item.name for item in fields}
    for name in given:
        if name not in known:
            raise WrongField(name, "there is no such query parameter here")
    return {item.name: _parameter(item, given.get(item.name, [])) for item in fields}


def _parameter(item: Field, texts: list[str]) -> Any:
    if item.many:
        return tuple(texts)
    if len(texts) > 1:
        raise WrongField(item.name, "is given more than once")
    if not texts:
        return item.default
    try:
        value = _from_text(item.kind, texts[0])
    except ValueError:
        raise WrongField(item.name, f"is not {_WORDS[item.kind]}")
    return _within(item, value, item.name)


def _from_text(kind: str, text: str) -> Any:
    if kind == "integer":
        return int(text)
    if kind == "boolean":
        if text not in ("true", "false"):
            raise ValueError(text)
        return text == "true"
    return text


def _within(item: Field, value: Any, where: str) -> Any:
    if item.choices and value not in item.choices:
        raise WrongField(where, f"is none of {', '.join(item.choices)}")
    if item.low is not None and value < item.low:
        raise WrongField(where, f"is less than {item.low}")
    high = _MOST if item.kind == "integer" and item.high is None else item.high
    if high is not None and value > high:
        raise WrongField(where, f"is more than {high}")
    return value
