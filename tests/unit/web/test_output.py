"""Tables that people read: Chinese text aligns, long and wild text does not break a line."""

from __future__ import annotations

from datetime import UTC, datetime

from engine.model import Problem, Severity
from web.output import MAX_COLUMN, cell, fit, problem_line, table, width
from web.render import plain


def test_chinese_characters_take_two_cells() -> None:
    assert width("abc") == 3
    assert width("客服abc") == 7
    assert width("é") == 1  # a letter with a combining mark


def test_columns_align_whatever_the_script() -> None:
    rows = [["客服", "x"], ["desk", "y"]]

    lines = table(rows, ["NAME", "V"]).splitlines()

    assert [width(line.rsplit("  ", 1)[0]) for line in lines] == [4, 4, 4]
    assert lines[1] == "客服  x"


def test_text_is_cut_at_a_whole_character() -> None:
    assert fit("四个汉字", 8) == "四个汉字"
    assert fit("四个汉字啊", 8) == "四个汉…"
    assert width(fit("字" * 100, MAX_COLUMN)) <= MAX_COLUMN


def test_a_cell_keeps_to_one_line_and_sends_nothing_to_the_terminal() -> None:
    assert cell("two\nlines\tand \x1b[31m") == "two lines and  [31m"
    assert cell(None) == "-"
    assert cell(("a", "b")) == "a,b"
    assert cell(True) == "yes"
    assert cell(datetime(2026, 5, 1, 9, 0, 0, 5, tzinfo=UTC)) == "2026-05-01 09:00:00"


def test_a_problem_names_place_weight_message_and_advice() -> None:
    problem = Problem(file="a.bpmn", element="task_1", line=7, message="No.", advice="Yes.")
    bare = Problem(file="a.bpmn", element=None, line=None, message="Hm.", severity=Severity.WARNING)

    assert problem_line(problem) == "a.bpmn:7 [error] task_1 No. -> Yes."
    assert problem_line(bare) == "a.bpmn [warning] Hm."


def test_a_problem_is_told_in_chinese_with_the_name_of_its_rule() -> None:
    problem = Problem(
        file="a.bpmn", element="u", line=7, message="No.", advice="Yes.", rule="no-no",
        translations=(("zh", "不行", "请改"),),
    )  # fmt: skip

    assert problem_line(problem, "zh") == "a.bpmn:7 [错误] u 不行 (no-no) -> 请改"
    assert problem_line(problem, "en") == "a.bpmn:7 [error] u No. (no-no) -> Yes."


def test_an_answer_holds_one_language_of_a_problem() -> None:
    problem = Problem(
        file="a.bpmn", element=None, line=None, message="No.", translations=(("zh", "不行", ""),)
    )

    assert plain([problem], "zh")[0]["message"] == "不行"
    assert plain([problem])[0]["message"] == "No."
    assert "translations" not in plain([problem])[0]
