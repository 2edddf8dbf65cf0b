"""decide, test-decisions, what-if: decisions tried out before they are deployed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import BadInput, DeploymentRefused
from engine.sentences import ENGLISH, LANGUAGES, refusal
from web.output import problem_line, table, to_json_text
from web.render import plain
from web.session import Session, common

if TYPE_CHECKING:
    from engine import dmn
    from web.decision_cases import Report, Result

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
DECISION = click.option("--decision", metavar="NAME", help="Id or name; needed if there are more.")
LANGUAGE = click.option(
    "--language", type=click.Choice(LANGUAGES), default=ENGLISH, help="Language of the sentences."
)
_COLUMNS = ("CASE", "DECIDED", "STEP", "THEN", "NOW")


def format_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb `--format`, which says with a word what `--json` says."""
    option = click.option(
        "--format", "form", type=click.Choice(("text", "json")), help="Of the result."
    )
    return option(command)


@click.command()
@FILE
@DECISION
@click.option(
    "--input", "text", metavar="JSON", default="{}", help="An object, @FILE, or - for stdin."
)
@LANGUAGE
@format_option
@common
def decide(
    session: Session, file: Path, decision: str | None, text: str, language: str, form: str | None
) -> None:
    """Make a decision of the model in FILE: its value, and why. Nothing is stored.

    Models that it imports are looked for beside it.
    """
    from engine import dmn

    model = read_model(session, file, language)
    name = decision or only(model, file)
    decided = model.evaluate(name, _inputs(text), now=datetime.now(UTC))
    sentences = dmn.in_words(decided.explanation, language)
    if session.out.as_json or form == "json":
        click.echo(to_json_text({
            "decision": name, "value": plain(decided.value), "sentences": sentences,
            "explanation": plain(decided.explanation),
        }))  # fmt: skip
        return
    from web.decision_cases import shown

    click.echo(shown(decided.value))
    for sentence in sentences:
        click.echo(f"  {sentence}")


def _inputs(text: str) -> dict[str, Any]:
    from engine.codec import parse_json

    try:
        data = text.encode()
        if text == "-":
            data = sys.stdin.buffer.read()
        elif text.startswith("@"):
            data = Path(text[1:]).read_bytes()
        value = parse_json(data)
    except OSError as error:
        raise BadInput(f"--input {text}: cannot be read: {error.strerror}")
    except BadInput as error:
        raise BadInput(f"--input: {error}")
    if not isinstance(value, dict):
        raise BadInput("--input: must be a JSON object of inputs by name")
    return value


def read_model(session: Session, file: Path, language: str) -> dmn.Model:
    """Return the model of a file; its imports are the models beside it.

    Raises DeploymentRefused for a model with faults; what is only remarkable goes to stderr.
    """
    from engine import dmn

    model = dmn.load_files(_files(file))[file.name]
    wrong = [problem for problem in model.problems if problem.stops]
    if wrong:
        told = [problem.told(language) for problem in wrong]
        raise DeploymentRefused(told, refusal(told, language)[1], language)
    for problem in model.problems:
        session.out.say(problem_line(problem, language))
    return model


def _files(file: Path) -> dict[str, bytes]:
    """Return a file and, if it imports something, the models beside it."""
    files = {file.name: file.read_bytes()}
    if b"<import" in files[file.name] or b":import" in files[file.name]:
        for other in sorted(file.parent.glob("*.dmn")):
            files.setdefault(other.name, other.read_bytes())
    return files


def only(model: dmn.Model, file: Path) -> str:
    """Return the one decision of a model. Raises BadInput if there are more."""
    names = [one.id for one in model.decisions]
    if len(names) != 1:
        raise BadInput(
            f"{file} has {len(names)} decisions; choose by --decision: {', '.join(names)}"
        )
    return names[0]


# ------------------------------------------------------------------ tables of cases


