"""What SpiffWorkflow does by itself, and that nothing of it is changed by us.

Each test of the first kind shows a fault of the stock library that the kernel mends; when one of
them fails after an upgrade, the mending may go.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow

from tests.drawing import (
    about,
    catch,
    diagram,
    end,
    flow,
    gateway,
    node,
    path,
    process,
    start,
    task,
    throw,
)
from tests.unit.kernel.player import Player

PRINT_GLOBALS = """
import importlib, pkgutil, sys, types
import SpiffWorkflow
{first}
def shape(value):
    if isinstance(value, type):
        return sorted((k, getattr(v, '__qualname__', type(v).__name__))
                      for k, v in vars(value).items() if not k.startswith('_abc'))
    if isinstance(value, (dict, set, list)) :
        return (type(value).__name__, len(value))
    return getattr(value, '__qualname__', type(value).__name__)
found = pkgutil.walk_packages(SpiffWorkflow.__path__, 'SpiffWorkflow.')
for info in sorted(found, key=lambda i: i.name):
    if 'serializer' in info.name and 'bpmn' not in info.name:
        continue  # needs more than we install
    module = importlib.import_module(info.name)
    for name, value in sorted(vars(module).items()):
        if not name.startswith('__'):
            print(info.name, name, shape(value))
"""


def _globals(first: str) -> str:
    code = PRINT_GLOBALS.replace("{first}", first)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_importing_the_kernel_changes_nothing_in_the_library() -> None:
    # given / when
    alone = _globals("")
    with_kernel = _globals("import engine.kernel")
    # then
    assert len(alone) > 10_000
    assert with_kernel == alone


def _stock(drawing: bytes) -> BpmnWorkflow:
    parser = BpmnParser()
    parser.add_bpmn_xml(etree.fromstring(drawing))
    return BpmnWorkflow(parser.get_spec("p"), parser.get_subprocess_specs("p"))


def test_stock_stops_a_loop_at_its_depth_limit_and_calls_it_complete() -> None:
    # given a loop of 400 rounds
    count = '<script cw:language="python">n = n + 1</script>'
    condition = "<conditionExpression>n &lt; 400</conditionExpression>"
    again = node("sequenceFlow", "x-m", condition, sourceRef="x", targetRef="m")
    drawing = diagram(
        process(
            "p",
            start("s"),
            gateway("exclusive", "m"),
            node("scriptTask", "t", count),
            gateway("exclusive", "x", default="x-e"),
            end("e"),
            path("s", "m", "t", "x", "e"),
            again,
        )
    )
    stock = _stock(drawing)
    stock.get_next_task(spec_name="Start").data["n"] = 0
    # when
    stock.do_engine_steps()
    # then
    assert stock.is_completed()
    assert stock.last_task.data["n"] < 400


def test_stock_loses_the_path_behind_a_link() -> None:
    # given
    drawing = diagram(
        process(
            "p",
            start("s"),
            throw("t", about("link", "L")),
            catch("c", about("link", "L")),
            task("after"),
            path("s", "t"),
            path("c", "after"),
        )
    )
    stock = _stock(drawing)
    # when
    stock.do_engine_steps()
    # then it ends there, and says all is well; the kernel goes on
    assert stock.is_completed()
    assert Player(drawing).start().trail == ["s", "t", "c", "after"]


def test_stock_refuses_several_flows_out_of_a_task() -> None:
    # given
    drawing = diagram(
        process("p", start("s"), task("t"), end("a"), end("b"), path("s", "t", "a"), flow("t", "b"))
    )
    # when / then
    with pytest.raises(ValidationException):
        _stock(drawing)
    assert sorted(Player(drawing).start().trail) == ["a", "b", "s", "t"]


def test_stock_takes_an_element_called_start_for_its_own() -> None:
    # given
    drawing = diagram(process("p", start("Start"), end("End"), path("Start", "End")))
    # when / then
    with pytest.raises(Exception, match=r"No output task connected|Duplicate|Start"):
        _stock(drawing).do_engine_steps()
    assert Player(drawing).start().ended


def test_stock_cannot_parse_a_chain_of_five_hundred_tasks() -> None:
    # given
    names = [f"t{i}" for i in range(500)]
    drawing = diagram(
        process("p", start("s"), *[task(n) for n in names], end("e"), path("s", *names, "e"))
    )
    # when / then
    with pytest.raises((ValidationException, RecursionError)):
        _stock(drawing)
    assert Player(drawing).start().ended
