"""The language of a request's text."""

from __future__ import annotations

import pytest

from handlers.text import tell_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("你好 升级以后，做冰的那个不工作", "zh"),
        ("since last week, jobs queue up and stay", "en"),
        ("我的 Wi-Fi router 不亮了", "zh"),
        ("the sticker says 保修", "en"),
        ("", "en"),
        ("R2D2 100%", "en"),
    ],
)
def test_language_is_told_by_what_most_is_written_in(text: str, language: str) -> None:
    assert tell_language(text) == {"language": language}
