"""The desk of deployments: uploads, problems with their elements, changes, going back."""

from __future__ import annotations

import io
import json
import re
import zipfile

from engine.registry import Registry
from engine.runtime import Engine
from tests.unit.web.conftest import Login
from tests.unit.web.sample import FILES, VARIABLES

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
