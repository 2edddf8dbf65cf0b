"""FEEL text to tokens. Names are put together later, by the parser, which knows the scope."""

from __future__ import annotations

import re
from dataclasses import dataclass

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
_escape = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{6})|([nrt\"'\\]))|\\(.)", re.DOTALL)
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t"}
_half = re.compile("[\ud800-\udfff]")
_surrogates = re.compile("[\ud800-\udbff][\udc00-\udfff]")


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
            raise FeelError(_complaint(text, at), at)
        kind, piece, start, at = str(match.lastgroup), match.group(), at, match.end()
        if kind == "space":
            spaced = True
            continue
        if kind == "string":
            found.append(Token(STRING, unescape(piece[1:-1]), start, at, spaced))
        elif kind == "quoted":
            found.append(Token(NAME, piece[1:-1].strip(), start, at, spaced, True))
        else:
            found.append(Token(kind, piece, start, at, spaced))
        spaced = False
    found.append(Token(END, "", len(text), len(text), spaced))
    return found


def unescape(text: str) -> str:
    """Resolve the escapes of a string literal; an unknown one (`\\d`) stays as it is written."""
    if "\\" not in text:
        return text
    plain = _escape.sub(_character, text)
    return _half.sub("\ufffd", _surrogates.sub(_join, plain))


def _character(match: re.Match[str]) -> str:
    four, six, simple, unknown = match.groups()
    if four or six:
        code = int(four or six, 16)
        return chr(code) if code <= 0x10FFFF else match.group()
    if simple:
        return _SIMPLE.get(simple, simple)
    return f"\\{unknown}"


def _join(match: re.Match[str]) -> str:
    high, low = (ord(half) for half in match.group())
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


def _complaint(text: str, at: int) -> str:
    if text[at] == '"':
        return "this string has no closing quote"
    if text.startswith("/*", at):
        return "this comment is not closed with */"
    if text[at] in "&|":
        return "write 'and' or 'or' instead of & or |"
    if text[at] in "“”„":
        return f"write a straight quote instead of {text[at]}"
    return f"the character {text[at]!r} has no meaning here"
