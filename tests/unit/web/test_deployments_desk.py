"""The desk of deployments: uploads, problems with their elements, changes, going back."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

from engine.registry import Registry
from engine.runtime import Engine
from tests.unit.web.conftest import Login
from tests.unit.web.sample import FILES, VARIABLES

PROCESSES = Path(__file__).resolve().parents[3] / "processes"
(NAME,) = [name for name in FILES if name.endswith(".bpmn")]
DRAWN = FILES[NAME]
CHANGED = DRAWN.replace(b'candidateGroups="front_desk"', b'candidateGroups="back_office"')
BROKEN = DRAWN.replace(b'targetRef="file_it"', b'targetRef="nowhere"')


def sent(files: dict[str, bytes], **fields: str) -> dict[str, object]:
    """Return the form of an upload."""
    return {"file": [(io.BytesIO(data), name) for name, data in files.items()], **fields}


def zipped(files: dict[str, bytes]) -> bytes:
    """Return a zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_files_are_checked_deployed_and_shown(engine: Engine, login: Login) -> None:
    admin = login("admin")
    form = sent(FILES, act="deploy", activate="1", comment="first edition")

    answer = admin.post("/deployments", form)

    assert answer.status_code == 303
    assert [one.active for one in engine.definitions()] == [True]
    page = admin.get(answer.location).text
    assert "first edition" in page
    assert "Deployed: 1 processes." in page


def test_archive_is_unpacked_within_limits(engine: Engine, login: Login) -> None:
    admin = login("admin")

    good = admin.post("/deployments", sent({"all.zip": zipped(FILES)}, act="deploy"))
    assert good.status_code == 303
    assert [one.active for one in engine.definitions()] == [False]

    bad = admin.post("/deployments", sent({"x.zip": zipped({"../x.bpmn": DRAWN})}, act="deploy"))
    assert bad.status_code == 422
    assert "leads out of the archive" in bad.text
    bomb = zipped({"x.bpmn": b" " * 40_000_000})
    assert admin.post("/deployments", sent({"x.zip": bomb}, act="deploy")).status_code == 422
    assert admin.post("/deployments", {"act": "deploy"}).status_code == 422


def test_every_problem_names_file_element_and_line(engine: Engine, login: Login) -> None:
    answer = login("admin").post("/deployments", sent({**FILES, NAME: BROKEN}, act="deploy"))

    assert answer.status_code == 422
    assert engine.definitions() == []
    assert NAME in answer.text
    assert ">f2<" in answer.text
    assert re.search(r"line \d+", answer.text)
    assert "Nothing was stored." in answer.text


def test_analyst_checks_and_cannot_deploy(engine: Engine, login: Login) -> None:
    analyst = login("analyst")

    answer = analyst.post("/deployments", sent(FILES, act="deploy"))

    assert answer.status_code == 200
    assert engine.definitions() == []
    assert login("operator").get("/deployments/new").status_code == 403


def test_changes_are_listed_property_by_property(engine: Engine, login: Login) -> None:
    engine.deploy(FILES, by="ann")
    engine.start("needs", VARIABLES)
    second = engine.deploy({**FILES, NAME: CHANGED}, by="ann")

    page = login("operator").get(f"/deployments/{second.id}").text

    assert "Compared with version 1." in page
    assert re.search(r"<del>.*front_desk</del>", page)
    assert re.search(r"<ins>.*back_office</ins>", page)
    assert "unchanged" in page
    overview = login("lead").get("/deployments/processes/needs").text
    assert re.search(r'version 1</a>.*?class="num">1<', overview, re.DOTALL)


def test_going_back_is_one_click_and_recorded(engine: Engine, login: Login) -> None:
    engine.deploy(FILES, by="ann")
    second = engine.deploy({**FILES, NAME: CHANGED}, by="ann")
    admin = login("admin")
    assert "Rolling back lets new cases use:" in admin.get(f"/deployments/{second.id}").text

    admin.post(f"/deployments/{second.id}/roll-back")

    assert engine.start("needs", VARIABLES).version == 1
    assert engine.acts_on(["needs version 1"])[0].by == "admin"
    admin.post(f"/deployments/{second.id}/activate", {"why": "mended"})
    assert engine.start("needs", VARIABLES).version == 2
    assert "mended" in admin.get("/deployments/processes/needs").text


def test_version_is_activated_with_a_reason(engine: Engine, login: Login) -> None:
    engine.deploy(FILES, by="ann")
    engine.deploy({**FILES, NAME: CHANGED}, by="ann")
    admin = login("admin")

    admin.post("/deployments/processes/needs", {"version": "1", "why": ""})
    assert engine.start("needs", VARIABLES).version == 2

    admin.post("/deployments/processes/needs", {"version": "1", "why": "version 2 is too strict"})
    assert engine.start("needs", VARIABLES).version == 1
    assert login("operator").post("/deployments/processes/needs").status_code == 403


def test_file_comes_back_as_it_was_uploaded(engine: Engine, login: Login) -> None:
    made = engine.deploy(FILES, by="ann")
    staff = login("operator")

    download = staff.get(f"/deployments/{made.id}/files/{NAME}")
    assert download.data == DRAWN
    assert "attachment" in download.headers["Content-Disposition"]
    # an XML of somebody else's must not become a page of ours
    source = staff.get(f"/deployments/{made.id}/source/{NAME}")
    assert source.data == DRAWN
    assert source.mimetype == "text/plain"
    assert source.headers["X-Content-Type-Options"] == "nosniff"


