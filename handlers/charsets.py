"""Bytes that claim to be text: decoded as declared, else as what they most probably are."""

from __future__ import annotations

import re
from html.parser import HTMLParser

#: declared name -> what is meant: senders name the smallest set and use the largest
_MEANT = {
    "gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "x-gbk": "gb18030",
    "cp936": "gb18030", "hz-gb-2312": "hz", "big5": "big5hkscs", "cp950": "big5hkscs",
    "x-big5": "big5hkscs", "unknown-8bit": "", "x-unknown": "", "us-ascii": "", "ascii": "",
    "default": "", "iso-8859-1": "cp1252", "utf8": "utf-8",
}  # fmt: skip
#: first bytes of the characters in common use
_COMMON_GB, _COMMON_BIG5 = range(0xB0, 0xD8), range(0xA4, 0xC7)
_SILENT = {"script", "style", "head", "title", "template", "noscript"}
_BLOCKS = {"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "table", "blockquote", "hr", "ul"}


def decoded(data: bytes, charset: str | None) -> str:
    """Return bytes as text, never failing; a wrong or missing charset is guessed."""
    wanted = (charset or "").strip().strip("\"'").lower()
    wanted = _MEANT.get(wanted, wanted)
    # what declares a western charset and is valid UTF-8 with more than ASCII is UTF-8
    first = ["utf-8"] if wanted in ("", "cp1252") else [wanted, "utf-8"]
    if wanted == "cp1252" and not _is_text(data, "utf-8") and not _looks_chinese(data):
        first = [wanted]
    for name in (*first, *_chinese(data), wanted):
        if name and _is_text(data, name):
            return data.decode(name).removeprefix("\ufeff")
    return data.decode(_known(wanted) or "utf-8", "replace")


def _is_text(data: bytes, name: str) -> bool:
    try:
        data.decode(name)
    except (UnicodeError, LookupError, ValueError):
        return False
    return True


def _known(name: str) -> str:
    try:
        b"".decode(name)
    except (LookupError, ValueError):
        return ""
    return name


def _chinese(data: bytes) -> tuple[str, str]:
    """Return the two Chinese charsets, the likelier one first."""
    pairs = re.findall(rb"[\x81-\xfe][\x40-\xfe]", data)
    gb = sum(pair[0] in _COMMON_GB and pair[1] >= 0xA1 for pair in pairs)
    big5 = sum(pair[0] in _COMMON_BIG5 and not 0x7F <= pair[1] <= 0xA0 for pair in pairs)
    # both fit much of each other's text; second bytes below A1 are rare in simplified Chinese
    low = sum(pair[1] < 0xA1 for pair in pairs)
    likely_big5 = low * 5 > len(pairs) and big5 > gb
    return ("big5hkscs", "gb18030") if likely_big5 else ("gb18030", "big5hkscs")


def _looks_chinese(data: bytes) -> bool:
    """Tell whether bytes above ASCII come in pairs, as they hardly do in western texts."""
    high = sum(byte > 0x7F for byte in data)
    paired = sum(len(run) for run in re.findall(rb"(?:[\xa1-\xf7][\xa1-\xfe])+", data))
    return high >= 4 and paired * 10 >= high * 9


class _Reader(HTMLParser):
    """Collects what a reader of the page would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(re.sub(r"\s+", " ", data))


def text_of_html(html: str) -> str:
    """Return the text of a page: blocks as lines, no scripts, no styles."""
    reader = _Reader()
    try:
        reader.feed(html)
        reader.close()
    except (AssertionError, ValueError, RecursionError):
        return re.sub(r"<[^>]*>", " ", html)
    lines = [line.strip() for line in "".join(reader.parts).replace("\xa0", " ").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
