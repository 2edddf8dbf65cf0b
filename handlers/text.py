"""What can be told of a request's text at once: inline handlers, without any effect."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from engine import handler


class Told(TypedDict):
    """What `text.language` returns."""

    language: Literal["zh", "en"]


@handler("text.language", inline=True, title="Tell the language of a text", title_zh="识别文本语言")
def tell_language(text: Annotated[str, "what the customer wrote"]) -> Told:
    """Return zh for a text that is written mostly in Chinese, else en.

    A Chinese character says about as much as one English word, so they are counted against words.
    """
    chinese = sum("\u4e00" <= character <= "\u9fff" for character in text)
    english = sum(word.isascii() and word.isalpha() for word in text.split())
    return {"language": "zh" if chinese > english else "en"}
