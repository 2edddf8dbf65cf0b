"""The cursor of the parser: tokens, names in scope, nesting depth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.errors import FeelError
from engine.feel.lexer import (
    END,
    NAME,
    NUMBER,
    OPERATOR,
    STRING,
    KnownNames,
    Token,
    joined,
    tokens_of,
)
from engine.feel.library import LONG_NAMES
from engine.feel.types import Type

#: brackets, branches and bodies inside each other
MAX_DEPTH = 80
#: what ends a name that nobody has declared
STOPS = frozenset({"and", "or", "in", "between", "then", "else", "return", "satisfies"})
_PROPERTIES = KnownNames(("time offset", "start included", "end included"))


class Cursor:
    """Goes through the tokens of one text; what reads leaves it behind what it read."""

    def __init__(self, text: str, names: Iterable[str], types: Mapping[str, Type]) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.at = 0
        self.depth = 0
        #: names that the host or the text itself gives to values
        self.own = set(names)
        self.known = KnownNames(self.own)
        self.types = types
        #: within the last part of a range, where `[` may be its end
        self.range_end = False

    # the cursor

    @property
    def token(self) -> Token:
        """The token under the cursor."""
        return self.tokens[self.at]

    def peek(self) -> Token:
        """Return the token after that one, the end token at the end."""
        return self.tokens[min(self.at + 1, len(self.tokens) - 1)]

    def take(self) -> Token:
        """Return the token under the cursor and go on."""
        token = self.tokens[self.at]
        self.at += token.kind != END
        return token

    def sees(self, *texts: str) -> bool:
        """Tell whether the cursor is at one of these operators or keywords."""
        token = self.tokens[self.at]
        return token.text in texts and token.kind in (OPERATOR, NAME) and not token.quoted

    def accept(self, text: str) -> bool:
        """Go past this operator or keyword if the cursor is at it."""
        seen = self.sees(text)
        self.at += seen
        return seen

    def expect(self, text: str, why: str) -> None:
        """Go past this operator or keyword; FeelError with the reason where another thing is."""
        if not self.accept(text):
            raise self.error(f"expected '{text}' {why}")

    def error(self, message: str, at: int | None = None) -> FeelError:
        """Return the error for the cursor (or an offset), telling what was found there."""
        if at is not None:
            return FeelError(message, at)
        token = self.token
        written = self.text[token.start : token.end]
        written = written if len(written) <= 30 else written[:27] + "..."
        found = "the end of the text" if token.kind == END else f"'{written}'"
        return FeelError(f"{message}, found {found}", token.start)

    def enter(self) -> None:
        """Go one level deeper; FeelError when the text is nested too deeply."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error("this is nested too deeply", self.token.start)

    # names

    def _is_word(self) -> bool:
        token = self.token
        return token.kind == NAME and (token.quoted or token.text not in STOPS)

    def _new(self, name: str) -> str:
        self.known.add(name)
        self.own.add(name)
        return name

    def _known_name(self) -> tuple[str, int] | None:
        found = self.known.match(self.tokens, self.at)
        called = LONG_NAMES.match(self.tokens, self.at)
        longer = called is not None and (found is None or called[1] > found[1])
        return called if called and longer and self.tokens[called[1]].text == "(" else found

    def _name(self) -> str:
        """Read a variable or function name, the longest known one."""
        found = None if self.token.quoted else self._known_name()
        if found is None:
            return self.take().text
        name, self.at = found
        return name

    def _property(self) -> str:
        token = self.token
        if token.kind != NAME:
            raise self.error("expected a name after '.'")
        known = self.known.match(self.tokens, self.at) or _PROPERTIES.match(self.tokens, self.at)
        if token.quoted or known is None:
            return self.take().text
        name, self.at = known
        return name

    def _key(self, what: str, *ends: str) -> str:
        """Read everything up to a `:` (or another end) as one name, or a string."""
        if self.token.kind == STRING:
            return self._new(self.take().text)
        found: list[Token] = []
        while not self.sees(*ends) and self.token.kind in (NAME, NUMBER, OPERATOR):
            if self.token.kind == OPERATOR and self.token.text not in "+-**/.'":
                break
            found.append(self.take())
        if not found or found[0].kind != NAME:
            raise self.error(f"expected {what}")
        return self._new(joined(found))

    def _argument_name(self) -> str | None:
        """Read `name :` before a call argument; None where the argument has no name."""
        end = self.at
        while self.tokens[end].kind == NAME:
            end += 1
        if end == self.at or self.tokens[end].text != ":":
            return None
        name = joined(self.tokens[self.at : end])
        self.at = end + 1
        return name
