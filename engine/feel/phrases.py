"""The phrases of the grammar that begin with a word: `if`, `for`, `some`, `every`, `function`."""

from __future__ import annotations

from engine.feel.nodes import For, FunctionBody, If, Iterator, Name, Node, Quantified, TypeName
from engine.feel.reader import Reader


class Phrases(Reader):
    """The part of the parser that reads phrases; expressions inside are left to the parser."""

    def expression(self) -> Node:
        """Read one expression, as far as it goes."""
        raise NotImplementedError

    def read_if(self) -> Node:
        """Read `if ... then ... else`; a chain of `else if` becomes one node."""
        start = self.token.start
        branches: list[tuple[Node, Node]] = []
        while self.is_word("if"):
            self.take()
            condition = self.expression()
            self.expect_word("then", "after the condition of 'if'")
            branches.append((condition, self.expression()))
            self.expect_word("else", "after 'if ... then ...'")
        return If(start, tuple(branches), self.expression())

    def _iterators(self) -> tuple[Iterator, ...]:
        found: list[Iterator] = []
        while not found or self.accept(","):
            at = self.token.start
            name = self.read_new_name("the loop variable")
            self.expect_word("in", f"after the variable '{name}'")
            domain = self.expression()
            end = self.expression() if self.accept("..") else None
            found.append(Iterator(at, name, domain, end))
        return tuple(found)

    def read_for(self) -> Node:
        """Read `for ... in ... return`."""
        start = self.take().start
        iterators = self._iterators()
        self.expect_word("return", "after 'for ... in ...'")
        return For(start, iterators, self.expression())

    def read_quantified(self) -> Node:
        """Read `some` or `every ... in ... satisfies`."""
        word = self.take()
        iterators = self._iterators()
        self.expect_word("satisfies", f"after '{word.text} ... in ...'")
        return Quantified(word.start, word.text == "every", iterators, self.expression())

    def read_function(self) -> Node:
        """Read `function(a: type, b) body`."""
        if self.peek().text != "(":
            return Name(self.token.start, self.read_name())
        start = self.take().start
        self.expect("(", "after 'function'")
        names: list[str] = []
        types: list[TypeName | None] = []
        while not self.is_operator(")"):
            names.append(self.read_key("the name of a parameter", (":", ",", ")")))
            types.append(self.read_type() if self.accept(":") else None)
            if not self.accept(","):
                break
        self.expect(")", "to close the parameters of the function")
        if self.is_word("external"):
            self.take()
            self.expression()
            return FunctionBody(start, tuple(names), tuple(types), None)
        return FunctionBody(start, tuple(names), tuple(types), self.expression())
