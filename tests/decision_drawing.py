"""Draws small decision models for tests: each function returns a piece of DMN XML.

model(data("age"), decision("risk", table(["age"], [["< 18", '"high"'], ["-", '"low"']])))
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

SPACE = "https://www.omg.org/spec/DMN/20230324/MODEL/"


def model(*parts: str, namespace: str = "urn:test", version: str = SPACE) -> bytes:
    """Return a whole file."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<definitions xmlns={quoteattr(version)}'
        ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="defs" name="test"'
        f" namespace={quoteattr(namespace)}>\n" + "\n".join(parts) + "\n</definitions>"
    ).encode()


def tag(name: str, /, *inside: str, **attributes: str) -> str:
    """Return any element; attribute names may end in an underscore."""
    pairs = "".join(f" {k.rstrip('_')}={quoteattr(v)}" for k, v in attributes.items())
    return f"<{name}{pairs}>{''.join(inside)}</{name}>"


def text(name: str, content: str, /, **attributes: str) -> str:
    """Return an element with a `text` child."""
    return tag(name, f"<text>{escape(content)}</text>", **attributes)


def literal(content: str, **attributes: str) -> str:
    """Return a literal expression."""
    return text("literalExpression", content, **attributes)


def data(name: str, type_ref: str = "Any") -> str:
    """Return an input data; its id is its name without blanks."""
    variable = tag("variable", name=name, typeRef=type_ref)
    return tag("inputData", variable, id=name.replace(" ", "_"), name=name)


def needs(*ids: str, kind: str = "Input") -> str:
    """Return requirements of inputs, decisions (kind="Decision") or functions ("Knowledge")."""
    outer = "knowledgeRequirement" if kind == "Knowledge" else "informationRequirement"
    return "".join(
        tag(outer, tag(f"required{kind}", href=id if "#" in id else f"#{id}")) for id in ids
    )


def decision(id: str, /, *inside: str, type_ref: str = "") -> str:
    """Return a decision whose id is its name."""
    attributes = {"typeRef": type_ref} if type_ref else {}
    return tag("decision", tag("variable", name=id, **attributes), *inside, id=id, name=id)


def table(
    inputs: Sequence[str],
    rules: Sequence[Sequence[str]],
    *,
    outputs: Sequence[str] = ("",),
    hits: str = "UNIQUE",
    aggregation: str = "",
    output_values: str = "",
    default: str = "",
    types: Sequence[str] = (),
    allowed: Sequence[str] = (),
) -> str:
    """Return a decision table; `types` and `allowed` are those of the inputs. A rule
    has its input cells, its output cells, and perhaps a note."""
    head = []
    for n, one in enumerate(inputs):
        typed = {"typeRef": types[n]} if n < len(types) and types[n] else {}
        values = text("inputValues", allowed[n]) if n < len(allowed) and allowed[n] else ""
        head.append(tag("input", text("inputExpression", one, **typed), values, id=f"in{n}"))
    inside = text("outputValues", output_values) if output_values else ""
    inside += text("defaultOutputEntry", default) if default else ""
    for n, one in enumerate(outputs):
        head.append(tag("output", inside, id=f"out{n}", **({"name": one} if one else {})))
    body = [_rule(n, rule, len(inputs), len(outputs)) for n, rule in enumerate(rules, 1)]
    more = {"aggregation": aggregation} if aggregation else {}
    return tag("decisionTable", *head, *body, id="table", hitPolicy=hits, **more)


def _rule(n: int, cells: Sequence[str], inputs: int, outputs: int) -> str:
    parts = [text("inputEntry", cell) for cell in cells[:inputs]]
    parts += [text("outputEntry", cell) for cell in cells[inputs : inputs + outputs]]
    parts += [text("annotationEntry", note) for note in cells[inputs + outputs :]]
    return tag("rule", *parts, id=f"rule{n}")
