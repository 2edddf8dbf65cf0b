"""From simple Python to FEEL, for diagrams of SpiffWorkflow where Python does not run.

The text is parsed by `ast` and never executed. What has no exact counterpart is refused; two rules
of Python are not carried over: only true counts as true, and values of different types compare as
null.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Mapping
from decimal import Decimal

from engine.diagrams.imports.juel import Untranslated
from engine.diagrams.imports.juel_feel import FEEL_WORDS, quoted, variable
from engine.sentences import phrase

_COMPARE: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "=", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.Is: "=", ast.IsNot: "!=",
}  # fmt: skip
_CALCULATE: Mapping[type[ast.operator], str] = {
    ast.Add: "({0} + {1})", ast.Sub: "({0} - {1})", ast.Mult: "({0} * {1})",
    ast.Div: "({0} / {1})", ast.Mod: "modulo({0}, {1})", ast.FloorDiv: "floor({0} / {1})",
    ast.Pow: "({0} ** {1})",
}  # fmt: skip
#: (function, number of arguments) -> FEEL
_FUNCTIONS: Mapping[tuple[str, int], str] = {
    ("len", 1): "if {0} instance of string then string length({0}) else count({0})",
    ("str", 1): "string({0})",
    ("int", 1): "floor(number(string({0})))",
    ("abs", 1): "abs({0})",
    ("sum", 1): "get or else(sum({0}), 0)",
    ("min", 1): "min({0})", ("max", 1): "max({0})",
    ("min", 2): "min([{0}, {1}])", ("max", 2): "max([{0}, {1}])",
    ("any", 1): "any({0})", ("all", 1): "all({0})",
}  # fmt: skip
#: (method, number of arguments) -> FEEL; {0} is the object
_METHODS: Mapping[tuple[str, int], str] = {
    ("get", 1): "get value({0}, {1})",
    ("get", 2): "get or else(get value({0}, {1}), {2})",
    ("lower", 0): "lower case({0})", ("upper", 0): "upper case({0})", ("strip", 0): "trim({0})",
    ("startswith", 1): "starts with({0}, {1})", ("endswith", 1): "ends with({0}, {1})",
    ("keys", 0): "get entries({0}).key", ("values", 0): "get entries({0}).value",
}  # fmt: skip
_SPANS = {"weeks": ("P", "D", 7), "days": ("P", "D", 1), "hours": ("PT", "H", 1),
          "minutes": ("PT", "M", 1), "seconds": ("PT", "S", 1)}  # fmt: skip


def translate(text: str) -> str:
    """Return the FEEL of an expression in Python, without a leading `=`. Raises Untranslated."""
    return _value(_parsed(text).body)


def assignments(text: str) -> list[tuple[str, str]]:
    """Return (variable, FEEL) for a script that only assigns. Raises Untranslated."""
    found: list[tuple[str, str]] = []
    for line in _parsed_script(text).body:
        if isinstance(line, ast.Pass) or _is_remark(line):
            continue
        if isinstance(line, ast.AugAssign):
            target: ast.expr = line.target
            value: ast.expr = ast.BinOp(_read(line.target), line.op, line.value)
        elif isinstance(line, ast.Assign) and len(line.targets) == 1:
            target, value = line.targets[0], line.value
        else:
            raise _strange(line)
        found.append(_assigned(target, _value(value)))
    return found


def _assigned(target: ast.expr, feel: str) -> tuple[str, str]:
    """Return (variable, FEEL) for `name = value` and for `name["key"] = value`."""
    if isinstance(target, ast.Name):
        return variable(target.id), feel
    if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
        key = literal(ast.unparse(target.slice))
        if isinstance(key, str):
            name = variable(target.value.id)
            return name, f"context put({name}, {quoted(key)}, {feel})"
    raise _strange(target)


def _read(target: ast.expr) -> ast.expr:
    """Return what is written to as something that is read."""
    return ast.parse(ast.unparse(target), mode="eval").body


def literal(text: str) -> object:
    """Return the value of a Python literal, None for anything else."""
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _is_remark(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)


def _parsed(text: str) -> ast.Expression:
    try:
        return ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Untranslated(phrase("it is no Python")) from None


def _parsed_script(text: str) -> ast.Module:
    try:
        return ast.parse(textwrap.dedent(text).strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Untranslated(phrase("it is no Python")) from None


def _strange(node: ast.AST) -> Untranslated:
    return Untranslated(
        phrase("“{code}” has no counterpart in FEEL", code=ast.unparse(node)[:80]),
        phrase("write it in FEEL, or let the administrator switch Python on"),
    )


# ------------------------------------------------------------------ values


def _value(node: ast.expr) -> str:
    writer = _WRITERS.get(type(node))
    if writer is None:
        raise _strange(node)
    return writer(node)


def _constant(node: ast.Constant) -> str:
    value = node.value
    if isinstance(value, str):
        return quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{Decimal(str(value)):f}"
    raise _strange(node)


def _name(node: ast.Name) -> str:
    return variable(node.id)


def _logic(node: ast.BoolOp) -> str:
    word = " and " if isinstance(node.op, ast.And) else " or "
    return f"({word.join(_value(part) for part in node.values)})"


def _unary(node: ast.UnaryOp) -> str:
    if isinstance(node.op, ast.Not):
        return f"({_value(node.operand)} != true)"
    if isinstance(node.op, ast.USub):
        return f"(-{_value(node.operand)})"
    raise _strange(node)


def _calculate(node: ast.BinOp) -> str:
    template = _CALCULATE.get(type(node.op))
    if template is None:
        raise _strange(node)
    return template.format(_value(node.left), _value(node.right))


def _compare(node: ast.Compare) -> str:
    parts, left = [], node.left
    for operator, right in zip(node.ops, node.comparators, strict=True):
        if isinstance(operator, ast.In | ast.NotIn):
            parts.append(_contains(left, right, isinstance(operator, ast.NotIn)))
        elif isinstance(operator, ast.Is | ast.IsNot) and not _is_constant(right):
            raise _strange(node)
        else:
            parts.append(f"{_value(left)} {_COMPARE[type(operator)]} {_value(right)}")
        left = right
    return f"({' and '.join(parts)})"


def _is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))


def _contains(one: ast.expr, many: ast.expr, negated: bool) -> str:
    item, whole = _value(one), _value(many)
    if isinstance(many, ast.List | ast.Tuple | ast.Set):
        text = f"list contains({whole}, {item})"
    else:
        text = (
            f"(if {whole} instance of string then contains({whole}, {item})"
            f" else if {whole} instance of context then"
            f" list contains(get entries({whole}).key, {item})"
            f" else list contains({whole}, {item}))"
        )
    return f"not({text})" if negated else text


def _choice(node: ast.IfExp) -> str:
    condition, yes, no = _value(node.test), _value(node.body), _value(node.orelse)
    return f"(if {condition} then {yes} else {no})"


def _list(node: ast.List | ast.Tuple | ast.Set) -> str:
    return f"[{', '.join(_value(part) for part in node.elts)}]"


def _dict(node: ast.Dict) -> str:
    parts = []
    for key, value in zip(node.keys, node.values, strict=True):
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
            raise _strange(node)
        parts.append(f"{quoted(key.value)}: {_value(value)}")
    return f"{{{', '.join(parts)}}}"


def _subscript(node: ast.Subscript) -> str:
    key = literal(ast.unparse(node.slice))
    if isinstance(key, bool) or not isinstance(key, int | str):
        raise _strange(node)
    base = _value(node.value)
    if isinstance(key, int):
        return f"{base}[{key + 1 if key >= 0 else key}]"
    return _member(base, key)


def _member(base: str, name: str) -> str:
    if name.isidentifier() and name not in FEEL_WORDS:
        return f"{base}.{name}"
    return f"get value({base}, {quoted(name)})"


def _attribute(node: ast.Attribute) -> str:
    if node.attr.startswith("__"):
        raise _strange(node)
    return _member(_value(node.value), node.attr)


def _text(node: ast.JoinedStr) -> str:
    parts = []
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            if part.conversion != -1 or part.format_spec is not None:
                raise _strange(node)
            parts.append(f"string({_value(part.value)})")
        else:
            parts.append(_value(part))
    return f"string join([{', '.join(parts)}])"


def _call(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name) and node.func.id == "timedelta":
        return _span(node)
    if node.keywords or any(isinstance(part, ast.Starred) for part in node.args):
        raise _strange(node)
    spoken = ast.unparse(node.func)
    if spoken in ("datetime.now", "datetime.datetime.now", "datetime.utcnow") and not node.args:
        return "now()"
    if spoken in ("date.today", "datetime.date.today") and not node.args:
        return "today()"
    arguments = [_value(part) for part in node.args]
    if isinstance(node.func, ast.Name):
        template = _FUNCTIONS.get((node.func.id, len(arguments)))
        if template is not None:
            return f"({template.format(*arguments)})"
    elif isinstance(node.func, ast.Attribute):
        template = _METHODS.get((node.func.attr, len(arguments)))
        if template is not None:
            return template.format(_value(node.func.value), *arguments)
    raise _strange(node)


def _span(node: ast.Call) -> str:
    """Write `timedelta(minutes=10)` as a duration."""
    parts = []
    for keyword in node.keywords:
        start, unit, factor = _SPANS.get(keyword.arg or "", ("", "", 0))
        if not factor:
            raise _strange(node)
        amount = literal(ast.unparse(keyword.value))
        if isinstance(amount, int):
            parts.append(f'duration("{start}{amount * factor}{unit}")')
        else:
            parts.append(f'duration("{start}{factor}{unit}") * {_value(keyword.value)}')
    if node.args or not parts:
        raise _strange(node)
    return " + ".join(parts) if len(parts) == 1 else f"({' + '.join(parts)})"


_WRITERS: Mapping[type[ast.expr], Callable[..., str]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.BoolOp: _logic,
    ast.UnaryOp: _unary,
    ast.BinOp: _calculate,
    ast.Compare: _compare,
    ast.IfExp: _choice,
    ast.List: _list,
    ast.Tuple: _list,
    ast.Set: _list,
    ast.Dict: _dict,
    ast.Subscript: _subscript,
    ast.Attribute: _attribute,
    ast.JoinedStr: _text,
    ast.Call: _call,
}
