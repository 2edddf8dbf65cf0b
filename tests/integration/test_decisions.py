from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.errors import BadInput, Conflict, DeploymentRefused, NotFound
from engine.runtime import Engine
from tests.decision_drawing import data, decision, literal, model, needs, table
from tests.integration import drawings
from tests.integration.conftest import MakeEngine, kinds


def called(decision_id: str = "risk", *, more: str = "") -> bytes:
    """Return a process that calls a decision, then asks a person."""
    rule = drawings.extended(
        "businessRuleTask",
        "rate",
        f'<zeebe:calledDecision decisionId="{decision_id}" resultVariable="risk"{more}/>',
    )
    return drawings.drawn(
        drawings.start()
        + rule
        + drawings.user_task("look")
        + drawings.END
        + drawings.line("begin", "rate", "look", "end")
    )


def rules(*cells: list[str], hits: str = "UNIQUE", tag: str = "") -> bytes:
    """Return a model with the decision `risk` over the input `age`."""
    extension = (
        f'<extensionElements><zeebe:versionTag value="{tag}"/></extensionElements>' if tag else ""
    )
    drawn = table(["age"], cells, hits=hits)
    return model(data("age"), decision("risk", extension, needs("age"), drawn))


YOUNG = ["< 18", '"high"', "minors are insured by their parents"]
OLD = [">= 18", '"low"']


def test_a_business_rule_task_makes_its_decision(engine: Engine) -> None:
    engine.deploy({"p.bpmn": called(), "risk.dmn": rules(YOUNG, OLD)}, by="ann")

    case = engine.start("p", {"age": 17})

    assert engine.variables(case.id)["risk"] == "high"
    assert [task.element_id for task in engine.tasks(instance_id=case.id)] == ["look"]


def test_the_history_says_why(engine: Engine) -> None:
    engine.deploy({"p.bpmn": called(), "risk.dmn": rules(YOUNG, OLD)}, by="ann")

    case = engine.start("p", {"age": Decimal("17.5")})

    (event,) = [row for row in engine.history(case.id) if row.kind == "decision.evaluated"]
    assert (event.element_id, event.name) == ("rate", "risk")
    (made,) = event.value
    assert (made["decision"], made["value"]) == ("risk", "high")
    (drawn,) = made["tables"]
    assert drawn["inputs"] == {"age": Decimal("17.5")}
    assert [(hit["rule"], hit["annotation"]) for hit in drawn["matched"]] == [
        ("rule1", "minors are insured by their parents")
    ]
    assert drawn["rejected"] == [{"rule": "rule2", "number": 2, "input": "age", "test": ">= 18"}]


def test_two_hits_in_a_unique_table_are_an_incident_that_a_new_version_mends(
    engine: Engine,
) -> None:
    engine.deploy({"p.bpmn": called(), "risk.dmn": rules(YOUNG, ["< 30", '"some"'])}, by="ann")
    case = engine.start("p", {"age": 17})
    (incident,) = engine.incidents(instance_id=case.id)
    assert incident.element_id == "rate"
    assert "rules 1 and 2 match, but the table is unique" in incident.message

    engine.deploy({"risk.dmn": rules(YOUNG, OLD)}, by="ann", comment="the overlap is gone")
    engine.retry(incident.id, by="ann")

    assert engine.variables(case.id)["risk"] == "high"
    assert "incident.resolved" in kinds(engine, case.id)


def test_no_hit_is_null_and_the_case_goes_on(engine: Engine) -> None:
    engine.deploy({"p.bpmn": called(), "risk.dmn": rules(YOUNG)}, by="ann")

    case = engine.start("p", {"age": 50})

    assert engine.variables(case.id)["risk"] is None
    (event,) = [row for row in engine.history(case.id) if row.kind == "decision.evaluated"]
    assert event.value[0]["tables"][0]["matched"] == []


