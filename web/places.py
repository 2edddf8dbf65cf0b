"""Places in a running case as people and programs write them: `17` a token, `id` an element,
`id@17` an element inside the sub-process of a token. No id begins with a digit or has an @."""

from __future__ import annotations

from collections.abc import Iterable

from engine.errors import BadInput
from engine.model import Begin

#: digits of the largest number that is taken for that of a token
_DIGITS = 18


def tokens_and_ids(texts: Iterable[str]) -> list[int | str]:
    """Return what to cancel: numbers of tokens, ids of elements."""
    return [int(text) if _is_number(text) else text for text in texts]


def beginnings(texts: Iterable[str]) -> list[Begin]:
    """Return where tokens begin. Raises BadInput."""
    return [_beginning(text) for text in texts]


def _beginning(text: str) -> Begin:
    element, _, token = text.partition("@")
    if token and not _is_number(token):
        raise BadInput(f"{text!r}: behind the @ stands the number of a token")
    return Begin(element, inside=int(token) if token else None)


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= _DIGITS