def test_catalogue_lists_handlers_and_their_templates(engine: Engine, login: Login) -> None:
    staff = login("operator")
    names = Registry.load(engine.settings).names()

    page = staff.get("/handlers").text
    assert [name for name in names if name not in page] == []
    with zipfile.ZipFile(io.BytesIO(staff.get("/handlers/templates.zip").data)) as archive:
        (file,) = archive.namelist()
        listed = json.loads(archive.read(file))
    assert sorted(one["id"] for one in listed) == sorted(f"caseway.{name}" for name in names)


# ------------------------------------------------------------------ drafts


def test_an_analyst_keeps_an_unfinished_drawing_and_sees_what_it_lacks(
    engine: Engine, login: Login
) -> None:
    analyst = login("analyst")

    answer = analyst.post("/deployments", sent({NAME: BROKEN}, act="draft", comment="Autumn"))

    assert answer.status_code == 303
    assert engine.definitions() == []
    (draft,) = engine.bundle_drafts()
    page = analyst.get(answer.location).text
    assert "Autumn" in page
    assert "The draft is kept. Nothing of it is executed." in page
    assert ">f2<" in page
    assert f'/drafts/{draft.id}"' in analyst.get("/deployments").text
    assert analyst.get(f"/drafts/{draft.id}/files/{NAME}").data == BROKEN


def test_what_a_draft_lacks_is_marked_on_its_drawing(engine: Engine, login: Login) -> None:
    drawn = (PROCESSES / "first_steps.bpmn").read_bytes()
    broken = re.sub(rb'targetRef="\w+"', b'targetRef="nowhere"', drawn, count=1)
    draft = engine.save_bundle_draft({"first.bpmn": broken}, title="First", by="anna")
    wrong = {str(problem.element) for problem in draft.problems if problem.stops}

    page = login("analyst").get(f"/drafts/{draft.id}").text

    found = re.search(r'<script type="application/json" id="picture-1">(.*?)</script>', page, re.S)
    assert found is not None
    picture = json.loads(found[1])
    assert picture["xml"] == broken.decode()
    assert {place for place, marks in picture["marks"].items() if "wrong" in marks} >= wrong - {
        "first_steps"
    }


def test_a_draft_belongs_to_the_processes_and_is_told_in_one_breath(
    engine: Engine, login: Login
) -> None:
    # given
    made = engine.save_bundle_draft({NAME: BROKEN}, title="Autumn", by="analyst")
    # when
    page = login("analyst", language="zh").get(f"/drafts/{made.id}").text
    # then
    assert '<a href="/deployments" aria-current="page">' in page
    assert "。草稿绝不会被执行" in page


def test_a_draft_is_replaced_deployed_and_gone(engine: Engine, login: Login) -> None:
    admin = login("admin")
    draft = engine.save_bundle_draft({NAME: BROKEN}, title="Autumn", by="anna")
    assert 'action="/drafts/' + draft.id + '/deploy"' not in admin.get(f"/drafts/{draft.id}").text

    admin.post(f"/drafts/{draft.id}", sent(FILES, revision="1", title="Winter"))
    page = admin.get(f"/drafts/{draft.id}").text
    assert "revision 2" in page
    assert 'action="/drafts/' + draft.id + '/deploy"' in page

    answer = admin.post(f"/drafts/{draft.id}/deploy", {"activate": "1", "revision": "2"})
    assert answer.status_code == 303
    assert [one.active for one in engine.definitions()] == [True]
    assert engine.bundle_drafts() == []


def test_a_draft_that_somebody_else_saved_meanwhile_is_not_overwritten(
    engine: Engine, login: Login
) -> None:
    draft = engine.save_bundle_draft({NAME: BROKEN}, title="Autumn", by="anna")
    engine.replace_bundle_draft(draft.id, {NAME: DRAWN}, by="ben")

    answer = login("analyst").post(f"/drafts/{draft.id}", sent({NAME: BROKEN}, revision="1"))

    assert answer.status_code == 409
    assert engine.bundle_draft_files(draft.id) == {NAME: DRAWN}


def test_a_draft_is_discarded_by_who_may_check(engine: Engine, login: Login) -> None:
    draft = engine.save_bundle_draft({NAME: BROKEN}, title="Autumn", by="anna")

    assert login("operator").get(f"/drafts/{draft.id}").status_code == 403
    analyst = login("analyst")
    assert analyst.post(f"/drafts/{draft.id}/deploy", {}).status_code == 403
    answer = analyst.post(f"/drafts/{draft.id}/discard", {"revision": "1"})

    assert answer.status_code == 303
    assert engine.bundle_drafts() == []


def test_the_problems_of_a_check_are_told_in_the_language_of_the_reader(login: Login) -> None:
    analyst = login("analyst", language="zh")

    page = analyst.post("/deployments", sent({NAME: BROKEN}, act="check")).text

    assert "顺序流“f2”引用了“nowhere”（targetRef），但它不存在" in page
    assert "请更正引用，或画出它所指的元素" in page
    assert "which is not there" not in page
