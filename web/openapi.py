"""The OpenAPI 3.1 document of the API, made from the table of routes and the engine's values."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import Enum
from importlib.metadata import version
from typing import Any, Union, get_args, get_origin, get_type_hints

from engine import changes, model
from web.api import ROUTES
from web.route import Field, Route

Schema = dict[str, Any]

_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
}
_KINDS = {"text": "string", "object": "object", "integer": "integer", "number": "number",
          "boolean": "boolean"}  # fmt: skip
#: refusals of every route with a token
_USUAL_REFUSALS = {
    400: "The body is no JSON.",
    401: "No token, or none that is valid.",
    403: "The token's role does not allow it.",
    404: "Nothing has this id.",
    413: "The body is too large.",
    422: "The input is of the wrong type or value.",
}
_FURTHER_REFUSALS = {
    415: "The body has another media type.",
    409: "The state of the thing forbids it.",
    429: "The service is too busy; Retry-After says how long to wait.",
}


def document() -> dict[str, Any]:
    """Return the whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Caseway",
            "version": version("caseway"),
            "summary": "The verbs of the engine; refusals are RFC 9457 problem details.",
        },
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "description": f"Needs the right `{route.right}`.",
        "tags": [route.path.split("/")[2]],
        "responses": _responses(route),
    }
    if parameters := _parameters(route):
        operation["parameters"] = parameters
    if route.upload:
        operation["requestBody"] = {"required": True, "content": _UPLOAD}
    elif route.body:
        operation["requestBody"] = {
            "required": any(item.required for item in route.body),
            "content": {"application/json": {"schema": _body_schema(route.body)}},
        }
    return operation


_UPLOAD: Mapping[str, Any] = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "required": ["file"],
            "properties": {
                "file": {
                    "type": "array",
                    "items": {"type": "string", "format": "binary"},
                    "description": "Diagrams (*.bpmn, *.dmn, *.form) or zip archives of them; "
                    "together they are one bundle.",
                }
            },
        }
    }
}


def _parameters(route: Route) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in path_names(route.path)
    ]
    for item in route.query:
        parameters.append(
            {"name": item.name, "in": "query", "description": item.doc,
             "required": item.required, "schema": _field_schema(item)}
        )  # fmt: skip
    if route.idempotent:
        parameters.append(
            {"name": "Idempotency-Key", "in": "header", "required": False,
             "schema": {"type": "string", "maxLength": 255},
             "description": "A second call with this key does nothing again."}
        )  # fmt: skip
    return parameters


def path_names(path: str) -> list[str]:
    """Return the names in the braces of a path."""
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _field_schema(item: Field) -> Schema:
    if item.kind == "texts":
        return {"type": "array", "items": {"type": "string"}, "minItems": int(item.required)}
    schema: Schema = {"type": _KINDS[item.kind]}
    for name, value in (("enum", list(item.choices)), ("minimum", item.low),
                        ("maximum", item.high), ("default", item.default)):  # fmt: skip
        if value is not None and value != []:
            schema[name] = value
    return {"type": "array", "items": schema} if item.many else schema


def _body_schema(body: tuple[Field, ...]) -> Schema:
    properties = {f.name: {**_field_schema(f), "description": f.doc} for f in body}
    required = [item.name for item in body if item.required]
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


def _responses(route: Route) -> dict[str, Any]:
    answer = _success(route)
    responses = {str(route.status): answer}
    if route.status == 201:
        responses["200"] = {**answer, "description": "It was there already; nothing was done."}
    further = (*route.refusals, 415) if route.body or route.upload else route.refusals
    refusals = _USUAL_REFUSALS | {status: _FURTHER_REFUSALS[status] for status in further}
    for status, text in sorted(refusals.items()):
        responses[str(status)] = {
            "description": text,
            "content": {"application/problem+json": {"schema": _ref("ProblemDetails")}},
        }
    return responses


def _success(route: Route) -> dict[str, Any]:
    if route.answers == "File":
        binary = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        return {"description": "The file.", "content": binary}
    schema = _ref(route.answers)
    if route.listed:
        schema = {
            "type": "object",
            "required": ["items", "next"],
            "properties": {
                "items": {"type": "array", "items": schema},
                "next": {"type": ["string", "integer", "null"],
                         "description": "The `after` of the next page; null after the last."},
            },
        }  # fmt: skip
    return {"description": "Done.", "content": {"application/json": {"schema": schema}}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas() -> dict[str, Schema]:
    """Return every schema that a route names, and those inside them."""
    found: dict[str, Schema] = {
        "ProblemDetails": _problem_schema(),
        "Variables": {"type": "object", "description": "Variables by name, any JSON."},
        "Check": {
            "type": "object",
            "required": ["deployable", "problems"],
            "properties": {
                "deployable": {"type": "boolean"},
                "problems": {"type": "array", "items": _ref("Problem")},
            },
        },
        "Erased": {
            "type": "object",
            "required": ["instance", "rows"],
            "properties": {"instance": {"type": "string"}, "rows": {"type": "integer"}},
        },
        "Receivers": {
            "type": "object",
            "required": ["name", "receivers"],
            "properties": {"name": {"type": "string"}, "receivers": {"type": "integer"}},
        },
        "Started": {
            "type": "object",
            "required": ["instances"],
            "properties": {
                "instances": {"type": "array", "items": {"$ref": "#/components/schemas/Instance"}}
            },
        },
    }
    for name in [*(route.answers for route in ROUTES), "Problem", "Move", "Refusal"]:
        kind = getattr(model, name, None) or getattr(changes, name, None)
        if name not in found and kind is not None:
            found[name] = _of_class(kind)
    return found


def _of_class(kind: type) -> Schema:
    hints = get_type_hints(kind)
    assert is_dataclass(kind)
    shown = [item for item in fields(kind) if not item.metadata.get("inner")]
    properties = {item.name: _of_hint(hints[item.name]) for item in shown}
    optional = {f.name for f in shown if f.default is not MISSING}
    return {
        "type": "object",
        "description": (kind.__doc__ or "").strip(),
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


def _of_hint(hint: Any) -> Schema:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        inner = [_of_hint(part) for part in arguments if part is not types.NoneType]
        return {"anyOf": [*inner, {"type": "null"}]}
    if origin is tuple:
        return {"type": "array", "items": _of_hint(arguments[0])}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"type": "string", "enum": [member.value for member in hint]}
    if is_dataclass(hint) and isinstance(hint, type):
        return _ref(hint.__name__)
    return dict(_PLAIN.get(hint, {}))


def _problem_schema() -> Schema:
    text = {"type": "string"}
    return {
        "type": "object",
        "description": "RFC 9457. `problems` is there for a refused deployment, `path` for a "
        "wrong field.",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "code": text,
            "instance": text,
            "path": text,
            "problems": {"type": "array", "items": _ref("Problem")},
        },
    }
