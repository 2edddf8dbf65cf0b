"""A changed decision is tried on past cases where it is checked and where it is deployed."""

from __future__ import annotations

import io

from engine.runtime import Engine
from tests.integration.test_decisions import called, rules
from tests.unit.web.conftest import Login

CHANGED = rules(["< 21", '"high"'], [">= 21", '"low"'])


def past(engine: Engine) -> None:
    """Deploy a decision and make it for three cases."""
    before = rules(["< 18", '"high"'], [">= 18", '"low"'])
    engine.deploy({"p.bpmn": called(), "risk.dmn": before}, by="ann")
    for age in (17, 19, 30):
        engine.start("p", {"age": age}, business_key=f"A-{age}")


def upload(act: str) -> dict[str, object]:
    return {"file": [(io.BytesIO(CHANGED), "risk.dmn")], "act": act}


def test_the_check_of_a_changed_table_lists_the_cases_that_would_differ(
    engine: Engine, login: Login
) -> None:
    past(engine)

    page = login("analyst").post("/deployments", upload("check")).text

    assert "1 of 3 past decisions would come out differently." in page
    assert ">A-19</a>" in page
    assert "&#34;low&#34;" in page
    assert ">A-17</a>" not in page


def test_the_page_of_a_deployment_lists_them_for_those_who_may_check(
    engine: Engine, login: Login
) -> None:
    past(engine)
    admin = login("admin")
    made = admin.post("/deployments", upload("deploy")).location

    assert "1 of 3 past decisions" in admin.get(made).text
    assert "past decisions" not in login("operator").get(made).text


def test_an_upload_without_past_cases_says_nothing_of_them(engine: Engine, login: Login) -> None:
    page = login("analyst").post("/deployments", upload("check")).text

    assert "past decision" not in page
