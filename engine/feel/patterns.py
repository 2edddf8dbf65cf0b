"""Regular expressions of XPath (as FEEL's `matches`, `replace` and `split` use them), timed.

Patterns are translated to the `regex` package; a pattern that is none raises `Refused`.
"""

from __future__ import annotations

from functools import lru_cache

import regex

from engine.errors import FeelError
from engine.feel.arithmetic import Refused

_FLAGS = {"s": regex.DOTALL, "m": regex.MULTILINE, "i": regex.IGNORECASE}
_CLASSES = {
    "i": "\\p{L}_:",
    "I": "^\\p{L}_:",
    "c": "\\p{L}\\p{N}_:.\\-\u00b7",
    "C": "^\\p{L}\\p{N}_:.\\-\u00b7",
}
MAX_PATTERN = 2_000


@lru_cache(maxsize=512)
def compiled(pattern: str, flags: str) -> regex.Pattern[str]:
    """Return the compiled pattern for XPath flags `s m i x q`; Refused where one is wrong."""
    if len(pattern) > MAX_PATTERN:
        raise Refused(f"a pattern may have {MAX_PATTERN} characters")
    options = regex.VERSION0
    for flag in flags:
        if flag not in "smixq":
            raise Refused(f"there is no flag '{flag}'")
        options |= _FLAGS.get(flag, 0)
    if "q" in flags:
        return regex.compile(regex.escape(pattern), options & ~regex.MULTILINE)
    text = _Translation(pattern, "x" in flags, "m" in flags)
    translated = text.result()
    if text.subtracts:
        options = (options & ~regex.VERSION0) | regex.VERSION1
    try:
        return regex.compile(translated, options)
    except (regex.error, RecursionError, OverflowError) as cause:
        raise Refused(f"'{pattern}' is not a regular expression") from cause


class _Translation:
    """One pattern on its way from XPath's notation to that of the package."""

    def __init__(self, pattern: str, free: bool, lines: bool) -> None:
        self.pattern = pattern
        #: white space has no meaning
        self.free = free
        #: `$` matches at the end of every line
        self.lines = lines
        #: a class is subtracted from another one
        self.subtracts = False
        self.at = 0
        self.groups = 0
        #: numbers of the groups that are open, 0 for one without a number
        self.open: list[int] = []

    def result(self) -> str:
        out: list[str] = []
        depth = 0
        while self.at < len(self.pattern):
            char = self.pattern[self.at]
            self.at += 1
            if char == "\\":
                out.append(self._escape(depth > 0))
            elif depth:
                depth, piece = self._in_class(char, depth)
                out.append(piece)
            elif char == "[":
                depth = 1
                out.append(char)
            elif not (self.free and char.isspace()):
                out.append(self._outside(char))
        return "".join(out)

    def _outside(self, char: str) -> str:
        if char == "(":
            numbered = not self.pattern.startswith("?", self.at)
            self.groups += numbered
            self.open.append(self.groups if numbered else 0)
        elif char == ")" and self.open:
            self.open.pop()
        elif char == "$" and not self.lines:
            return "\\Z"
        return char

    def _escape(self, in_class: bool) -> str:
        while self.free and not in_class and self.pattern[self.at : self.at + 1].isspace():
            self.at += 1
        if self.at >= len(self.pattern):
            raise Refused(f"'{self.pattern}' ends with a backslash")
        char = self.pattern[self.at]
        self.at += 1
        if char in _CLASSES:
            inner = _CLASSES[char]
            return inner if in_class and inner[0] != "^" else f"[{inner}]"
        if char.isdigit():
            return self._back_reference(char, in_class)
        return "\\" + char

    def _back_reference(self, digits: str, in_class: bool) -> str:
        """Return a reference to a closed group: as many digits as name one."""
        while self.pattern[self.at : self.at + 1].isdigit():
            longer = digits + self.pattern[self.at]
            if int(longer) > self.groups:
                break
            digits, self.at = longer, self.at + 1
        number = int(digits)
        if in_class or not 0 < number <= self.groups or number in self.open:
            raise Refused(f"'{self.pattern}' refers to a group that is not there")
        return f"(?:\\{number})"

    def _in_class(self, char: str, depth: int) -> tuple[int, str]:
        if char == "]":
            return depth - 1, char
        if char == "-" and self.pattern.startswith("[", self.at):
            self.at += 1
            self.subtracts = True
            return depth + 1, "--["
        if char == "[":
            return depth, "\\["
        return depth, char


def _timed_out(cause: TimeoutError) -> FeelError:
    return FeelError("a regular expression takes too long")


def found(pattern: str, flags: str, text: str, seconds: float) -> bool:
    """Tell whether the pattern occurs in the text."""
    try:
        return compiled(pattern, flags).search(text, timeout=seconds) is not None
    except TimeoutError as cause:
        raise _timed_out(cause) from cause


def all_found(pattern: str, text: str, seconds: float) -> list[str]:
    """Return the texts of all matches."""
    try:
        return [m.group() for m in compiled(pattern, "").finditer(text, timeout=seconds)]
    except TimeoutError as cause:
        raise _timed_out(cause) from cause


def parts(pattern: str, text: str, seconds: float) -> list[str]:
    """Return what stands between the matches."""
    expression = compiled(pattern, "")
    result: list[str] = []
    at = 0
    try:
        for match in expression.finditer(text, timeout=seconds):
            if match.end() == match.start() and match.start() in (0, len(text)):
                continue
            result.append(text[at : match.start()])
            at = match.end()
    except TimeoutError as cause:
        raise _timed_out(cause) from cause
    return [*result, text[at:]]


def replaced(
    pattern: str, flags: str, text: str, replacement: str, seconds: float, limit: int
) -> str:
    """Return the text with all matches replaced, `$0` to `$99` standing for groups."""
    expression = compiled(pattern, flags)
    template = [replacement] if "q" in flags else _template(replacement, expression.groups)
    result: list[str] = []
    at, size = 0, len(text)
    try:
        if expression.fullmatch("", timeout=seconds) is not None:
            raise Refused("the pattern must not match the empty text")
        for match in expression.finditer(text, timeout=seconds):
            new = "".join(p if isinstance(p, str) else match.group(p) or "" for p in template)
            result += (text[at : match.start()], new)
            size += len(new)
            if size > limit + len(text):
                raise FeelError(f"a text has more than {limit} characters")
            at = match.end()
    except TimeoutError as cause:
        raise _timed_out(cause) from cause
    return "".join(result) + text[at:]


def _template(replacement: str, groups: int) -> list[str | int]:
    result: list[str | int] = []
    at = 0
    while at < len(replacement):
        char = replacement[at]
        at += 1
        if char == "\\":
            if replacement[at : at + 1] not in ("\\", "$"):
                raise Refused("in a replacement a backslash stands before $ or another one only")
            result.append(replacement[at])
            at += 1
        elif char == "$":
            number = _group(replacement, at, groups)
            at += len(number)
            result.append(int(number) if int(number) <= groups else "")
        else:
            result.append(char)
    return result


def _group(replacement: str, at: int, groups: int) -> str:
    """Return the digits after a `$`: the longest number that names a group, at least one digit."""
    digits = ""
    while replacement[at : at + 1].isdigit() and replacement[at].isascii():
        if digits and int(digits + replacement[at]) > groups:
            break
        digits += replacement[at]
        at += 1
    if not digits:
        raise Refused("in a replacement $ stands before the number of a group only")
    return digits
