"""Texts of forms that may have structure: a little Markdown, and HTML of which little is left.

Both are written by process analysts and shown to others, so nothing passes that could run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser

from markupsafe import Markup, escape

_KEPT = frozenset({
    "a", "b", "blockquote", "br", "code", "dd", "div", "dl", "dt", "em", "h2", "h3", "h4", "hr",
    "i", "li", "ol", "p", "pre", "small", "span", "strong", "sub", "sup", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "u", "ul",
})  # fmt: skip
_EMPTY = frozenset({"br", "hr"})
#: what is inside goes too
_DROPPED = frozenset({"script", "style", "template", "iframe", "object", "noscript", "svg", "math"})
_ATTRIBUTES = {"a": ("href",), "td": ("colspan", "rowspan"), "th": ("colspan", "rowspan", "scope")}
_SAFE_LINK = re.compile(r"(?:https?://|mailto:|tel:|/(?![/\\]))", re.IGNORECASE)

_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_ITEM = re.compile(r"\s*(?:[-*+]|(\d+)[.)])\s+(.*)")
_INLINE = re.compile(
    r"`([^`]+)`|\*\*(.+?)\*\*|__(.+?)__|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^)\s]+)\)", re.DOTALL
)


class _Cleaner(HTMLParser):
    """Keeps the tags and attributes that are harmless, escapes the text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._open: list[str] = []
        self._dropped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self._dropped += 1
        if self._dropped or tag not in _KEPT:
            return
        kept = [
            f' {name}="{escape(value or "")}"'
            for name, value in attrs
            if name in _ATTRIBUTES.get(tag, ())
            and (name != "href" or _SAFE_LINK.match((value or "").strip()))
        ]
        end = ' rel="noopener noreferrer"' if tag == "a" else ""
        self.out.append(f"<{tag}{''.join(kept)}{end}>")
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _DROPPED:
            self._dropped = max(0, self._dropped - 1)
        elif not self._dropped and tag in self._open:
            while self._open:
                closed = self._open.pop()
                self.out.append(f"</{closed}>")
                if closed == tag:
                    break

    def handle_data(self, data: str) -> None:
        if not self._dropped:
            self.out.append(str(escape(data)))

    def finish(self) -> str:
        self.close()
        self.out += [f"</{tag}>" for tag in reversed(self._open)]
        return "".join(self.out)


def html(text: str) -> Markup:
    """Return HTML of a form without anything that could run, load or style."""
    cleaner = _Cleaner()
    cleaner.feed(text)
    return Markup(cleaner.finish())  # noqa: S704 (only what `_Cleaner` lets through)


def markdown(text: str) -> Markup:
    """Return headings, lists, bold, italics, code and links of a text; the rest is escaped."""
    blocks = (block for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")) if block.strip())
    return Markup("").join(_block(block.strip("\n")) for block in blocks)


def _block(block: str) -> Markup:
    lines = block.split("\n")
    heading = _HEADING.fullmatch(lines[0])
    if heading:
        level = 3 if len(heading[1]) <= 3 else 4  # the page itself has h1 and h2
        rest = _block("\n".join(lines[1:])) if len(lines) > 1 else Markup("")
        return Markup("<h{0}>{1}</h{0}>").format(level, _inline(heading[2])) + rest
    items = [_ITEM.fullmatch(line) for line in lines]
    if all(items):
        tag = "ol" if items[0] and items[0][1] else "ul"
        inner = Markup("").join(
            Markup("<li>{}</li>").format(_inline(item[2])) for item in items if item
        )
        return Markup("<{0}>{1}</{0}>").format(tag, inner)
    if re.fullmatch(r"[-*_]{3,}", block.strip()):
        return Markup("<hr>")
    return Markup("<p>{}</p>").format(Markup("<br>").join(_inline(line) for line in lines))


def _inline(text: str) -> Markup:
    parts: list[Markup] = []
    last = 0
    for found in _INLINE.finditer(text):
        parts += [escape(text[last : found.start()]), _span(found.groups())]
        last = found.end()
    return Markup("").join([*parts, escape(text[last:])])


def _span(groups: Iterable[str | None]) -> Markup:
    code, bold, also_bold, italic, label, link = groups
    if code is not None:
        return Markup("<code>{}</code>").format(code)
    if link is not None and label is not None:
        if not _SAFE_LINK.match(link):
            return escape(label)
        return Markup('<a href="{}" rel="noopener noreferrer">{}</a>').format(link, label)
    if italic is not None:
        return Markup("<em>{}</em>").format(_inline(italic))
    return Markup("<strong>{}</strong>").format(_inline(bold or also_bold or ""))
