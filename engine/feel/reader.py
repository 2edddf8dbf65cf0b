"""The cursor of the parser: tokens, names in scope, nesting depth, and the notation of types."""

from __future__ import annotations

from collections.abc import Iterable

from engine.errors import FeelError
from engine.feel.lexer import END, NAME, NUMBER, OPERATOR, STRING, Token, tokens_of
from engine.feel.names import PROPERTIES, STOPS, KnownNames, is_word, joined
from engine.feel.nodes import TypeName

#: brackets, branches and bodies inside each other
MAX_DEPTH = 80

_KEYWORDS = STOPS | {"if", "for", "some", "every", "true", "false", "null"}
_LONG_TYPES = KnownNames(("date and time", "days and time duration", "years and months duration"))
_property_names = KnownNames(PROPERTIES)


class Reader:
    """Reads tokens one after the other; every `read_...` leaves the cursor behind what it read."""

    def __init__(self, text: str, names: Iterable[str], functions: KnownNames) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.at = 0
        self.depth = 0
        self.known = KnownNames(names)
        self._functions = functions

    @property
    def token(self) -> Token:
        """The token under the cursor."""
        return self.tokens[self.at]

    def peek(self, ahead: int = 1) -> Token:
        """Return a later token, the end token past the end."""
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def take(self) -> Token:
        """Return the token under the cursor and go on."""
        token = self.tokens[self.at]
        if token.kind != END:
            self.at += 1
        return token

    def is_operator(self, *texts: str) -> bool:
        """Tell whether the cursor is at one of these operators."""
        token = self.tokens[self.at]
        return token.kind == OPERATOR and token.text in texts

    def is_word(self, text: str) -> bool:
        """Tell whether the cursor is at this keyword."""
        token = self.tokens[self.at]
        return token.kind == NAME and token.text == text and not token.quoted

    def accept(self, text: str) -> bool:
        """Go past this operator if the cursor is at it."""
        if self.is_operator(text):
            self.at += 1
            return True
        return False

    def expect(self, text: str, why: str) -> Token:
        """Go past this operator; FeelError with the reason where another thing stands."""
        if not self.is_operator(text):
            raise self.error(f"expected '{text}' {why}")
        return self.take()

    def expect_word(self, text: str, why: str) -> Token:
        """Go past this keyword; FeelError with the reason where another thing stands."""
        if not self.is_word(text):
            raise self.error(f"expected '{text}' {why}")
        return self.take()

    def error(self, message: str, at: int | None = None) -> FeelError:
        """Return the error for the cursor (or an offset), telling what was found there."""
        token = self.token
        if at is not None:
            return FeelError(message, at)
        found = "the end of the text" if token.kind == END else f"'{self._excerpt(token)}'"
        return FeelError(f"{message}, found {found}", token.start)

    def _excerpt(self, token: Token) -> str:
        text = self.text[token.start : token.end]
        return text if len(text) <= 30 else text[:27] + "..."

    def enter(self) -> None:
        """Go one level deeper; FeelError when the text is nested too deeply."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error("this is nested too deeply", self.token.start)

    # names

    def read_name(self) -> str:
        """Read a variable or function name, the longest known one."""
        token = self.token
        if not token.quoted:
            found = self._known_here()
            if found is not None:
                name, self.at = found
                return name
        self.at += 1
        return token.text

    def _known_here(self) -> tuple[str, int] | None:
        found = self.known.match(self.tokens, self.at)
        called = self._functions.match(self.tokens, self.at)
        if called is not None and (found is None or called[1] > found[1]):
            after = self.tokens[called[1]]
            if after.kind == OPERATOR and after.text == "(":
                return called
        return found

    def read_property(self) -> str:
        """Read the name after a dot."""
        token = self.token
        if token.kind != NAME:
            raise self.error("expected a name after '.'")
        if not token.quoted:
            found = self.known.match(self.tokens, self.at)
            found = found or _property_names.match(self.tokens, self.at)
            if found is not None:
                name, self.at = found
                return name
        self.at += 1
        return token.text

    def read_new_name(self, what: str) -> str:
        """Read the name of a loop variable: all words up to a keyword or an operator."""
        found: list[Token] = []
        while is_word(self.token) or (found and self.token.kind == NUMBER):
            found.append(self.take())
        if not found:
            raise self.error(f"expected a name for {what}")
        name = joined(found)
        self.known.add(name)
        return name

    def read_key(self, what: str, ends: tuple[str, ...] = (":",)) -> str:
        """Read everything up to a `:` (or another end) as one name, or a string."""
        if self.token.kind == STRING:
            name = self.take().text
            self.known.add(name)
            return name
        found: list[Token] = []
        while not self.is_operator(*ends) and self.token.kind in (NAME, NUMBER, OPERATOR):
            if self.token.kind == OPERATOR and self.token.text not in "+-**/.'":
                break
            found.append(self.take())
        if not found or found[0].kind != NAME:
            raise self.error(f"expected {what}")
        name = joined(found)
        self.known.add(name)
        return name

    def named_argument(self) -> str | None:
        """Read `name :` before a call argument; None where the argument has no name."""
        ahead = self.at
        while self.tokens[ahead].kind == NAME:
            ahead += 1
        after = self.tokens[ahead]
        if ahead == self.at or after.kind != OPERATOR or after.text != ":":
            return None
        name = joined(self.tokens[self.at : ahead])
        self.at = ahead + 1
        return name

    # types

    def read_type(self) -> TypeName:
        """Read a type such as `number`, `list<date and time>` or `context<a: string>`."""
        self.enter()
        start = self.token.start
        name = self._type_name()
        parts: list[TypeName] = []
        keys: list[str] = []
        result = None
        if name in ("list", "range", "context", "function") and self.accept("<"):
            while not self.is_operator(">"):
                if name == "context":
                    keys.append(self.read_key("the name of an entry"))
                    self.expect(":", "after the name of an entry")
                parts.append(self.read_type())
                if not self.accept(","):
                    break
            self.expect(">", f"to close the type {name}<...>")
            if name == "function" and self.accept("->"):
                result = self.read_type()
        self.depth -= 1
        return TypeName(start, name, tuple(parts), tuple(keys), result)

    def _type_name(self) -> str:
        found = _LONG_TYPES.match(self.tokens, self.at)
        if found is not None:
            name, self.at = found
            return name
        if self.token.kind != NAME or self.token.text in _KEYWORDS:
            raise self.error("expected the name of a type")
        start = self.at
        while is_word(self.token) or (self.at > start and self.is_operator(".")):
            self.at += 1
        return joined(self.tokens[start : self.at])
