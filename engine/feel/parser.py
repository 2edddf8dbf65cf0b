"""FEEL text to a tree: the grammar of DMN 1.5, 10.3.1.2, read by precedence from one table.

Chains of operators and `else if` are read in loops, so only real nesting costs depth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from engine.feel import nodes
from engine.feel.cursor import STOPS, Cursor
from engine.feel.lexer import END, NAME, NUMBER, OPERATOR, STRING, KnownNames, Token, joined
from engine.feel.library import BUILTINS
from engine.feel.moments import parse_literal
from engine.feel.nodes import Node
from engine.feel.operators import COMPARISONS, Number, negate, number_literal
from engine.feel.run import Run
from engine.feel.types import (
    ANY,
    SIMPLE_TYPES,
    ContextType,
    FunctionType,
    ListType,
    RangeType,
    Type,
)

_CONSTANTS = {"true": True, "false": False, "null": None}
#: built-ins that make a constant of constants
CONSTRUCTORS = frozenset({"date", "time", "date and time", "duration", "years and months duration"})
_KEYWORDS = STOPS | {"if", "for", "some", "every", "true", "false", "null"}
_LONG_TYPES = KnownNames(("date and time", "days and time duration", "years and months duration"))
#: what may follow `[` when it closes a range instead of opening a filter
_AFTER_RANGE = STOPS | {")", "]", "}", ",", "=", "!=", "*", "/", "+", ".", ""}
_STRAY = {
    "then": "'then' without 'if'",
    "else": "'else' without 'if ... then'",
    "return": "'return' without 'for ... in'",
    "satisfies": "'satisfies' without 'some ... in' or 'every ... in'",
}


def parse(
    text: str,
    kind: str = "expression",
    names: Iterable[str] = (),
    types: Mapping[str, Type] | None = None,
) -> Node:
    """Return the tree of an `expression` or of `unary` tests, constants calculated.

    `names` are the variables in scope, `types` the types that are known besides FEEL's own.
    FeelError tells what is wrong and where.
    """
    parser = Parser(text, names, types or {})
    return parser.unary_tests() if kind == "unary" else parser.whole()


class Parser(Cursor):
    """One pass over one text; every method leaves the cursor behind what it read."""

    # whole texts

    def whole(self) -> Node:
        """Read the text as one expression."""
        if self.token.kind == END:
            raise self.error("there is no expression; write one, or null", 0)
        node = self.expression()
        self._end()
        return node

    def unary_tests(self) -> Node:
        """Read the text as the tests of a decision table cell."""
        if self.token.kind == END or (self.sees("-") and self.peek().kind == END):
            return nodes.UnaryTests(0, (), False)
        if self.sees("not") and self.peek().text == "(":
            start = self.at
            self.at += 2
            tests = self._tests()
            if self.accept(")") and self.token.kind == END:
                return nodes.UnaryTests(0, tests, True)
            self.at = start
        tests = self._tests()
        self._end()
        return nodes.UnaryTests(0, tests, False)

    def _end(self) -> None:
        token = self.token
        if token.text == "==" and token.kind == OPERATOR:
            raise self.error("write '=' to compare", token.start)
        if token.kind in (NAME, NUMBER, STRING):
            raise self.error("expected an operator such as +, = or 'and'")
        if token.kind != END:
            raise self.error("expected the end of the expression")

    def _tests(self) -> tuple[Node, ...]:
        tests = [self._test()]
        while self.accept(","):
            tests.append(self._test())
        return tuple(tests)

    def _test(self) -> Node:
        if self.sees(*COMPARISONS):
            operator = self.take()
            return nodes.Test(operator.start, operator.text, self.expression(_ADD))
        return self.expression()

    # operators

    def expression(self, lowest: int = 0) -> Node:
        """Read one expression as far as it goes, or an operand of operators below `lowest`."""
        outer = self.range_end
        if not lowest:
            self.range_end = False
            self.enter()
        node = self._operand()
        while True:
            token = self.token
            level, read = _INFIX.get(token.text, _NONE)
            if read is None or level < lowest or token.kind == STRING or token.quoted:
                break
            node = read(self, node)
        if not lowest:
            self.depth -= 1
        self.range_end = outer
        return node

    def _logic(self, first: Node) -> Node:
        operator, parts = self.token.text, [first]
        while self.accept(operator):
            parts.append(self.expression(_INFIX[operator][0] + 1))
        return nodes.Logic(first.at, operator, tuple(parts))

    def _arithmetic(self, first: Node) -> Node:
        level = _INFIX[self.token.text][0]
        rest: list[tuple[str, Node, int]] = []
        while _INFIX.get(self.token.text, _NONE)[0] == level and self.token.kind == OPERATOR:
            operator = self.take()
            rest.append((operator.text, self.expression(level + 1), operator.start))
        return nodes.folded(nodes.Arithmetic(first.at, first, tuple(rest)))

    def _comparison(self, left: Node) -> Node:
        operator = self.take()
        return nodes.Comparison(operator.start, operator.text, left, self.expression(_ADD))

    def _between(self, value: Node) -> Node:
        at = self.take().start
        low = self.expression(_ADD)
        self.expect("and", "between the two limits of 'between'")
        return nodes.Membership(
            at, value, (nodes.folded(nodes.Interval(at, low, self.expression(_ADD), True, True)),)
        )

    def _membership(self, value: Node) -> Node:
        at = self.take().start
        if self.sees(*COMPARISONS):
            tests: tuple[Node, ...] = (self._test(),)
        elif not self.sees("("):
            tests = (self.expression(_ADD),)
        else:
            tests = self._bracket()
            if len(tests) == 1 and not isinstance(tests[0], nodes.Test):
                tests = (self._postfix(tests[0]),)
        return nodes.Membership(at, value, tests)

    def _operand(self) -> Node:
        signs: list[int] = []
        while self.sees("-") and (self.peek().kind != NUMBER or self.peek().spaced):
            signs.append(self.take().start)
        node = self._postfix(self._primary())
        if signs and len(signs) % 2 == 0:
            node = nodes.folded(nodes.Negation(signs[1], node))
        return nodes.folded(nodes.Negation(signs[0], node)) if signs else node

    def _postfix(self, node: Node) -> Node:
        depth = self.depth
        while self.sees(".", "[", "(", "instance"):
            if self.sees("[") and self.range_end and self._closes_range():
                break
            if self.sees("instance") and self.peek().text != "of":
                break
            self.enter()
            token = self.take()
            if token.text == ".":
                node = nodes.Path(token.start, node, self._property())
            elif token.text == "(":
                node = self._call(node)
            elif token.text == "[":
                node = nodes.Filter(token.start, node, self.expression())
                self.expect("]", "to close the filter")
            else:
                self.at += 1
                node = nodes.InstanceOf(token.start, node, self._type())
        self.depth = depth
        return node

    def _closes_range(self) -> bool:
        after = self.peek()
        return after.kind in (NAME, OPERATOR, END) and after.text in _AFTER_RANGE

    def _call(self, callee: Node) -> Node:
        arguments: list[Node] = []
        names: list[str] = []
        while not self.sees(")"):
            name = self._argument_name()
            if name is not None:
                names.append(name)
            arguments.append(self._test())
            if names and len(names) != len(arguments):
                raise self.error("name all arguments of a call or none", arguments[-1].at)
            if not self.accept(","):
                break
        self.expect(")", "to close the arguments of the call")
        call = nodes.Call(callee.at, callee, tuple(arguments), tuple(names))
        name = callee.name if isinstance(callee, nodes.Name) else ""
        return self._made(call, name) if name in CONSTRUCTORS - self.own else call

    def _made(self, call: nodes.Call, name: str) -> Node:
        """Return a moment or duration that literals make; what they do not make stays a call."""
        values = [one.value for one in call.arguments if isinstance(one, nodes.Literal)]
        if len(values) < len(call.arguments):
            return call
        made = BUILTINS[name].invoke(Run({}), values, call.at, call.names)
        return call if made is None else nodes.Literal(call.at, made)

    # operands

    def _primary(self) -> Node:
        token = self.token
        if token.kind == NUMBER:
            return nodes.Literal(token.start, self._number())
        if token.kind == STRING:
            return nodes.Literal(token.start, self.take().text)
        if token.kind == NAME and (token.quoted or self._known_name() is not None):
            return nodes.Name(token.start, self._name())
        if token.text in _CONSTANTS:
            return nodes.Literal(token.start, _CONSTANTS[self.take().text])
        read = _PREFIX.get(token.text)
        if read is not None:
            return read(self)
        if token.text in _STRAY:
            raise self.error(_STRAY[token.text], token.start)
        if token.kind != NAME or token.text in STOPS:
            raise self.error("expected a value")
        return nodes.Name(token.start, self._name())

    def _number(self) -> Number:
        token = self.take()
        try:
            return number_literal(token.text)
        except ArithmeticError:
            raise self.error("this number is too large", token.start) from None

    def _negative(self) -> Node:
        at = self.take().start
        return nodes.Literal(at, negate(self._number()))

    def _literal(self) -> Node:
        at = self.take().start
        if self.token.kind != STRING:
            raise self.error("expected a text in quotes after '@'")
        text = self.take().text
        try:
            return nodes.Literal(at, parse_literal(text))
        except ValueError:
            # the standard wants null here; the check reports it
            return nodes.Call(at, nodes.Name(at, "@"), (nodes.Literal(at, text),), ())

    def _bracketed(self) -> Node:
        at = self.token.start
        tests = self._bracket()
        if len(tests) > 1:
            raise self.error("a list is written in square brackets", at)
        return tests[0]

    def _bracket(self) -> tuple[Node, ...]:
        at = self.take().start
        tests = [self._test()]
        if self.accept(".."):
            return (self._interval(at, tests[0], False),)
        while self.accept(","):
            tests.append(self._test())
        self.expect(")", "to close the bracket")
        return tuple(tests)

    def _interval(self, at: int, start: Node, start_included: bool) -> Node:
        outer, self.range_end = self.range_end, True
        end = self.expression(_ADD)
        self.range_end = outer
        if not self.sees("]", ")", "["):
            raise self.error("expected ']' or ')' to close the range")
        return nodes.folded(nodes.Interval(at, start, end, start_included, self.take().text == "]"))

    def _square(self) -> Node:
        opening = self.take()
        items: list[Node] = []
        if opening.text == "]" or not self.sees("]"):
            items.append(self._test())
        if items and self.accept(".."):
            return self._interval(opening.start, items[0], opening.text == "[")
        if opening.text == "]":
            raise self.error("expected '..' in a range that begins with ']'")
        while items and self.accept(","):
            items.append(self._test())
        self.expect("]", "to close the list")
        return nodes.ListItems(opening.start, tuple(items))

    def _context(self) -> Node:
        at = self.take().start
        entries: list[tuple[str, Node]] = []
        while not self.sees("}"):
            key = self._key("the name of an entry", ":")
            self.expect(":", "after the name of an entry")
            entries.append((key, self._test()))
            if not self.accept(","):
                break
        self.expect("}", "to close the context")
        return nodes.Entries(at, tuple(entries))

    # phrases

    def _if(self) -> Node:
        at = self.token.start
        branches: list[tuple[Node, Node]] = []
        while self.accept("if"):
            condition = self.expression()
            self.expect("then", "after the condition of 'if'")
            branches.append((condition, self.expression()))
            self.expect("else", "after 'if ... then ...'")
        return nodes.If(at, tuple(branches), self.expression())

    def _iterators(self) -> tuple[nodes.Iterator, ...]:
        found: list[nodes.Iterator] = []
        while not found or self.accept(","):
            at = self.token.start
            words: list[Token] = []
            while self._is_word() or (words and self.token.kind == NUMBER):
                words.append(self.take())
            if not words:
                raise self.error("expected a name for the loop variable")
            name = self._new(joined(words))
            self.expect("in", f"after the variable '{name}'")
            domain = self.expression()
            end = self.expression() if self.accept("..") else None
            found.append(nodes.Iterator(at, name, domain, end))
        return tuple(found)

    def _for(self) -> Node:
        at = self.take().start
        iterators = self._iterators()
        self.expect("return", "after 'for ... in ...'")
        return nodes.For(at, iterators, self.expression())

    def _quantified(self) -> Node:
        word = self.take()
        iterators = self._iterators()
        self.expect("satisfies", f"after '{word.text} ... in ...'")
        return nodes.Quantified(word.start, word.text == "every", iterators, self.expression())

    def _function(self) -> Node:
        at = self.token.start
        if self.peek().text != "(":
            return nodes.Name(at, self._name())
        self.at += 2
        names: list[str] = []
        types: list[Type | str | None] = []
        while not self.sees(")"):
            names.append(self._key("the name of a parameter", ":", ",", ")"))
            types.append(self._type() if self.accept(":") else None)
            if not self.accept(","):
                break
        self.expect(")", "to close the parameters of the function")
        external = self.accept("external")
        body = self.expression()
        return nodes.FunctionBody(at, tuple(names), tuple(types), None if external else body)

    # types

    def _type(self) -> Type | str:
        """Read a type such as `number` or `list<date and time>`; an unknown one stays a name."""
        self.enter()
        name = self._type_name()
        parts: dict[str, Type | str] = {}
        result: Type | str = ANY
        if name in ("list", "range", "context", "function") and self.accept("<"):
            while not self.sees(">"):
                key = str(len(parts))
                if name == "context":
                    key = self._key("the name of an entry", ":")
                    self.expect(":", "after the name of an entry")
                parts[key] = self._type()
                if not self.accept(","):
                    break
            self.expect(">", f"to close the type {name}<...>")
            if name == "function" and self.accept("->"):
                result = self._type()
        self.depth -= 1
        known = {key: kind for key, kind in parts.items() if isinstance(kind, Type)}
        if len(known) < len(parts) or not isinstance(result, Type):
            return next(kind for kind in (*parts.values(), result) if isinstance(kind, str))
        if name == "function":
            return FunctionType(list(known.values()), result)
        if name == "context" and known:
            return ContextType(known)
        if known:
            return (ListType if name == "list" else RangeType)(*known.values())
        return self.types.get(name) or SIMPLE_TYPES.get(name) or name

    def _type_name(self) -> str:
        found = _LONG_TYPES.match(self.tokens, self.at)
        if found is not None:
            name, self.at = found
            return name
        if self.token.kind != NAME or self.token.text in _KEYWORDS:
            raise self.error("expected the name of a type")
        start = self.at
        while self._is_word() or (self.at > start and self.sees(".")):
            self.at += 1
        return joined(self.tokens[start : self.at])


_OR, _AND, _COMPARE, _ADD, _MULTIPLY, _POWER = range(1, 7)
_Infix = Callable[[Parser, Node], Node]
_NONE: tuple[int, _Infix | None] = (0, None)
#: what may follow an operand: its precedence, and what reads it
_INFIX: dict[str, tuple[int, _Infix | None]] = {
    "or": (_OR, Parser._logic),
    "and": (_AND, Parser._logic),
    "in": (_COMPARE, Parser._membership),
    "between": (_COMPARE, Parser._between),
    **dict.fromkeys(COMPARISONS, (_COMPARE, Parser._comparison)),
    **dict.fromkeys("+-", (_ADD, Parser._arithmetic)),
    **dict.fromkeys("*/", (_MULTIPLY, Parser._arithmetic)),
    "**": (_POWER, Parser._arithmetic),
}
#: what an operand may begin with, beside literals and names
_PREFIX: dict[str, Callable[[Parser], Node]] = {
    "if": Parser._if,
    "for": Parser._for,
    "some": Parser._quantified,
    "every": Parser._quantified,
    "function": Parser._function,
    "-": Parser._negative,
    "@": Parser._literal,
    "(": Parser._bracketed,
    "[": Parser._square,
    "]": Parser._square,
    "{": Parser._context,
}
