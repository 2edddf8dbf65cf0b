"""JUEL, the expression language of Camunda 7: read into a tree; never evaluated.

The grammar is that of the Unified Expression Language 2.2 (JSR 245, chapter 1) without lambdas and
assignments. A text is a run of plain pieces and `${...}` or `#{...}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from engine.sentences import Phrase, phrase

#: brackets and branches inside each other
MAX_DEPTH = 60


class Untranslated(Exception):
    """A text cannot be said in FEEL; `reason` and `advice` tell people why and what to do."""

    def __init__(self, reason: Phrase, advice: Phrase | None = None) -> None:
        super().__init__(reason.said("en"))
        self.reason = reason
        self.advice = advice or phrase("write it in FEEL, beginning with =")


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, true, false or null."""

    #: as Python has it
    value: str | bool | None


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written."""

    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A variable or an object of the engine."""

    text: str


@dataclass(frozen=True, slots=True)
class Member:
    """`base.name`."""

    base: Node
    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """`base[index]`."""

    base: Node
    index: Node


@dataclass(frozen=True, slots=True)
class Call:
    """`base.name(arguments)`, or a function where there is no base."""

    base: Node | None
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """`-`, `not` or `empty` before an operand."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands; the operator is written as a symbol, words are replaced."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? yes : no`."""

    condition: Node
    yes: Node
    no: Node


Node = Literal | Number | Name | Member | Index | Call | Unary | Binary | Choice

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)
    |(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<name>[^\W\d][\w$]*|\$[\w$]+)
    |(?P<operator>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]}])
    )""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
#: words that stand for operators
_WORDS: Mapping[str, str] = {
    "eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=",
    "div": "/", "mod": "%", "and": "&&", "or": "||", "not": "!",
}  # fmt: skip
#: operators by how tightly they bind, the loosest first
_LEVELS: Sequence[tuple[str, ...]] = (
    ("||",),
    ("&&",),
    ("==", "!="),
    ("<", ">", "<=", ">="),
    ("+", "-"),
    ("*", "/", "%"),
)
_CONSTANTS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None}


def is_juel(text: str) -> bool:
    """Tell whether a text holds an expression."""
    return "${" in text or "#{" in text


def parse(text: str) -> tuple[str | Node, ...]:
    """Return the plain pieces and the expressions of a text. Raises Untranslated."""
    found: list[str | Node] = []
    at, plain = 0, ""
    while at < len(text):
        if text[at] == "\\" and text[at + 1 : at + 3] in ("${", "#{"):
            plain, at = plain + text[at + 1 : at + 3], at + 3
        elif text[at : at + 2] in ("${", "#{"):
            found += [plain] if plain else []
            reader = _Reader(text, at + 2)
            found.append(reader.whole())
            plain, at = "", reader.at
        else:
            plain, at = plain + text[at], at + 1
    return (*found, *([plain] if plain or not found else []))


class _Reader:
    """Reads one expression up to its closing brace."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        #: behind what was read
        self.at = at
        self._depth = 0
        self._kind = ""
        self._word = ""
        self._end = at
        self._next()

    def whole(self) -> Node:
        """Read the expression and its closing brace."""
        node = self._choice()
        if self._word != "}" or self._kind != "operator":
            self._wrong()
        self.at = self._end
        return node

    # ------------------------------------------------ tokens

    def _next(self) -> None:
        found = _TOKEN.match(self._text, self._end)
        if found is None:
            self._kind, self._word = "", self._text[self._end :].strip()[:1]
            return
        self._kind = str(found.lastgroup)
        self._word, self._end = found[self._kind], found.end()
        if self._kind == "name" and self._word in _WORDS:
            self._kind, self._word = "operator", _WORDS[self._word]

    def _is(self, *operators: str) -> bool:
        return self._kind == "operator" and self._word in operators

    def _take(self, operator: str) -> None:
        if not self._is(operator):
            self._wrong()
        self._next()

    def _wrong(self) -> NoReturn:
        if not self._word:
            raise Untranslated(phrase("the expression ends too early"))
        raise Untranslated(phrase("“{token}” is not understood there", token=self._word[:40]))

    # ------------------------------------------------ levels

    def _choice(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Untranslated(phrase("the expression is nested too deeply"))
        node = self._operators(0)
        if self._is("?"):
            self._next()
            yes = self._choice()
            self._take(":")
            node = Choice(node, yes, self._choice())
        self._depth -= 1
        return node

    def _operators(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        node = self._operators(level + 1)
        while self._is(*_LEVELS[level]):
            operator = self._word
            self._next()
            node = Binary(operator, node, self._operators(level + 1))
        return node

    def _unary(self) -> Node:
        signs: list[str] = []
        while self._is("-", "!") or (self._kind == "name" and self._word == "empty"):
            signs.append(self._word)
            self._next()
            if len(signs) > MAX_DEPTH:
                raise Untranslated(phrase("the expression is nested too deeply"))
        node = self._value()
        for sign in reversed(signs):
            node = Unary(sign, node)
        return node

    def _value(self) -> Node:
        node = self._primary()
        while self._is(".", "["):
            if self._is("["):
                self._next()
                node = Index(node, self._choice())
                self._take("]")
                continue
            self._next()
            name = self._identifier()
            node = Call(node, name, self._arguments()) if self._is("(") else Member(node, name)
        return node

    def _primary(self) -> Node:
        kind, token = self._kind, self._word
        if kind == "number":
            self._next()
            return Number(token)
        if kind == "string":
            self._next()
            return Literal(_ESCAPE.sub(r"\1", token[1:-1]))
        if self._is("("):
            self._next()
            node = self._choice()
            self._take(")")
            return node
        name = self._identifier()
        if name in _CONSTANTS:
            return Literal(_CONSTANTS[name])
        return Call(None, name, self._arguments()) if self._is("(") else Name(name)

    def _identifier(self) -> str:
        name = self._word
        if self._kind != "name":
            self._wrong()
        self._next()
        return name

    def _arguments(self) -> tuple[Node, ...]:
        self._take("(")
        found: list[Node] = []
        while not self._is(")"):
            found.append(self._choice())
            if not self._is(")"):
                self._take(",")
        self._take(")")
        return tuple(found)
