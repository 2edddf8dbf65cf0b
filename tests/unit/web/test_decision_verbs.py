"""decide, test-decisions and what-if: decisions tried out on the command line."""

from __future__ import annotations

import ast
import io
import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import BadInput, NotFound
from engine.runtime import Engine
from engine.sentences import catalogue
from tests.decision_drawing import data, decision, literal, model, needs, table, tag
from tests.integration.test_decisions import called, rules
from web import decision_cases
from web.cli import run
from web.decision_cases import read_cases, value_of
from web.verbs import decisions as verbs

RULES = [["< 18", '"high"', "young"], [">= 18", '"low"']]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def risk(tmp_path: Path) -> Path:
    """Return a model with the decision `risk` over `person.age`."""
    drawn = decision("risk", needs("person"), table(["person.age"], RULES))
    path = tmp_path / "risk.dmn"
    path.write_bytes(model(data("person"), drawn))
    return path


def cases(path: Path, *lines: str) -> Path:
    path.with_suffix(".cases.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path.with_suffix(".cases.csv")


def test_a_decision_is_made_and_explained(risk: Path, capsys: Capture) -> None:
    assert run(["decide", str(risk), "--input", '{"person": {"age": 3}}']) == 0

    assert capsys.readouterr().out == (
        '"high"\n  risk = high because person.age < 18 (rule 1: young)\n'
    )


def test_a_decision_is_explained_in_chinese_and_as_json(
    risk: Path, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "input.json").write_text('{"person": {"age": 20}}')
    arguments = ["--input", f"@{tmp_path}/input.json", "--language", "zh", "--format", "json"]

    assert run(["decide", str(risk), "--decision", "risk", *arguments]) == 0

    made = json.loads(capsys.readouterr().out)
    assert made["value"] == "low"
    assert made["sentences"] == ["risk = low，因为 person.age ≥ 18（规则 2）"]
    assert made["explanation"][0]["tables"][0]["matched"][0]["number"] == 2


def test_an_input_that_nobody_looks_at_is_told_with_those_that_count(
    risk: Path, capsys: Capture
) -> None:
    assert run(["decide", str(risk), "--input", '{"persn": {"age": 3}}']) == 0
    assert capsys.readouterr().err == (
        "warning: “persn” is no input of “risk”; its inputs are person\n"
    )

    assert run(["decide", str(risk), "--input", '{"persn": 1}', "--language", "zh"]) == 0
    assert capsys.readouterr().err == "警告：“persn”不是“risk”的输入；其输入有 person\n"


def test_inputs_that_nobody_draws_are_known_from_what_the_logic_reads(
    tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "m.dmn"
    entry = tag("contextEntry", tag("variable", name="half"), literal("amount / 2"))
    logic = tag("context", entry, tag("contextEntry", literal("half + rate")))
    path.write_bytes(model(decision("d", logic)))

    assert run(["decide", str(path), "--input", '{"amount": 2, "rate": 1, "half": 9}']) == 0

    printed = capsys.readouterr()
    assert printed.out.startswith("2\n")
    assert printed.err == "warning: “half” is no input of “d”; its inputs are amount, rate\n"


def test_a_process_diagram_is_called_one(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "p.bpmn"
    path.write_bytes(called())

    assert run(["decide", str(path)]) == 1

    said = capsys.readouterr().err
    assert "The file is a process diagram (BPMN), no decision model" in said
    assert "caseway check" in said


def test_the_input_may_come_from_stdin(
    risk: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stdin:
        buffer = io.BytesIO(b'{"person": {"age": 20}}')

    monkeypatch.setattr("sys.stdin", Stdin)

    assert run(["decide", str(risk), "--input", "-"]) == 0
    assert capsys.readouterr().out.startswith('"low"')


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--input", "[1]"], "must be a JSON object"),
        (["--input", "{"], "--input: "),
        (["--input", "@nowhere.json"], "cannot be read"),
        (["--decision", "other"], "no decision “other”; its decisions are risk"),
    ],
)
def test_wrong_use_is_told_with_the_place(
    risk: Path, capsys: Capture, arguments: list[str], said: str
) -> None:
    assert run(["decide", str(risk), *arguments]) == 1
    assert said in capsys.readouterr().err


def test_a_model_with_faults_is_refused_with_all_of_them(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "wrong.dmn"
    path.write_bytes(model(decision("d", literal("1 +"))))

    assert run(["decide", str(path)]) == 1
    assert "is not FEEL" in capsys.readouterr().err


def test_a_model_finds_its_imports_beside_it(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "base.dmn").write_bytes(model(decision("five", literal("5")), namespace="urn:base"))
    imported = '<import namespace="urn:base" name="base" importType="DMN"/>'
    more = decision("six", needs("urn:base#five", kind="Decision"), literal("base.five + 1"))
    (tmp_path / "main.dmn").write_bytes(model(imported, more))

    assert run(["decide", str(tmp_path / "main.dmn")]) == 0
    assert capsys.readouterr().out.startswith("6\n")
    assert run(["--data", str(tmp_path), "what-if", str(tmp_path / "main.dmn")]) == 0
    assert capsys.readouterr().out == "six: 0 of 0 past decisions would differ\n"


# ------------------------------------------------ tables of cases


def test_rows_that_come_out_as_expected_pass(risk: Path, capsys: Capture) -> None:
    cases(risk, "#,person.age,expect", "a child,3,high", ",20,low")

    assert run(["test-decisions", str(risk)]) == 0

    out = capsys.readouterr().out
    assert "2 rows, 0 failed; 2 of 2 rules reached" in out
    assert "a child (table rule 1)" in out


def test_a_row_that_differs_is_shown_cell_by_cell_and_fails(risk: Path, capsys: Capture) -> None:
    cases(risk, "person.age,expect", "3,low")

    assert run(["test-decisions", str(risk)]) == 1

    out = capsys.readouterr().out
    assert 'expect: expected "low", came out "high"' in out
    assert "no row reaches table rule 2" in out


def test_the_outcome_of_a_table_is_said_in_chinese(risk: Path, capsys: Capture) -> None:
    path = cases(risk, "person.age,persn,expect", "3,1,low", "20,,low", "30,,low")

    assert run(["test-decisions", str(risk), "--language", "zh"]) == 1

    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        f"不符 {path}:2（table 规则 1）",
        '       expect：应为 "low"，实为 "high"',
        f"通过 {path}:3（table 规则 2）",
        f"通过 {path}:4（table 规则 2）",
        "共 3 行，1 行不符；用到 2 条规则中的 2 条",
    ]
    assert printed.err == "警告：“persn”不是“risk”的输入；其输入有 person\n"


def test_every_sentence_of_these_verbs_is_in_the_catalogue() -> None:
    source = Path(verbs.__file__).read_text(encoding="utf-8")
    templates = [
        node.args[0].value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "phrase"
        and isinstance(node.args[0], ast.Constant)
    ]  # fmt: skip

    assert len(templates) > 15
    assert [text for text in templates if text not in catalogue("zh")] == ["{what}"]


def test_the_result_is_told_as_json(risk: Path, capsys: Capture) -> None:
    cases(risk, "person.age,expect", "3,low")

    assert run(["test-decisions", str(risk), "--format", "json"]) == 1

    found = json.loads(capsys.readouterr().out)
    assert found["failed"] == 1
    assert found["rows"][0]["differences"] == [
        {"column": "expect", "expected": "low", "found": "high"}
    ]
    assert found["rows"][0]["rules"] == [{"table": "table", "rule": 1}]
    assert found["unreached"] == [{"table": "table", "rule": 2, "remark": ""}]


def test_several_outputs_and_decisions_have_columns_of_their_own(
    tmp_path: Path, capsys: Capture
) -> None:
    both = decision("both", needs("n"), table(["n"], [["-", "n", "n * 2"]], outputs=["one", "two"]))
    path = tmp_path / "m.dmn"
    path.write_bytes(model(data("n"), both, decision("other", needs("n"), literal("n + 1"))))
    cases(path, "n,expect one,expect two,decision", "2,2,4,both")
    assert run(["test-decisions", str(path)]) == 0

    cases(path, "n,expect", "2,3")
    assert run(["test-decisions", str(path), "--decision", "other"]) == 0
    assert run(["test-decisions", str(path)]) == 1
    assert "say which decision is made" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("12", 12), ("true", True), ("null", None), ('"12"', "12"), ("[1, 2]", [1, 2]),
        ("{a: 1}", {"a": 1}), ("hello (world)", "hello (world)"), ("3rd", "3rd"), ("VIP", "VIP"),
        ("2026-01-31", "2026-01-31"), ("-", "-"), ("upper case(\"a\")", "A"),
    ],
)  # fmt: skip
def test_a_cell_is_feel_where_it_reads_as_feel(text: str, value: Any) -> None:
    assert value_of(text, "here") == value


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["a,b", "1,2"], "no column says what to expect"),
        (["a,a,expect", "1,2,3"], "'a' occurs twice"),
        (["a,expect", "1,2,3"], "3 cells, but 2 headings"),
        (["a,a.b,expect", "1,2,3"], "a part of what is no context"),
        (["a,expect", '"[1,,]",2'], "is not FEEL"),
    ],
)
def test_a_wrong_table_of_cases_is_told_with_the_line(
    tmp_path: Path, lines: list[str], said: str
) -> None:
    path = cases(tmp_path / "x.dmn", *lines)

    with pytest.raises(BadInput, match=said):
        list(read_cases(path))


