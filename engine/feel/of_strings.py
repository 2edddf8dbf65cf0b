"""Built-in functions on strings (DMN 1.5, 10.3.4.3; those of Camunda 8 are marked)."""

from __future__ import annotations

import base64
import binascii

from engine.clock import new_id
from engine.errors import FeelError
from engine.feel import patterns
from engine.feel.arithmetic import Refused
from engine.feel.library import builtin
from engine.feel.run import Run


@builtin("substring(string: string, start position: integer)")
@builtin("substring(string: string, start position: integer, length: integer)")
def substring(string: str, start: int, length: int | None = None) -> str:
    """Return the part from a place counted from 1, or from the end where it is negative."""
    if start == 0 or abs(start) > len(string):
        raise Refused(f"the string has no position {start}")
    if length is not None and length < 1:
        raise Refused("the length must be above zero")
    begin = start - 1 if start > 0 else len(string) + start
    return string[begin:] if length is None else string[begin : begin + length]


@builtin("string length(string: string)")
def string_length(string: str) -> int:
    """Return the number of characters (code points)."""
    return len(string)


@builtin("upper case(string: string)")
def upper_case(string: str) -> str:
    """Return the string in capitals."""
    return string.upper()


@builtin("lower case(string: string)")
def lower_case(string: str) -> str:
    """Return the string in small letters."""
    return string.lower()


@builtin("substring before(string: string, match: string)")
def substring_before(string: str, match: str) -> str:
    """Return what stands before the first match; nothing without a match."""
    return string.partition(match)[0] if match and match in string else ""


@builtin("substring after(string: string, match: string)")
def substring_after(string: str, match: str) -> str:
    """Return what stands after the first match; nothing without a match."""
    return string.partition(match)[2] if match else string


@builtin("contains(string: string, match: string)")
def contains(string: str, match: str) -> bool:
    """Tell whether the match is part of the string."""
    return match in string


@builtin("starts with(string: string, match: string)")
def starts_with(string: str, match: str) -> bool:
    """Tell whether the string begins with the match."""
    return string.startswith(match)


@builtin("ends with(string: string, match: string)")
def ends_with(string: str, match: str) -> bool:
    """Tell whether the string ends with the match."""
    return string.endswith(match)


@builtin("matches(input: string, pattern: string)", with_run=True)
@builtin("matches(input: string, pattern: string, flags: string|null)", with_run=True)
def matches(run: Run, text: str, pattern: str, flags: str | None = None) -> bool:
    """Tell whether a regular expression occurs in the text."""
    return patterns.found(pattern, flags or "", text, run.limits.regex_s)


@builtin("replace(input: string, pattern: string, replacement: string)", with_run=True)
@builtin(
    "replace(input: string, pattern: string, replacement: string, flags: string|null)",
    with_run=True,
)
def replace(run: Run, text: str, pattern: str, replacement: str, flags: str | None = None) -> str:
    """Return the text with all matches replaced; `$1` stands for a group."""
    limits = run.limits
    return patterns.replaced(
        pattern, flags or "", text, replacement, limits.regex_s, limits.characters
    )


@builtin("split(string: string, delimiter: string)", with_run=True)
def split(run: Run, string: str, delimiter: str) -> list[str]:
    """Return the parts between the matches of a regular expression."""
    return patterns.parts(delimiter, string, run.limits.regex_s)


@builtin("extract(string: string, pattern: string)", with_run=True)
def extract(run: Run, string: str, pattern: str) -> list[str]:
    """Return all matches of a regular expression (Camunda 8)."""
    return patterns.all_found(pattern, string, run.limits.regex_s)


@builtin("string join(list: list)", with_run=True)
@builtin("string join(list: list, delimiter: string|null)", with_run=True)
@builtin(
    "string join(list: list, delimiter: string|null, prefix: string, suffix: string)",
    with_run=True,
)
def string_join(
    run: Run, items: list[object], delimiter: str | None = None, before: str = "", after: str = ""
) -> str:
    """Return the strings of a list as one, nulls left out."""
    found = [item for item in items if item is not None]
    strings = [item for item in found if isinstance(item, str)]
    if len(strings) != len(found):
        raise Refused("the list must hold strings only")
    between = delimiter or ""
    size = sum(map(len, strings)) + len(between) * len(strings)
    if size > run.limits.characters:
        raise FeelError(f"a text has more than {run.limits.characters} characters")
    return before + between.join(strings) + after


@builtin("trim(string: string)")
def trim(string: str) -> str:
    """Return the string without white space around it (Camunda 8)."""
    return string.strip()


@builtin("is blank(string: string)")
def is_blank(string: str) -> bool:
    """Tell whether a string has nothing but white space (Camunda 8)."""
    return not string.strip()


@builtin("to base64(value: string)")
def to_base64(value: str) -> str:
    """Return the UTF-8 of a string in Base64 (Camunda 8)."""
    return base64.b64encode(value.encode("utf-8", "surrogatepass")).decode("ascii")


@builtin("from base64(value: string)")
def from_base64(value: str) -> str:
    """Return the string behind a Base64 text; our counterpart of `to base64`."""
    try:
        return base64.b64decode(value, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as cause:
        raise Refused("the text is not Base64 of a string") from cause


@builtin("uuid()")
def uuid() -> str:
    """Return a fresh UUID (Camunda 8)."""
    return new_id()
