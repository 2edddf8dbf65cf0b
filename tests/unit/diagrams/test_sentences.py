"""What the gate says: every sentence has a rule with a name, and is said in Chinese too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from babel.messages.pofile import read_po

from engine import sentences
from engine.diagrams import support
from engine.diagrams.checks_events import POSITIONS, TRIGGERS
from engine.diagrams.names import Called, spoken
from engine.diagrams.report import Report
from engine.diagrams.schema import ROWS
from engine.model import Problem
from engine.sentences import Listed, catalogue, heard, phrase
from tests.drawing import diagram, end, path, process, start, user
from tests.unit.diagrams.gate import read

ENGINE = Path(sentences.__file__).parent
REPORTS = {"error": 1, "warning": 1, "unsupported": 1, "info": 1, "at_line": 1, "add": 1}
NAME = re.compile(r"\{(\w+)(?::,)?\}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def literals(node: ast.expr) -> Iterator[str]:
    """Yield the literal texts that an expression may be; calls and names are not looked into."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from literals(value)


def sources() -> list[Path]:
    folders = (sorted((ENGINE / name).rglob("*.py")) for name in ("diagrams", "dmn"))
    changes = [
        ENGINE / "kernel" / f"{name}.py"
        for name in ("correspondence", "migration", "modification", "objections")
    ]
    changes.append(ENGINE / "runtime" / "migration.py")
    return [ENGINE / "sentences.py", ENGINE / "xml.py", *changes, *chain.from_iterable(folders)]


def templates() -> Iterator[tuple[str, str, bool]]:
    """Yield (place, template, whether it is the message of a problem)."""
    for file in sources():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            place = f"{file.relative_to(ENGINE)}:{node.lineno}"
            name = ast.unparse(node.func).rpartition(".")[2]
            if name == "phrase" and isinstance(node.args[0], ast.Constant):
                yield place, str(node.args[0].value), False
            if _reports(node):
                for number, argument in enumerate(node.args[1:3]):
                    for text in literals(argument):
                        yield place, text, number == 0


def _reports(node: ast.Call) -> bool:
    of = node.func
    return (
        isinstance(of, ast.Attribute)
        and of.attr in REPORTS
        and re.search("report|findings|said", ast.unparse(of.value)) is not None
    ) or (isinstance(of, ast.Name) and of.id == "say")


def test_every_sentence_of_the_gate_is_said_in_chinese() -> None:
    known = catalogue("zh")
    missing = [f"{place}: {text}" for place, text, _ in templates() if text not in known]
    assert not missing, "add to engine/translations/zh/*.po:\n" + "\n".join(missing)


def test_every_problem_of_the_gate_has_a_rule_with_a_name() -> None:
    nameless = [
        f"{place}: {text}"
        for place, text, is_message in templates()
        if is_message and not re.fullmatch(r"[a-z]+(-[a-z]+)*", catalogue("zh")[text].rule)
    ]
    assert not nameless, "write `#. rule: NAME` before:\n" + "\n".join(nameless)


def test_no_sentence_of_the_gate_is_put_together_by_hand() -> None:
    finished = [
        f"{file.name}:{node.lineno}"
        for file in sources()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _reports(node)
        and any(isinstance(argument, ast.JoinedStr) for argument in node.args[1:3])
    ]  # fmt: skip
    assert not finished


def test_a_translation_says_the_same_names() -> None:
    different = [
        text
        for text, entry in catalogue("zh").items()
        if set(NAME.findall(text)) != set(NAME.findall(entry.text)) and text != "the {kind}"
    ]
    assert not different


def test_a_translation_is_chinese() -> None:
    english = [
        text
        for text, entry in catalogue("zh").items()
        if re.search("[a-z]", NAME.sub("", text).replace("the ", ""))
        and not CHINESE.search(entry.text)
    ]
    assert not english


def test_no_translation_is_left_without_its_sentence() -> None:
    used = {text for _, text, _ in templates()} | words_of_tables()
    spare = [
        text
        for name in ("gate", "kinds", "decisions", "changes")
        for text in said_in(name)
        if text not in used
    ]
    assert not spare, spare


