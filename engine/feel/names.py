"""Names of several words, or with operators inside, found in the tokens: the longest one wins."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from engine.errors import FeelError
from engine.feel.lexer import END, NAME, STRING, Token, tokens_of

#: what ends a name that nobody has declared
STOPS = frozenset({"and", "or", "in", "between", "then", "else", "return", "satisfies"})
#: properties of moments and ranges that have two words
PROPERTIES = ("time offset", "start included", "end included")

_Pieces = tuple[tuple[str, bool], ...]


@lru_cache(maxsize=4096)
def _pieces(name: str) -> _Pieces:
    """Return the tokens of a name with whether white space stands before each."""
    try:
        tokens = tokens_of(name)
    except FeelError:
        return ()
    if any(token.kind == STRING or token.quoted for token in tokens):
        return ()
    return tuple((token.text, token.spaced) for token in tokens if token.kind != END)


class KnownNames:
    """The names of more than one token that are known at some place of a text."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._by_first: dict[str, list[tuple[_Pieces, str]]] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Make a name known; one of a single token needs no entry."""
        pieces = _pieces(name)
        if len(pieces) < 2:
            return
        entries = self._by_first.setdefault(pieces[0][0], [])
        if not any(known == name for _, known in entries):
            entries.append((pieces, name))
            entries.sort(key=lambda entry: -len(entry[0]))

    def match(self, tokens: list[Token], at: int) -> tuple[str, int] | None:
        """Return the longest name that begins at a token and the place after it, or None."""
        for pieces, name in self._by_first.get(tokens[at].text, ()):
            end = at + len(pieces)
            if end < len(tokens) and all(
                token.text == text and (token.spaced == spaced or token is tokens[at])
                for token, (text, spaced) in zip(tokens[at:end], pieces, strict=True)
                if token.kind != STRING
            ):
                if any(token.kind == STRING or token.quoted for token in tokens[at:end]):
                    continue
                return name, end
        return None


def joined(tokens: list[Token]) -> str:
    """Return the name that a run of tokens spells, white space reduced to one blank."""
    return "".join((" " if n and t.spaced else "") + t.text for n, t in enumerate(tokens))


def is_word(token: Token) -> bool:
    """Tell whether a token can be part of an undeclared name."""
    return token.kind == NAME and (token.quoted or token.text not in STOPS)