def test_a_file_that_is_no_utf8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,expect\n\xff\xfe,1\n")

    with pytest.raises(BadInput, match="is not UTF-8"):
        list(read_cases(path))


def test_too_many_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision_cases, "MAX_ROWS", 3)
    path = cases(tmp_path / "x.dmn", "a,expect", *["1,2"] * 5)

    with pytest.raises(BadInput, match="more than 3 rows"):
        list(read_cases(path))


# ------------------------------------------------ deployed decisions


def test_a_decision_that_was_never_deployed_is_told_with_those_that_were(engine: Engine) -> None:
    with pytest.raises(NotFound, match="no decision 'risk'; none is known here"):
        engine.decide("risk", {})
    engine.deploy({"p.bpmn": called(), "risk.dmn": rules(["-", '"high"'])}, by="ann")

    with pytest.raises(NotFound, match=r"no decision 'rsk'; did you mean 'risk'\?"):
        engine.decide("rsk", {})
    with pytest.raises(NotFound, match="'risk' has no version 7; it has 1"):
        engine.decide("risk", {}, version=7)
    with pytest.raises(NotFound, match="'risk' has no version 7; it has 1"):
        engine.activate_decision("risk", 7, by="ann")
    with pytest.raises(NotFound, match="no decision 'other'; known are risk"):
        engine.what_if({"risk.dmn": rules(["-", '"low"'])}, decision_id="other")