def test_the_latest_version_decides_also_for_cases_that_run(engine: Engine) -> None:
    engine.deploy({"p.bpmn": called(), "risk.dmn": rules(YOUNG, OLD)}, by="ann")
    engine.deploy({"risk.dmn": rules(["-", '"none"'])}, by="ann")

    assert engine.variables(engine.start("p", {"age": 1}).id)["risk"] == "none"
    assert [(d.decision_id, d.version, d.active) for d in engine.decisions()] == [
        ("risk", 2, True), ("risk", 1, False),
    ]  # fmt: skip


def test_going_back_to_an_older_version_is_recorded(engine: Engine) -> None:
    engine.deploy({"p.bpmn": called(), "risk.dmn": rules(YOUNG, OLD)}, by="ann")
    engine.deploy({"risk.dmn": rules(["-", '"none"'])}, by="ann")

    engine.activate_decision("risk", 1, by="bob", why="too lenient")

    assert engine.variables(engine.start("p", {"age": 1}).id)["risk"] == "high"
    act = engine.acts()[0]
    assert (act.by, act.subject, act.why) == ("bob", "decision risk version 1", "too lenient")
    with pytest.raises(NotFound):
        engine.activate_decision("risk", 9, by="bob")


def test_a_call_may_be_bound_to_its_deployment_or_to_a_tag(engine: Engine) -> None:
    beside = called(more=' bindingType="deployment"')
    tagged = called(more=' bindingType="versionTag" versionTag="2024"')
    engine.deploy({"p.bpmn": beside, "risk.dmn": rules(["-", '"old"'], tag="2024")}, by="ann")
    engine.deploy({"risk.dmn": rules(["-", '"new"'])}, by="ann")
    bound = engine.start("p", {"age": 1})
    engine.deploy({"p.bpmn": tagged}, by="ann")

    by_tag = engine.start("p", {"age": 1})

    assert engine.variables(bound.id)["risk"] == "old"
    assert engine.variables(by_tag.id)["risk"] == "old"


def test_another_node_reads_the_model_from_the_database(
    engine: Engine, make_engine: MakeEngine
) -> None:
    base = model(decision("limit", literal("18")), namespace="urn:base")
    imports = '<import namespace="urn:base" name="base" importType="DMN"/>'
    risk = decision("risk", needs("urn:base#limit", kind="Decision"), literal("age < base.limit"))
    engine.deploy({"p.bpmn": called(), "a.dmn": model(imports, risk), "b.dmn": base}, by="ann")

    case = make_engine().start("p", {"age": 17})

    assert engine.variables(case.id)["risk"] is True


def test_a_call_of_an_unknown_decision_is_refused_with_similar_names(engine: Engine) -> None:
    with pytest.raises(DeploymentRefused) as refused:
        engine.deploy({"p.bpmn": called("rysk"), "risk.dmn": rules(YOUNG, OLD)}, by="ann")

    (problem,) = [problem for problem in refused.value.problems if problem.stops]
    assert (problem.file, problem.element) == ("p.bpmn", "rate")
    assert "“rysk”" in problem.message
    assert problem.advice == "similar names are: risk"


def test_all_problems_of_a_model_come_with_element_and_line(engine: Engine) -> None:
    broken = rules(["< ", '"high"'], [">= 18", "1 +"])

    problems = engine.check({"p.bpmn": called(), "risk.dmn": broken})

    found = [(p.file, p.element, p.line) for p in problems if p.stops]
    assert found == [("risk.dmn", "rule1", 4), ("risk.dmn", "rule2", 4)]


def test_deciding_by_hand_gives_value_and_explanation(engine: Engine) -> None:
    engine.deploy({"risk.dmn": rules(YOUNG, OLD)}, by="ann")

    made = engine.decide("risk", {"age": 20})

    assert made.value == "low"
    assert made.explanation[0]["tables"][0]["matched"][0]["rule"] == "rule2"
    with pytest.raises(NotFound):
        engine.decide("risk", {}, version=2)
    with pytest.raises(BadInput):
        engine.decide("risk", {"age": object()})


