"""Regular expressions of XPath (as FEEL's `matches`, `replace` and `split` use them), timed.

Patterns are translated to the `regex` package; a pattern that is none raises `Refused`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from functools import lru_cache

import regex

from engine.errors import FeelError
from engine.feel.run import Run
from engine.feel.values import Refused

MAX_PATTERN = 2_000
_FLAGS = {"s": regex.DOTALL, "m": regex.MULTILINE, "i": regex.IGNORECASE, "x": 0, "q": 0}
#: the classes of names in XML
_CLASSES = {"i": "\\p{L}_:", "c": "\\p{L}\\p{N}_:.\\-\u00b7"}
#: what differs from the notation of the package, outside a class and within
_piece = regex.compile(
    r"(?P<class>\[\^?(?:\\.|-(?&class)|[^\]\\])*\])|\\(?P<reference>[0-9]+)"
    r"|(?P<escape>\\(?:[pP]\{[^}]*\}|.))|(?P<group>\((?!\?))|(?P<sign>[.$])",
    regex.DOTALL,
)
_class_piece = re.compile(r"\\(?:[pP]\{[^}]*\}|.)|-\[\^?|(?!^)\[", re.DOTALL)
#: white space keeps its meaning in these
_dense = re.compile(r"(\\\S|\[(?:\\.|[^\]\\])*\])", re.DOTALL)
_reference = re.compile(r"\\(.)|\$([0-9]+)|([\\$])", re.DOTALL)


@lru_cache(maxsize=512)
def _compiled(pattern: str, flags: str) -> regex.Pattern[str]:
    """Return the compiled pattern for XPath flags `s m i x q`; Refused where one is wrong."""
    if len(pattern) > MAX_PATTERN:
        raise Refused(f"a pattern may have {MAX_PATTERN} characters")
    options = regex.VERSION0
    for flag in flags:
        if flag not in _FLAGS:
            raise Refused(f"there is no flag '{flag}'; the flags are s, m, i, x and q")
        options |= _FLAGS[flag]
    if "q" in flags:
        return regex.compile(regex.escape(pattern), options & ~regex.MULTILINE)
    if "x" in flags:
        pieces = _dense.split(pattern)
        pattern = "".join(p if n % 2 else "".join(p.split()) for n, p in enumerate(pieces))
    try:
        translated = _translated(pattern, flags)
        if "--[" in translated:  # a class is subtracted from another one
            options ^= regex.VERSION0 | regex.VERSION1
        return regex.compile(translated, options)
    except (regex.error, RecursionError, OverflowError) as cause:
        raise Refused(f"'{pattern}' is not a regular expression") from cause


def _translated(pattern: str, flags: str) -> str:
    """Return a pattern in the notation of the package."""
    groups = 0

    def piece(found: regex.Match[str]) -> str:
        nonlocal groups
        match found.lastgroup:
            case "class":
                return _class_piece.sub(_within_class, found.group())
            case "escape":
                return _escape(found.group(), in_class=False)
            case "reference":
                return _back_reference(found["reference"], groups)
            case "group":
                groups += 1
                return "("
        if found.group() == "$":
            return "$" if "m" in flags else "\\Z"
        return "." if "s" in flags else "[^\\n\\r]"

    return _piece.sub(piece, pattern)


def _within_class(found: re.Match[str]) -> str:
    piece = found.group()
    if piece[0] == "\\":
        return _escape(piece, in_class=True)
    return "\\[" if piece == "[" else f"-{piece}"


def _escape(piece: str, *, in_class: bool) -> str:
    if piece[1:5] in ("p{Is", "P{Is"):
        return f"{piece[:3]}In{piece[5:]}"  # a block of Unicode
    inner = _CLASSES.get(piece[1].lower()) if len(piece) == 2 else None
    if piece[1].isdigit():
        raise Refused("a class of characters cannot refer to a group")
    if inner is None:
        return piece
    if piece[1].isupper():
        return f"[^{inner}]"
    return inner if in_class else f"[{inner}]"


def _back_reference(digits: str, groups: int) -> str:
    """Return a reference to a group, as many digits as name one, and the other digits."""
    size = _longest(digits, groups)
    if not size or digits[0] == "0":
        raise Refused(f"there is no group {digits} before it; groups are counted from 1")
    return f"(?:\\{digits[:size]}){digits[size:]}"


def _longest(digits: str, groups: int) -> int:
    """Return how many of the digits name a group."""
    return max((n for n in range(1, len(digits) + 1) if int(digits[:n]) <= groups), default=0)


def _matches(pattern: regex.Pattern[str], text: str, run: Run) -> Iterator[regex.Match[str]]:
    begun = time.monotonic()
    try:
        yield from pattern.finditer(text, timeout=run.patience)
    except TimeoutError as cause:
        raise FeelError("a regular expression takes too long") from cause
    finally:
        run.waited += time.monotonic() - begun


def matches(pattern: str, flags: str, text: str, run: Run) -> bool:
    """Tell whether the pattern occurs in the text."""
    return next(_matches(_compiled(pattern, flags), text, run), None) is not None


def extract(pattern: str, text: str, run: Run) -> list[str]:
    """Return the texts of all matches."""
    return [match.group() for match in _matches(_compiled(pattern, ""), text, run)]


def split(pattern: str, text: str, run: Run) -> list[str]:
    """Return what stands between the matches."""
    result: list[str] = []
    at = 0
    for match in _matches(_compiled(pattern, ""), text, run):
        if match.end() > match.start() or match.start() not in (0, len(text)):
            result.append(text[at : match.start()])
            at = match.end()
    return [*result, text[at:]]


def replace(pattern: str, flags: str, text: str, replacement: str, run: Run) -> str:
    """Return the text with all matches replaced, `$0` to `$99` standing for groups."""
    compiled = _compiled(pattern, flags)
    if compiled.fullmatch("") is not None:
        raise Refused("the pattern must not match the empty text")
    template = [replacement] if "q" in flags else _template(replacement, compiled.groups)
    result: list[str] = []
    at, room = 0, run.limits.characters
    for match in _matches(compiled, text, run):
        new = "".join(p if isinstance(p, str) else match.group(p) or "" for p in template)
        result += (text[at : match.start()], new)
        room -= len(new)
        if room < 0:
            raise FeelError(f"a text has more than {run.limits.characters} characters")
        at = match.end()
    return "".join(result) + text[at:]


def _template(replacement: str, groups: int) -> list[str | int]:
    """Return the pieces of a replacement, a number for the text of a group."""
    result: list[str | int] = []
    at = 0
    for found in _reference.finditer(replacement):
        escaped, digits, stray = found.groups()
        if stray or (escaped and escaped not in "\\$"):
            raise Refused(
                "in a replacement $ stands before the number of a group, \\ before $ or \\"
            )
        result.append(replacement[at : found.start()])
        if escaped:
            result.append(escaped)
        else:
            size = _longest(digits, groups)
            result += (int(digits[:size]) if size else "", digits[size or 1 :])
        at = found.end()
    return [*result, replacement[at:]]