# ------------------------------------------------ past cases


def test_past_cases_that_would_come_out_differently_are_listed(
    engine: Engine, tmp_path: Path, capsys: Capture
) -> None:
    before = rules(["< 18", '"high"'], [">= 18", '"low"'])
    engine.deploy({"p.bpmn": called(), "risk.dmn": before}, by="ann")
    for age in (17, 19, 30):
        engine.start("p", {"age": age}, business_key=f"A-{age}")
    (tmp_path / "new.dmn").write_bytes(rules(["< 21", '"high"'], [">= 21", '"low"']))
    given = ["--data", str(tmp_path), "what-if", str(tmp_path / "new.dmn")]

    assert run([*given, "--decision", "risk", "--limit", "10"]) == 0
    out = capsys.readouterr().out
    assert "risk: 1 of 3 past decisions would differ" in out
    assert "A-19" in out
    assert "A-17" not in out

    assert run([*given, "--limit", "1", "--language", "zh"]) == 0
    out = capsys.readouterr().out
    assert out == "risk：1 个过去的决策中有 0 个会不同；更早的案例未查看（--limit）\n"

    assert run([*given, "--limit", "0"]) == 0
    assert "1 of 3" in capsys.readouterr().out
    assert run([*given, "--since", "2030-01-01", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["compared"] == 0
    assert run([*given, "--since", "soon"]) == 1
    assert "write a date" in capsys.readouterr().err
