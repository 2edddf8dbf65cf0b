"""docs/importing.md says of every extension what becomes of it, in the words of the code.

`python -m tests.unit.diagrams.test_importing_page` writes the tables anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.diagrams.imports import camunda_rules, spiff_rules

PAGE = Path(__file__).parents[3] / "docs" / "importing.md"
TABLES: Mapping[str, Mapping[str, str]] = {
    "camunda attributes": camunda_rules.ATTRIBUTES,
    "camunda elements": camunda_rules.ELEMENTS,
    "spiff extensions": spiff_rules.EXTENSIONS,
}


def table(title: str) -> str:
    rows = "".join(f"| `{name}` | {said} |\n" for name, said in TABLES[title].items())
    return f"<!-- {title} -->\n\n| in the file | becomes |\n|---|---|\n{rows}"


def block(title: str) -> re.Pattern[str]:
    return re.compile(rf"<!-- {title} -->\n(?:\n\|[^\n]*\n(?:\|[^\n]*\n)*)?")


@pytest.mark.parametrize("title", TABLES)
def test_a_table_of_the_page_is_that_of_the_code(title: str) -> None:
    found = block(title).search(PAGE.read_text(encoding="utf-8"))

    assert found is not None
    assert found[0] == table(title), "python -m tests.unit.diagrams.test_importing_page"


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    for one in TABLES:
        text = block(one).sub(lambda found, one=one: table(one), text)  # type: ignore[misc]
    PAGE.write_text(text, encoding="utf-8")
