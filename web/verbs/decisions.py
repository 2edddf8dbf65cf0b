"""decide, test-decisions, what-if: decisions tried out before they are deployed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import BadInput, DeploymentRefused
from engine.sentences import ENGLISH, LANGUAGES, Listed, Phrase, heard, phrase, refusal
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
_COLUMNS = (phrase("CASE"), phrase("DECIDED"), phrase("STEP"), phrase("THEN"), phrase("NOW"))


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
    name, given = decision or only(model, file), _inputs(text)
    for strange in _strangers(model, name, given):
        session.out.say(strange.said(language))
    decided = model.evaluate(name, given, now=datetime.now(UTC))
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


def _strangers(model: dmn.Model, name: str, given: Iterable[str]) -> Iterator[Phrase]:
    """Yield a warning for each value that a decision does not look at."""
    known = model.inputs(name)
    for stranger in sorted(set(given) - known):
        if known:
            yield phrase(
                "warning: “{name}” is no input of “{decision}”; its inputs are {known}",
                name=stranger, decision=name, known=", ".join(sorted(known)),
            )  # fmt: skip
        else:
            yield phrase(
                "warning: “{name}” is no input of “{decision}”; it has none",
                name=stranger, decision=name,
            )  # fmt: skip


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
    rows = list(read_cases(path))
    report = run_cases(model, iter(rows), decision=decision, now=datetime.now(UTC))
    given = {(one.decision, name) for one, row in zip(report.results, rows, strict=True)
             for name in row.inputs}  # fmt: skip
    for name in sorted({name for name, _ in given}):
        for strange in _strangers(model, name, [head for of, head in given if of == name]):
            session.out.say(strange.said(language))
    if session.out.as_json or form == "json":
        click.echo(to_json_text(_document(report)))
    else:
        for line in _lines(report, path):
            click.echo(line.said(language))
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


def _lines(report: Report, path: Path) -> Iterator[Phrase]:
    """Yield what came out: a line for each row and rule that needs one, and the sum."""
    from web.decision_cases import shown

    for result in report.results:
        yield _outcome(result, path)
        if result.fault:
            yield phrase("       {cause}", cause=heard(result.fault))
        for column, wanted, found in () if result.fault else result.differences:
            yield phrase(
                "       {column}: expected {wanted}, came out {found}",
                column=column, wanted=shown(wanted), found=shown(found),
            )  # fmt: skip
    for name, number, remark in report.unreached:
        note = f" ({remark})" if remark else ""
        yield phrase(
            "no row reaches {name} rule {number}{note}", name=name, number=number, note=note
        )
    yield phrase(
        "{rows} rows, {failed} failed; {reached} of {rules} rules reached",
        rows=len(report.results), failed=report.failed,
        reached=report.rules - len(report.unreached), rules=report.rules,
    )  # fmt: skip


def _outcome(result: Result, path: Path) -> Phrase:
    fired = [phrase("{name} rule {number}", name=name, number=n) for name, n in result.rules]
    rules = Listed(fired) if fired else phrase("no rule")
    place = f"{path}:{result.line}" + (f" {result.remark}" if result.remark else "")
    if result.passed:
        return phrase("ok   {place} ({rules})", place=place, rules=rules)
    return phrase("FAIL {place} ({rules})", place=place, rules=rules)


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
        click.echo(_summary(one).said(language))
        if one.different:
            rows = [_cells(other, language) for other in one.different]
            click.echo(table(rows, [column.said(language) for column in _COLUMNS]))


def _summary(one: dmn.WhatIf) -> Phrase:
    parts = [
        phrase(
            "{decision}: {count} of {compared} past decisions would differ",
            decision=one.decision_id, count=len(one.different), compared=one.compared,
        )
    ]  # fmt: skip
    if one.skipped:
        parts.append(
            phrase("{count} could not be tried, their inputs are not stored", count=one.skipped)
        )
    if one.more:
        parts.append(phrase("older cases were not looked at (--limit)"))
    return phrase("{what}", what=Listed(parts, phrase("; ")))


def _cells(other: dmn.Different, language: str) -> list[str]:
    from web.decision_cases import shown

    now = heard(other.fault).said(language) if other.fault else shown(other.after)
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
