"""From JUEL to FEEL: the same value, or a sentence that says why not.

Where FEEL's null rules differ, the FEEL text asks for null itself: in JUEL null counts as 0 in
arithmetic, as false in logic, as nothing in a text, and compares as false. Nothing is coerced
beyond that: a text is no number, as in FEEL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from engine.diagrams.imports.juel import (
    Binary,
    Call,
    Index,
    Literal,
    Member,
    Name,
    Node,
    Number,
    Unary,
    Untranslated,
    is_juel,
    parse,
)
from engine.sentences import phrase

#: words that FEEL does not take for the name of a variable
FEEL_WORDS = frozenset({
    "and", "or", "in", "between", "then", "else", "return", "satisfies", "if", "for", "some",
    "every", "true", "false", "null", "not", "instance", "of", "function",
})  # fmt: skip
_FEEL_NAME = re.compile(r"[^\W\d]\w*")
#: names of Camunda 7 that are called differently here
NAMES: Mapping[str, str] = {
    "nrOfInstances": "numberOfInstances",
    "nrOfActiveInstances": "numberOfActiveInstances",
    "nrOfCompletedInstances": "numberOfCompletedInstances",
}
#: objects of Camunda 7's engine
ENGINE_OBJECTS = frozenset(
    {"execution", "task", "caseExecution", "authenticatedUserId", "delegateTask"}
)
_COMPARISONS: Mapping[str, str] = {
    "==": "=", "!=": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">=",
}  # fmt: skip
_LOGIC: Mapping[str, str] = {"&&": "and", "||": "or"}
_SPANS: Mapping[str, tuple[str, str]] = {
    "Years": ("P", "Y"), "Months": ("P", "M"), "Weeks": ("P", "W"), "Days": ("P", "D"),
    "Hours": ("PT", "H"), "Minutes": ("PT", "M"), "Seconds": ("PT", "S"),
}  # fmt: skip
#: binding strength of what was written, from loose to tight
_CHOICE, _OR, _AND, _COMPARE, _ADD, _MULTIPLY, _ATOM = range(7)

_Method = Callable[["_Writer", Call], tuple[str, int]]


def translate(text: str, *, condition: bool = False) -> str:
    """Return the FEEL expression for a text of JUEL, without a leading `=`.

    `condition`: it is only asked whether the value is true, so null is as good as false.
    Raises Untranslated.
    """
    pieces = parse(text.strip())
    if len(pieces) == 1 and not isinstance(pieces[0], str):
        return _Writer().top(pieces[0], condition)
    pieces = parse(text)  # blanks around a text belong to it
    if all(isinstance(piece, str) for piece in pieces):
        return quoted("".join(str(piece) for piece in pieces))
    writer = _Writer()
    parts = [
        quoted(piece) if isinstance(piece, str) else f"string({writer.value(piece, _CHOICE)})"
        for piece in pieces
    ]
    return f"string join([{', '.join(parts)}])"


def attribute(text: str) -> str:
    """Return what an attribute of the zeebe dialect says for a text: plain, or `=` with FEEL."""
    if is_juel(text):
        return f"={translate(text)}"
    return f"={quoted(text)}" if text.lstrip().startswith("=") else text


def node_of(text: str) -> Node | None:
    """Return the tree of a text that is one expression and nothing else. Raises Untranslated."""
    pieces = parse(text.strip())
    return None if len(pieces) != 1 or isinstance(pieces[0], str) else pieces[0]


def write(node: Node) -> str:
    """Return the FEEL of a tree. Raises Untranslated."""
    return _Writer().top(node, condition=False)


def quoted(text: str) -> str:
    """Return a text as a FEEL literal."""
    return json.dumps(text, ensure_ascii=False)


def names_in(feel: str) -> set[str]:
    """Return the first words of all paths in a FEEL text, functions left out."""
    bare = re.sub(r'"(?:\\.|[^"\\])*"', '""', feel)
    words = re.findall(r"(?<![\w.])([^\W\d]\w*)(?!\w)(?!\s*\()", bare)
    return {word for word in words if word not in FEEL_WORDS} - {"get", "string", "list"}


class _Writer:
    """Writes FEEL; each method returns text that binds at least as tightly as asked."""

    def top(self, node: Node, condition: bool) -> str:
        return self.truth(node, _CHOICE) if condition else self.value(node, _CHOICE)

    # ------------------------------------------------ what is asked of a node

    def value(self, node: Node, strength: int) -> str:
        """Write the exact value."""
        text, own = self._written(node)
        if _may_be_null(node):
            text, own = f"{_closed(text, own, _ADD)} = true", _COMPARE
        return _closed(text, own, strength)

    def truth(self, node: Node, strength: int) -> str:
        """Write something that is true exactly if the node is; else it is false or null."""
        return _closed(*self._written(node), strength)

    def number(self, node: Node, strength: int) -> str:
        """Write a number; null counts as 0."""
        if isinstance(node, Literal):
            if node.value is None:
                return "0"
            raise Untranslated(
                phrase("“{text}” is no number, but is calculated with", text=str(node.value)[:40]),
                phrase("join texts with + in FEEL, or write them one after the other"),
            )
        text, own = self._written(node)
        if isinstance(node, (Number, Unary)) or (
            isinstance(node, Binary) and node.operator in "+-*/%"
        ):
            return _closed(text, own, strength)
        return f"get or else({text}, 0)"

    # ------------------------------------------------ nodes

    def _written(self, node: Node) -> tuple[str, int]:
        if isinstance(node, Literal):
            return _literal(node.value), _ATOM
        if isinstance(node, Number):
            return _number(node.text), _ATOM
        if isinstance(node, Name):
            return self._name(node.text)
        if isinstance(node, Member):
            return self._member(node.base, node.name)
        if isinstance(node, Index):
            return self._index(node)
        if isinstance(node, Call):
            return self._call(node)
        if isinstance(node, Unary):
            return self._unary(node)
        if isinstance(node, Binary):
            return self._binary(node)
        condition, yes = self.truth(node.condition, _OR), self.value(node.yes, _OR)
        return f"if {condition} then {yes} else {self.value(node.no, _CHOICE)}", _CHOICE

    def _name(self, name: str) -> tuple[str, int]:
        if name in ENGINE_OBJECTS:
            raise Untranslated(
                phrase("it asks the object “{name}” of Camunda 7's engine", name=name),
                phrase("put the fact into a variable when the case starts, and use that"),
            )
        if name == "loopCounter":
            return "loopCounter - 1", _ADD
        return variable(NAMES.get(name, name)), _ATOM

    def _member(self, base: Node, name: str) -> tuple[str, int]:
        if isinstance(base, Name) and base.text == "decisionResult" and name in _SINGLE:
            return "decisionResult", _ATOM
        written = self.value(base, _ATOM)
        if _FEEL_NAME.fullmatch(name) and name not in FEEL_WORDS:
            return f"{written}.{name}", _ATOM
        return f"get value({written}, {quoted(name)})", _ATOM

    def _index(self, node: Index) -> tuple[str, int]:
        if isinstance(node.index, Number) and node.index.text.isdigit():
            return f"{self.value(node.base, _ATOM)}[{int(node.index.text) + 1}]", _ATOM
        if isinstance(node.index, Literal) and isinstance(node.index.value, str):
            return self._member(node.base, node.index.value)
        base, index = self.value(node.base, _CHOICE), self.value(node.index, _ADD)
        item = f"sublist({base}, {index} + 1, 1)[1]"
        if isinstance(node.index, Binary) and node.index.operator in "+-*/%":
            return item, _ATOM
        asked = _closed(index, _ADD, _ATOM) if " " in index else index
        return (
            f"if {asked} instance of number then {item} else get value({base}, {index})",
            _CHOICE,
        )

    def _unary(self, node: Unary) -> tuple[str, int]:
        if node.operator == "-":
            return f"-{self.number(node.operand, _ATOM)}", _MULTIPLY
        if node.operator == "empty":
            return _empty(self.value(node.operand, _CHOICE)), _ATOM
        if _is_certain(node.operand):
            return f"not({self.truth(node.operand, _CHOICE)})", _ATOM
        return f"{self.truth(node.operand, _ADD)} != true", _COMPARE

    def _binary(self, node: Binary) -> tuple[str, int]:
        operator = node.operator
        if operator in _LOGIC:
            own = _AND if operator == "&&" else _OR
            left, right = self.truth(node.left, own), self.truth(node.right, own + 1)
            return f"{left} {_LOGIC[operator]} {right}", own
        if operator in _COMPARISONS:
            left, right = self.value(node.left, _ADD), self.value(node.right, _ADD)
            return f"{left} {_COMPARISONS[operator]} {right}", _COMPARE
        if operator == "%":
            left, right = self.number(node.left, _MULTIPLY), self.number(node.right, _ATOM)
            whole = f"round down({left} / {right}, 0)"
            return f"{left} - {right} * {whole}", _ADD
        own = _ADD if operator in "+-" else _MULTIPLY
        left, right = self.number(node.left, own), self.number(node.right, own + 1)
        return f"{left} {operator} {right}", own

    # ------------------------------------------------ calls

    def _call(self, node: Call) -> tuple[str, int]:
        if node.base is None:
            return self._function(node)
        if (moment := self._moment(node)) is not None:
            return moment
        method = METHODS.get((node.name, len(node.arguments)))
        if method is None or (isinstance(node.base, Name) and node.base.text in ENGINE_OBJECTS):
            raise Untranslated(
                phrase("it calls the method “{name}”, which FEEL has not", name=node.name),
                _ADVICE.get(node.name) or phrase("do the work in a handler, and use its result"),
            )
        return method(self, node)

    def _function(self, node: Call) -> tuple[str, int]:
        if node.name in ("now", "dateTime") and not node.arguments:
            return "now()", _ATOM
        raise Untranslated(
            phrase("it calls the function “{name}”, which FEEL has not", name=node.name),
            phrase("do the work in a handler, and use its result"),
        )

    def _moment(self, node: Call) -> tuple[str, int] | None:
        """Write `dateTime().plusDays(3).toDate()` and the like."""
        base, name = node.base, node.name
        if not isinstance(base, Call) or not _is_moment(base):
            return None
        written = self.value(base, _ADD)
        if name in ("toDate", "getTime") and not node.arguments:
            return written, _ADD
        for sign, start in (("+", "plus"), ("-", "minus")):
            span = _SPANS.get(name.removeprefix(start)) if name.startswith(start) else None
            if span is None or len(node.arguments) != 1:
                continue
            amount = node.arguments[0]
            if isinstance(amount, Number) and amount.text.isdigit():
                count = int(amount.text) * (7 if span[1] == "W" else 1)
                unit = "D" if span[1] == "W" else span[1]
                return f'{written} {sign} duration("{span[0]}{count}{unit}")', _ADD
        return None


_SINGLE = ("singleEntry", "singleResult")
_ADVICE = {
    "setVariable": phrase("set the variable by an output mapping or a script task in FEEL"),
    "getVariable": phrase("write the name of the variable itself"),
    "prop": phrase("variables are JSON here: write a path, such as customer.age"),
}


def _is_moment(node: Node) -> bool:
    while isinstance(node, Call) and node.base is not None:
        node = node.base
    return isinstance(node, Call) and node.base is None and node.name in ("now", "dateTime")


def variable(name: str) -> str:
    """Return a name as FEEL reads it. Raises Untranslated for one that FEEL cannot."""
    if _FEEL_NAME.fullmatch(name) and name not in FEEL_WORDS:
        return name
    raise Untranslated(
        phrase("“{name}” cannot be the name of a variable in FEEL", name=name[:60]),
        phrase("rename the variable"),
    )


def _closed(text: str, own: int, strength: int) -> str:
    return text if own >= strength else f"({text})"


def _literal(value: str | bool | None) -> str:
    if isinstance(value, str):
        return quoted(value)
    return "null" if value is None else str(value).lower()


def _number(text: str) -> str:
    digits = text.rstrip(".") if text.endswith(".") else text
    return f"0{digits}" if digits.startswith(".") else digits.replace(".e", "e").replace(".E", "e")


def _may_be_null(node: Node) -> bool:
    """Tell whether a yes or no may come out as null in FEEL where JUEL says false."""
    if isinstance(node, Binary):
        if node.operator in ("<", ">", "<=", ">="):
            return True
        return node.operator in _LOGIC and not _is_certain(node)
    return False


def _is_certain(node: Node) -> bool:
    """Tell whether the FEEL of a node is always true or false."""
    if isinstance(node, Literal):
        return isinstance(node.value, bool)
    if isinstance(node, Unary):
        return node.operator in ("!", "empty")
    if isinstance(node, Binary):
        if node.operator in _LOGIC:
            return _is_certain(node.left) and _is_certain(node.right)
        return node.operator in ("==", "!=")
    return False


def _empty(text: str) -> str:
    return f'list contains([null, "", [], {{}}], {text})'


# ------------------------------------------------------------------ methods with a counterpart


def _on(template: str, strength: int = _ATOM) -> _Method:
    """Return a method written as a template; {0} is the object, {1} and {2} the arguments."""

    def written(writer: _Writer, node: Call) -> tuple[str, int]:
        assert node.base is not None
        parts = [writer.value(node.base, _CHOICE), *(writer.value(a, _ADD) for a in node.arguments)]
        return template.format(*parts), strength

    return written


def _equals(writer: _Writer, node: Call) -> tuple[str, int]:
    assert node.base is not None
    return writer._binary(Binary("==", node.base, node.arguments[0]))


def _get(writer: _Writer, node: Call) -> tuple[str, int]:
    assert node.base is not None
    return writer._index(Index(node.base, node.arguments[0]))


def _decision(writer: _Writer, node: Call) -> tuple[str, int]:
    if isinstance(node.base, Name) and node.base.text == "decisionResult":
        return "decisionResult", _ATOM
    raise Untranslated(
        phrase("it calls the method “{name}”, which FEEL has not", name=node.name),
        phrase("do the work in a handler, and use its result"),
    )


#: (method, number of arguments) -> how it is said in FEEL
METHODS: Mapping[tuple[str, int], _Method] = {
    ("size", 0): _on("count({0})"),
    ("isEmpty", 0): _on('list contains(["", [], {{}}], {0})'),
    ("contains", 1): _on(
        "if {0} instance of string then contains({0}, {1}) else list contains({0}, {1})", _CHOICE
    ),
    ("containsKey", 1): _on("list contains(get entries({0}).key, {1})"),
    ("get", 1): _get,
    ("equals", 1): _equals,
    ("length", 0): _on("string length({0})"),
    ("startsWith", 1): _on("starts with({0}, {1})"),
    ("endsWith", 1): _on("ends with({0}, {1})"),
    ("toLowerCase", 0): _on("lower case({0})"),
    ("toUpperCase", 0): _on("upper case({0})"),
    ("equalsIgnoreCase", 1): _on("lower case({0}) = lower case({1})", _COMPARE),
    ("trim", 0): _on("trim({0})"),
    ("toString", 0): _on("string({0})"),
    ("getSingleEntry", 0): _decision,
    ("getSingleResult", 0): _decision,
}
