"""FEEL text to a tree: the grammar of DMN 1.5, 10.3.1.2, read by recursive descent.

Chains of operators and `else if` are read in loops, so only real nesting costs depth.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.feel import iso
from engine.feel.arithmetic import Number, negated, number_literal
from engine.feel.lexer import END, NAME, NUMBER, OPERATOR, STRING
from engine.feel.names import KnownNames
from engine.feel.nodes import (
    Arithmetic,
    Between,
    Call,
    Comparison,
    Entries,
    Filter,
    InstanceOf,
    Interval,
    ListItems,
    Literal,
    Logic,
    Membership,
    Name,
    Negation,
    Node,
    Path,
    Test,
    UnaryTests,
)
from engine.feel.phrases import Phrases

_COMPARATORS = ("=", "!=", "<", "<=", ">", ">=")
_OR, _AND, _COMPARE, _ADD, _MULTIPLY, _POWER = range(1, 7)
_LEVELS = {
    **dict.fromkeys(_COMPARATORS, _COMPARE),
    "+": _ADD,
    "-": _ADD,
    "*": _MULTIPLY,
    "/": _MULTIPLY,
    "**": _POWER,
}
_WORD_LEVELS = {"or": _OR, "and": _AND, "in": _COMPARE, "between": _COMPARE}
_CONSTANTS = {"true": True, "false": False, "null": None}
#: what may follow `[` when it closes a range instead of opening a filter
_AFTER_RANGE = frozenset({")", "]", "}", ",", "=", "!=", "*", "/", "+"})
_STRAY = {
    "then": "'then' without 'if'",
    "else": "'else' without 'if ... then'",
    "return": "'return' without 'for ... in'",
    "satisfies": "'satisfies' without 'some ... in' or 'every ... in'",
}


def parse(text: str, kind: str, names: Iterable[str], functions: KnownNames) -> Node:
    """Return the tree of an `expression` or of `unary` tests.

    `names` are the variables in scope, `functions` the built-ins of several words. FeelError
    tells what is wrong and where.
    """
    parser = Parser(text, names, functions)
    return parser.unary_tests() if kind == "unary" else parser.whole()


class Parser(Phrases):
    """One pass over one text."""

    def __init__(self, text: str, names: Iterable[str], functions: KnownNames) -> None:
        super().__init__(text, names, functions)
        #: within the last part of a range, where `[` may be its end
        self._range_end = False

    def whole(self) -> Node:
        """Read the text as one expression."""
        if self.token.kind == END:
            raise self.error("there is no expression", 0)
        node = self.expression()
        self._end()
        return node

    def unary_tests(self) -> Node:
        """Read the text as the tests of a decision table cell."""
        lone = self.peek().kind == END
        if self.token.kind == END or (lone and self.is_operator("-")):
            return UnaryTests(0, (), False)
        if self.is_word("not") and self.peek().text == "(":
            start = self.at
            self.at += 2
            tests = self._tests()
            if self.accept(")") and self.token.kind == END:
                return UnaryTests(0, tests, True)
            self.at = start
        tests = self._tests()
        self._end()
        return UnaryTests(0, tests, False)

    def _end(self) -> None:
        token = self.token
        if token.kind == END:
            return
        if token.text == "==":
            raise self.error("write '=' to compare", token.start)
        if token.kind in (NAME, NUMBER, STRING):
            raise self.error("expected an operator such as +, = or 'and'")
        raise self.error("expected the end of the expression")

    def _tests(self) -> tuple[Node, ...]:
        tests = [self._test()]
        while self.accept(","):
            tests.append(self._test())
        return tuple(tests)

    def _test(self) -> Node:
        if self.is_operator(*_COMPARATORS):
            operator = self.take()
            return Test(operator.start, operator.text, self._binary(_ADD))
        return self.expression()

    def expression(self) -> Node:
        """Read one expression, as far as it goes."""
        self.enter()
        node = self._binary(_OR)
        self.depth -= 1
        return node

    def _binary(self, lowest: int, left: Node | None = None) -> Node:
        node = self._unary() if left is None else left
        while True:
            level = self._level()
            if level < lowest:
                return node
            if level == _COMPARE:
                node = self._comparison(node)
            elif level in (_OR, _AND):
                node = self._logic(node, level)
            else:
                node = self._arithmetic(node, level)

    def _level(self) -> int:
        token = self.token
        if token.kind == OPERATOR:
            return _LEVELS.get(token.text, 0)
        if token.kind == NAME and not token.quoted:
            return _WORD_LEVELS.get(token.text, 0)
        return 0

    def _logic(self, first: Node, level: int) -> Node:
        operator, parts = self.token.text, [first]
        while self._level() == level:
            self.take()
            parts.append(self._binary(level + 1))
        return Logic(first.at, operator, tuple(parts))

    def _arithmetic(self, first: Node, level: int) -> Node:
        rest: list[tuple[str, Node, int]] = []
        while self._level() == level:
            operator = self.take()
            rest.append((operator.text, self._binary(level + 1), operator.start))
        return Arithmetic(first.at, first, tuple(rest))

    def _comparison(self, left: Node) -> Node:
        operator = self.take()
        if operator.text == "in":
            return Membership(operator.start, left, self._membership())
        if operator.text != "between":
            return Comparison(operator.start, operator.text, left, self._binary(_ADD))
        low = self._binary(_ADD)
        self.expect_word("and", "between the two limits of 'between'")
        return Between(operator.start, left, low, self._binary(_ADD))

    def _membership(self) -> tuple[Node, ...]:
        if self.is_operator(*_COMPARATORS):
            return (self._test(),)
        if not self.is_operator("("):
            return (self._binary(_ADD),)
        tests = self._bracket()
        if len(tests) > 1 or isinstance(tests[0], Test):
            return tests
        return (self._binary(_ADD, self._postfix(tests[0])),)

    def _unary(self) -> Node:
        signs: list[int] = []
        while self.is_operator("-"):
            if self.peek().kind == NUMBER and not self.peek().spaced:
                break
            signs.append(self.take().start)
        node = self._postfix(self._primary())
        if len(signs) % 2 == 0 and signs:
            return Negation(signs[0], Negation(signs[1], node))
        return Negation(signs[0], node) if signs else node

    def _postfix(self, node: Node) -> Node:
        depth = self.depth
        while True:
            token = self.token
            if token.kind == OPERATOR and token.text in (".", "[", "("):
                if token.text == "[" and self._range_end and self._closes_range():
                    break
                self.enter()
                node = self._step(node, self.take().text, token.start)
            elif token.text == "instance" and self.is_word("instance"):
                if self.peek().text != "of":
                    break
                self.at += 2
                node = InstanceOf(token.start, node, self.read_type())
            else:
                break
        self.depth = depth
        return node

    def _closes_range(self) -> bool:
        after = self.peek()
        if after.kind == NAME:
            return after.text in _WORD_LEVELS or after.text in _STRAY
        return after.kind == END or (after.kind == OPERATOR and after.text in _AFTER_RANGE)

    def _step(self, base: Node, opener: str, at: int) -> Node:
        if opener == ".":
            return Path(at, base, self.read_property())
        if opener == "(":
            return self._call(base)
        outer, self._range_end = self._range_end, False
        condition = self.expression()
        self._range_end = outer
        self.expect("]", "to close the filter")
        return Filter(at, base, condition)

    def _call(self, callee: Node) -> Node:
        outer, self._range_end = self._range_end, False
        arguments: list[Node] = []
        names: list[str] = []
        while not self.is_operator(")"):
            name = self.named_argument()
            if name is not None:
                names.append(name)
            arguments.append(self._test())
            if names and len(names) != len(arguments):
                raise self.error("name all arguments of a call or none", arguments[-1].at)
            if not self.accept(","):
                break
        self._range_end = outer
        self.expect(")", "to close the arguments of the call")
        return Call(callee.at, callee, tuple(arguments), tuple(names))

    def _primary(self) -> Node:
        token = self.token
        if token.kind == NUMBER:
            return Literal(token.start, self._number())
        if token.kind == STRING:
            self.take()
            return Literal(token.start, token.text)
        if token.kind == NAME:
            return self._word()
        if token.kind == OPERATOR:
            return self._opened()
        raise self.error("expected a value")

    def _number(self) -> Number:
        token = self.take()
        try:
            return number_literal(token.text)
        except ArithmeticError:
            raise self.error("this number is too large", token.start) from None

    def _word(self) -> Node:
        token = self.token
        phrase = None if token.quoted else _PHRASES.get(token.text)
        if phrase is not None and self._known_here() is None:
            return phrase(self)
        if token.text in _CONSTANTS and not token.quoted and self._known_here() is None:
            self.take()
            return Literal(token.start, _CONSTANTS[token.text])
        if token.text in _STRAY and not token.quoted:
            raise self.error(_STRAY[token.text], token.start)
        if token.text in _WORD_LEVELS and not token.quoted:
            raise self.error("expected a value")
        return Name(token.start, self.read_name())

    def _opened(self) -> Node:
        token = self.token
        if token.text == "-" and self.peek().kind == NUMBER:
            self.take()
            return Literal(token.start, negated(self._number()))
        if token.text == "@":
            return self._literal()
        if token.text == "(":
            tests = self._bracket()
            if len(tests) > 1:
                raise self.error("a list is written in square brackets", token.start)
            return tests[0]
        if token.text in ("[", "]"):
            return self._square()
        if token.text == "{":
            return self._context()
        raise self.error("expected a value")

    def _literal(self) -> Node:
        at = self.take()
        if self.token.kind != STRING:
            raise self.error("expected a text in quotes after '@'")
        text = self.take().text
        try:
            return Literal(at.start, iso.parse_literal(text))
        except ValueError:
            # the standard wants null here; the check reports it
            return Call(at.start, Name(at.start, "@"), (Literal(at.start, text),), ())

    def _bracket(self) -> tuple[Node, ...]:
        outer, self._range_end = self._range_end, False
        opening = self.take()
        tests = [self._test()]
        if self.accept(".."):
            tests = [self._interval(opening.start, tests[0], False)]
        else:
            while self.accept(","):
                tests.append(self._test())
            self.expect(")", "to close the bracket")
        self._range_end = outer
        return tuple(tests)

    def _interval(self, at: int, start: Node, start_included: bool) -> Node:
        self._range_end = True
        end = self._binary(_ADD)
        self._range_end = False
        if not self.is_operator("]", ")", "["):
            raise self.error("expected ']' or ')' to close the range")
        return Interval(at, start, end, start_included, self.take().text == "]")

    def _square(self) -> Node:
        outer, self._range_end = self._range_end, False
        opening = self.take()
        items: list[Node] = []
        if opening.text == "]" or not self.is_operator("]"):
            items.append(self._test())
        if items and self.accept(".."):
            node = self._interval(opening.start, items[0], opening.text == "[")
        elif opening.text == "]":
            raise self.error("expected '..' in a range that begins with ']'")
        else:
            while items and self.accept(","):
                items.append(self._test())
            self.expect("]", "to close the list")
            node = ListItems(opening.start, tuple(items))
        self._range_end = outer
        return node

    def _context(self) -> Node:
        outer, self._range_end = self._range_end, False
        opening = self.take()
        entries: list[tuple[str, Node]] = []
        while not self.is_operator("}"):
            key = self.read_key("the name of an entry")
            self.expect(":", "after the name of an entry")
            entries.append((key, self._test()))
            if not self.accept(","):
                break
        self.expect("}", "to close the context")
        self._range_end = outer
        return Entries(opening.start, tuple(entries))


_PHRASES = {
    "if": Parser.read_if,
    "for": Parser.read_for,
    "some": Parser.read_quantified,
    "every": Parser.read_quantified,
    "function": Parser.read_function,
}