@click.command("test-decisions")
@FILE
@click.option(
    "--cases", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="CSV",
    help="Default: the file of the same name that ends in .cases.csv.",
)  # fmt: skip
@DECISION
@LANGUAGE
@format_option
@common
def test_decisions(
    session: Session, file: Path, cases: Path | None, decision: str | None, language: str,
    form: str | None,
) -> int:  # fmt: skip
    """Make the decision of FILE for every row of a table of cases, and compare.

    Prints each row that comes out differently, cell by cell, and the rules that no row reaches.
    The status is 1 if a row failed.
    """
    from web.decision_cases import read_cases, run_cases

    path = cases or file.with_suffix(".cases.csv")
    if not path.exists():
        raise BadInput(f"{path}: there is no table of cases; name it by --cases")
    model = read_model(session, file, language)
    report = run_cases(model, read_cases(path), decision=decision, now=datetime.now(UTC))
    if session.out.as_json or form == "json":
        click.echo(to_json_text(_document(report)))
    else:
        for line in _lines(report, path):
            click.echo(line)
    return 1 if report.failed else 0


def _document(report: Report) -> dict[str, Any]:
    return {
        "rows": [_row(result) for result in report.results],
        "failed": report.failed,
        "rules": report.rules,
        "unreached": [
            {"table": name, "rule": number, "remark": remark}
            for name, number, remark in report.unreached
        ],
    }


def _row(result: Result) -> dict[str, Any]:
    return {
        "line": result.line, "remark": result.remark, "decision": result.decision,
        "passed": result.passed, "value": plain(result.value), "fault": result.fault,
        "differences": [
            {"column": column, "expected": plain(wanted), "found": plain(found)}
            for column, wanted, found in result.differences
        ],
        "rules": [{"table": name, "rule": number} for name, number in result.rules],
    }  # fmt: skip


def _lines(report: Report, path: Path) -> Sequence[str]:
    from web.decision_cases import shown

    lines: list[str] = []
    for result in report.results:
        fired = ", ".join(f"{name} rule {number}" for name, number in result.rules) or "no rule"
        place = f"{path}:{result.line}" + (f" {result.remark}" if result.remark else "")
        lines.append(f"{'ok  ' if result.passed else 'FAIL'} {place} ({fired})")
        if result.fault:
            lines.append(f"       {result.fault}")
        elif not result.passed:
            lines += [
                f"       {column}: expected {shown(wanted)}, came out {shown(found)}"
                for column, wanted, found in result.differences
            ]
    for name, number, remark in report.unreached:
        lines.append(f"no row reaches {name} rule {number}" + (f" ({remark})" if remark else ""))
    lines.append(
        f"{len(report.results)} rows, {report.failed} failed;"
        f" {report.rules - len(report.unreached)} of {report.rules} rules reached"
    )
    return lines


# ------------------------------------------------------------------ past cases


@click.command("what-if")
@FILE
@DECISION
@click.option("--since", metavar="DATE", help="Only what was decided since then (ISO 8601).")
@click.option("--limit", default=1000, show_default=True, help="Cases at most, the newest first.")
@LANGUAGE
@format_option
@common
def what_if(
    session: Session, file: Path, decision: str | None, since: str | None, limit: int,
    language: str, form: str | None,
) -> None:  # fmt: skip
    """Make the decisions of past cases again with the changed model in FILE.

    Lists the cases whose outcome would be different. Nothing is stored or changed.
    """
    model = read_model(session, file, language)
    ids = {one.name: one.id for one in model.decisions}
    found = session.engine.what_if(
        {file.name: file.read_bytes()},
        imports=_files(file),
        decision_id=ids.get(decision or "", decision),
        since=_moment(since),
        limit=limit or sys.maxsize,
    )
    if session.out.as_json or form == "json":
        click.echo(to_json_text(plain(found)))
        return
    for one in found:
        click.echo(_summary(one))
        if one.different:
            click.echo(
                table(
                    [_cells(other) for other in one.different],
                    ("CASE", "DECIDED", "STEP", "THEN", "NOW"),
                )
            )


def _summary(one: dmn.WhatIf) -> str:
    text = f"{one.decision_id}: {len(one.different)} of {one.compared} past decisions would differ"
    if one.skipped:
        text += f"; {one.skipped} could not be tried, their inputs are not stored"
    return text + ("; older cases were not looked at (--limit)" if one.more else "")


def _cells(other: dmn.Different) -> list[str]:
    from web.decision_cases import shown

    now = other.fault or shown(other.after)
    case = other.business_key or other.instance_id
    return [
        case,
        f"{other.at:%Y-%m-%d %H:%M:%S}",
        other.element_id or "-",
        shown(other.before),
        now,
    ]


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise BadInput(f"--since {text}: write a date such as 2026-01-31") from None


VERBS = (decide, test_decisions, what_if)