def said_in(name: str) -> list[str]:
    with (ENGINE / "translations" / "zh" / f"{name}.po").open("rb") as file:
        return [str(message.id) for message in read_po(file) if message.id]


def words_of_tables() -> set[str]:
    tags = {tag for row in ROWS.values() for tag in row.children} | set(ROWS)
    slots = {slot.name for row in ROWS.values() for slot in row.children.values()}
    texts = {word for tag in expression_words() for word in (spoken(tag),)}
    kinds = {spoken(tag) for tag in tags | slots}
    events = {one.template for table in (POSITIONS, TRIGGERS) for one in table.values()}
    advice = {advice for advice in support.SUPPORTED.values() if advice}
    features = {support.feature_words(f) for f, advice in support.SUPPORTED.items() if advice}
    return kinds | texts | advice | features | events


def expression_words() -> set[str]:
    from engine.diagrams.expressions import _NAMES, ZEEBE_EXPRESSIONS, ZEEBE_TEXTS

    pairs = ZEEBE_TEXTS | ZEEBE_EXPRESSIONS
    return {word for pair in pairs for word in pair} | set(_NAMES.values())


def test_every_kind_of_element_and_every_refused_feature_has_a_chinese_name() -> None:
    missing = sorted(word for word in words_of_tables() if word not in catalogue("zh"))
    assert not missing, missing


# ------------------------------------------------------------------ a problem, said


def of_one(element: str, message: str, **values: object) -> Problem:
    from lxml import etree

    report = Report("case.bpmn")
    report.error(etree.fromstring(element), message, "add it", **values)  # type: ignore[arg-type]
    return report.problems[0]


def test_an_element_is_called_by_its_name_in_the_language_of_the_reader() -> None:
    # given
    drawn = diagram(
        process(
            "p",
            start("s"),
            user(
                "u",
                "<extensionElements><zeebe:properties>"
                '<zeebe:property name="name.zh" value="审批报价"/>'
                "</zeebe:properties></extensionElements>",
            ).replace("<userTask", '<userTask name="Approve the offer"'),
            end("e"),
            path("s", "u"),
        )
    )
    # when
    found = next(problem for problem in read(drawn).problems if problem.element == "u")
    # then
    assert found.rule == "node-never-left"
    assert "the user task “Approve the offer”" in found.message
    assert "用户任务“审批报价”" in found.told("zh").message
    assert found.told("en") == found


def test_a_brace_in_a_name_is_only_a_brace() -> None:
    found = of_one('<task id="x" name="{who} {0}"/>', "{who} lacks its {kind}",
                   who=phrase("nothing"), kind="{x}")  # fmt: skip
    assert found.message == "Nothing lacks its {x}"


def test_what_no_catalogue_knows_is_said_in_english() -> None:
    problem = of_one('<task id="x"/>', "something {new}", new="here")

    assert problem.told("zh").message == problem.message == "Something here"
    assert problem.rule == ""


def test_several_phrases_are_joined_as_the_language_does() -> None:
    row = Listed([phrase("message"), phrase("timer")])
    assert (row.said("en"), row.said("zh")) == ("message, timer", "消息、定时")


def test_an_element_without_a_name_is_called_by_its_id_and_without_both_by_its_kind() -> None:
    from lxml import etree

    space = "http://www.omg.org/spec/BPMN/20100524/MODEL"
    bare = etree.fromstring(f'<task xmlns="{space}"/>')
    known = etree.fromstring(f'<task xmlns="{space}" id="t"/>')

    assert [Called.of(one).said("en") for one in (bare, known)] == ["the task", "the task “t”"]
    assert [Called.of(one).said("zh") for one in (bare, known)] == ["该任务", "任务“t”"]


def test_a_finished_sentence_nobody_knows_is_kept_as_it_is() -> None:
    assert heard("no such thing was ever said").said("zh") == "no such thing was ever said"
