"""FEEL text to tokens, and names of several words found in them: the longest known one wins."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from engine.errors import FeelError

NAME, NUMBER, STRING, OPERATOR, END = "name", "number", "string", "operator", "end"

# the characters of names are those of DMN 1.5, grammar rules 27 to 29
_START = (
    "?A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d"
    "\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_PART = _START + "0-9\u00b7\u0300-\u036f\u203f-\u2040"
_SPACE = "\\s\u0085\u180e\u200b\ufeff"
_token = re.compile(
    rf"(?P<space>(?:[{_SPACE}]+|//[^\n\r]*|/\*.*?\*/)+)"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|(?<!\.)\.[0-9]+(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<name>[{_START}][{_PART}]*)"
    r"|(?P<quoted>`[^`\n]*`)"
    r'|(?P<string>"[^"\\]*(?:\\.[^"\\]*)*")'
    r"|(?P<operator>\.\.|\*\*|->|<=|>=|!=|==|/(?!\*)|[-+*=<>()\[\]{},:.@'])",
    re.DOTALL,
)
_escape = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{6})|([nrt\"'\\]))", re.DOTALL)
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t"}
_half = re.compile("[\ud800-\udfff]")
_surrogates = re.compile("([\ud800-\udbff])([\udc00-\udfff])")
#: what does not belong here, and what to write instead
_COMPLAINTS = {
    '"': "this string has no closing quote",
    "/": "this comment is not closed with */",
    **dict.fromkeys("&|", "write 'and' or 'or' instead of & or |"),
    **{quote: f"write a straight quote instead of {quote}" for quote in "“”„"},
}


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a FEEL text."""

    #: `name`, `number`, `string`, `operator` or `end`
    kind: str
    #: as written; of a string the value, of a quoted name what stands between the backticks
    text: str
    #: offset of the first code point
    start: int
    #: offset after the last code point
    end: int
    #: whether white space or a comment stands before it
    spaced: bool
    #: a name in backticks: never a keyword, never part of a longer name
    quoted: bool = False


def tokens_of(text: str) -> list[Token]:
    """Return all tokens with an `end` token last; FeelError names the first wrong character."""
    found: list[Token] = []
    at, spaced = 0, False
    while at < len(text):
        match = _token.match(text, at)
        if match is None:
            unknown = f"the character {text[at]!r} has no meaning here"
            raise FeelError(_COMPLAINTS.get(text[at], unknown), at)
        kind, piece, start, at = str(match.lastgroup), match.group(), at, match.end()
        if kind == "space":
            spaced = True
            continue
        if kind == "quoted":
            kind, piece = NAME, piece[1:-1].strip()
            found.append(Token(NAME, piece, start, at, spaced, True))
        else:
            piece = _unescaped(piece[1:-1]) if kind == STRING else piece
            found.append(Token(kind, piece, start, at, spaced))
        spaced = False
    found.append(Token(END, "", len(text), len(text), spaced))
    return found


def _unescaped(text: str) -> str:
    """Resolve the escapes of a string literal; an unknown one (`\\d`) stays as it is written."""
    if "\\" not in text:
        return text
    whole = _surrogates.sub(_joined_halves, _escape.sub(_character, text))
    return _half.sub("\ufffd", whole)


def _character(match: re.Match[str]) -> str:
    four, six, simple = match.groups()
    if simple:
        return _SIMPLE.get(simple, simple)
    code = int(four or six, 16)
    return chr(code) if code <= 0x10FFFF else match.group()


def _joined_halves(match: re.Match[str]) -> str:
    high, low = ord(match[1]), ord(match[2])
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


def joined(tokens: Sequence[Token]) -> str:
    """Return the name that a run of tokens spells, white space reduced to one blank."""
    return "".join((" " if n and t.spaced else "") + t.text for n, t in enumerate(tokens))


@lru_cache(maxsize=4096)
def _pieces(name: str) -> tuple[tuple[str, bool], ...]:
    """Return the tokens of a name with whether white space stands before each."""
    try:
        tokens = tokens_of(name)[:-1]
    except FeelError:
        return ()
    if any(token.kind == STRING or token.quoted for token in tokens):
        return ()
    return tuple((token.text, token.spaced and n > 0) for n, token in enumerate(tokens))


class KnownNames:
    """The names of more than one token that are known at some place of a text."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._by_first: dict[str, dict[tuple[tuple[str, bool], ...], str]] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Make a name known; one of a single token needs no entry."""
        pieces = _pieces(name)
        if len(pieces) > 1:
            self._by_first.setdefault(pieces[0][0], {}).setdefault(pieces, name)

    def match(self, tokens: Sequence[Token], at: int) -> tuple[str, int] | None:
        """Return the longest name that begins at a token and the place after it, or None."""
        known = self._by_first.get(tokens[at].text)
        best: tuple[str, int] | None = None
        for pieces, name in known.items() if known else ():
            end = at + len(pieces)
            if end >= len(tokens) or (best is not None and end <= best[1]):
                continue
            if all(
                token.text == text
                and token.kind != STRING
                and not token.quoted
                and (token.spaced == spaced or n == at)
                for n, token, (text, spaced) in zip(
                    range(at, end), tokens[at:end], pieces, strict=True
                )
            ):
                best = name, end
        return best
