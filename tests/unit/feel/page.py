"""The list of built-in functions in docs/feel.md; `python -m tests.unit.feel.page` renews it."""

from __future__ import annotations

from pathlib import Path

from engine.feel import completions

PAGE = Path(__file__).parents[3] / "docs" / "feel.md"
BEGIN, END = "<!-- built-ins: written by python -m tests.unit.feel.page -->", "<!-- end -->"


def listed() -> str:
    """Return the list as it must stand between the two marks."""
    rows = ["| function | what it gives |", "|---|---|"]
    for one in completions():
        forms = "<br>".join(f"`{form}`" for form in one.detail.splitlines())
        rows.append(f"| {forms.replace('|', chr(92) + '|')} | {one.doc} |")
    return "\n".join(rows)


def parts(page: str) -> tuple[str, str, str]:
    """Return what stands before, between and after the marks."""
    before, _, rest = page.partition(BEGIN)
    between, _, after = rest.partition(END)
    return before, between.strip(), after


if __name__ == "__main__":
    before, _, after = parts(PAGE.read_text(encoding="utf-8"))
    text = f"{before}{BEGIN}\n{listed()}\n{END}{after}"
    PAGE.write_text(text, encoding="utf-8", newline="\n")