def test_decisions_go_back_with_their_deployment_to_what_was_active_before(engine: Engine) -> None:
    engine.deploy({"p.bpmn": called(), "risk.dmn": rules(["-", '"first"'])}, by="ann")
    engine.deploy({"risk.dmn": rules(["-", '"second"'])}, by="ann")
    engine.activate_decision("risk", 1, by="ann")
    third = engine.deploy({"risk.dmn": rules(["-", '"third"'])}, by="ann")
    assert engine.decide("risk", {}).value == "third"

    engine.roll_back(third.id, by="bob", why="wrong")

    assert engine.decide("risk", {}).value == "first"
    engine.activate_all(third.id, by="bob")
    assert engine.decide("risk", {}).value == "third"
    with pytest.raises(Conflict):
        engine.activate_all(third.id, by="bob")


def test_a_changed_table_is_tried_on_past_cases(engine: Engine) -> None:
    engine.deploy({"p.bpmn": called(), "risk.dmn": rules(YOUNG, OLD)}, by="ann")
    for age in (17, 19, 30):
        engine.start("p", {"age": age}, business_key=f"A-{age}", by="ann")
    changed = rules(["< 21", '"high"'], [">= 21", '"low"'])

    (found,) = engine.what_if({"risk.dmn": changed})

    assert (found.decision_id, found.compared, found.skipped, found.more) == ("risk", 3, 0, False)
    (other,) = found.different
    assert (other.business_key, other.before, other.after) == ("A-19", "low", "high")
    assert other.element_id == "rate"


def test_a_changed_table_without_drawn_inputs_is_tried_on_past_cases(engine: Engine) -> None:
    def plain(limit: int) -> bytes:
        cells = [[f"< {limit}", '"few"'], [f">= {limit}", '"many"']]
        return model(decision("risk", table(["count(items) + extra"], cells)))

    engine.deploy({"p.bpmn": called(), "risk.dmn": plain(3)}, by="ann")
    case = engine.start("p", {"items": [1, 2], "extra": 0, "unused": "x"})

    (found,) = engine.what_if({"risk.dmn": plain(2)})

    assert (found.compared, found.different[0].instance_id) == (1, case.id)
    (event,) = [row for row in engine.history(case.id) if row.kind == "decision.evaluated"]
    assert event.value[-1]["given"] == {"items": [1, 2], "extra": 0}


def test_a_table_that_fails_on_a_past_case_says_why(engine: Engine) -> None:
    engine.deploy({"p.bpmn": called(), "risk.dmn": rules(YOUNG, OLD)}, by="ann")
    engine.start("p", {"age": 17})

    (found,) = engine.what_if({"risk.dmn": rules(YOUNG, ["< 30", '"some"'])})

    assert found.different[0].after is None
    assert "the rules 1 and 2 match" in found.different[0].fault


def test_what_was_erased_is_not_tried_again(engine: Engine) -> None:
    engine.deploy({"p.bpmn": called(), "risk.dmn": rules(YOUNG, OLD)}, by="ann")
    case = engine.start("p", {"age": 17})
    engine.erase(case.id, ["age"], by="ann", why="asked for")

    (found,) = engine.what_if({"risk.dmn": rules(["< 21", '"low"'], [">= 21", '"low"'])})

    assert (found.compared, found.skipped) == (0, 1)


def test_no_more_cases_are_looked_at_than_asked_for(engine: Engine) -> None:
    engine.deploy({"p.bpmn": called(), "risk.dmn": rules(YOUNG, OLD)}, by="ann")
    for age in (17, 18, 19):
        engine.start("p", {"age": age})

    (found,) = engine.what_if({"risk.dmn": rules(YOUNG, OLD)}, limit=2)

    assert (found.compared, found.different, found.more) == (2, [], True)
    later = engine.clock.now() + timedelta(seconds=1)
    (found,) = engine.what_if({"risk.dmn": rules(YOUNG, OLD)}, since=later)
    assert found.compared == 0
    (found,) = engine.what_if({"risk.dmn": rules(YOUNG, OLD)}, limit=3)
    assert (found.compared, found.more) == (3, False)
    with pytest.raises(NotFound, match="no decision 'other'"):
        engine.what_if({"risk.dmn": rules(YOUNG, OLD)}, decision_id="other")
