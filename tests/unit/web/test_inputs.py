"""Variables as people type them, and files of many cases."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.errors import BadInput
from web.inputs import count_lines, read_lines, taken, variables


def test_values_are_json_where_they_are_json_and_texts_elsewhere() -> None:
    pairs = ("n=1", "share=0.10", "yes=true", "list=[1, 2]", "text=007", 'quoted="1"', "a=b=c",
             "empty=", "问=答")  # fmt: skip

    assert variables(pairs, None) == {
        "n": 1, "share": Decimal("0.10"), "yes": True, "list": [1, 2], "text": "007",
        "quoted": "1", "a": "b=c", "empty": "", "问": "答",
    }  # fmt: skip


def test_single_values_win_over_the_object() -> None:
    assert variables(("a=2",), '{"a": 1, "b": 1}') == {"a": 2, "b": 1}


def test_the_object_may_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "vars.json"
    path.write_text('{"a": 0.1}', encoding="utf-8")

    assert variables((), f"@{path}") == {"a": Decimal("0.1")}


@pytest.mark.parametrize(
    ("pairs", "text", "words"),
    [
        (("novalue",), None, "name=value"),
        (("=1",), None, "name=value"),
        ((), "[1]", "not a JSON object"),
        ((), "{", "--vars"),
        ((), "@/no/such/file", "cannot be read"),
    ],
)
def test_what_is_no_variable_is_refused(
    pairs: tuple[str, ...], text: str | None, words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        variables(pairs, text)


def test_lines_of_json_and_a_printed_array_read_alike(tmp_path: Path) -> None:
    lines = tmp_path / "lines.jsonl"
    lines.write_text('{"a": 1}\n\n{"a": 2}\n', encoding="utf-8")
    array = tmp_path / "array.json"
    array.write_text('[{"a": 1},\n{"a": 2}]\n', encoding="utf-8")
    dense = tmp_path / "dense.json"
    dense.write_text('[{"a":1},{"a":2}]', encoding="utf-8")

    for path in (lines, array, dense):
        assert [line.fields for line in read_lines(str(path))] == [{"a": 1}, {"a": 2}]


def test_an_empty_array_has_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "none.json"
    path.write_text("[]\n", encoding="utf-8")

    assert list(read_lines(str(path))) == []


def test_a_wrong_line_is_refused_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_text('{"a": 1}\n{"a": \n', encoding="utf-8")

    with pytest.raises(BadInput, match=r"wrong\.jsonl:2"):
        list(read_lines(str(path)))


@pytest.mark.parametrize("text", ["[1]", '[{"a": 1}, 2]', "[{]", '"text"'])
def test_what_holds_no_objects_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(BadInput, match=r"odd\.json"):
        list(read_lines(str(path)))


def test_equal_lines_have_keys_of_their_own_and_keep_them(tmp_path: Path) -> None:
    path = tmp_path / "twice.jsonl"
    path.write_text('{"a": 1}\n{"a": 1}\n', encoding="utf-8")

    first = [line.key(None) for line in read_lines(str(path))]
    second = [line.key(None) for line in read_lines(str(path))]

    assert first == second
    assert len(set(first)) == 2


def test_a_key_field_must_hold_a_plain_value(tmp_path: Path) -> None:
    path = tmp_path / "keys.jsonl"
    path.write_text('{"id": 7}\n{"id": null}\n{"id": [1]}\n{}\n', encoding="utf-8")

    good, *wrong = read_lines(str(path))

    assert good.key("id") == "7"
    for line in wrong:
        with pytest.raises(BadInput, match=line.place):
            line.key("id")


def test_lines_are_counted_for_the_progress_bar(tmp_path: Path) -> None:
    path = tmp_path / "three.jsonl"
    path.write_text("{}\n{}\n{}\n", encoding="utf-8")

    assert count_lines(str(path)) == 3
    assert count_lines("-") is None
    assert count_lines(str(tmp_path / "absent")) is None


def test_the_first_field_that_is_there_is_taken() -> None:
    assert taken({"task": None, "id": "x"}, ("task", "id")) == "x"
    assert taken({}, ("task", "id")) is None
