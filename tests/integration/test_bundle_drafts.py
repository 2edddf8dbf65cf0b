"""Drafts of bundles: kept byte for byte with all that is missing, and never executed."""

from __future__ import annotations

import pytest

from engine.errors import BadInput, Conflict, DeploymentRefused, NotFound
from engine.runtime import Engine
from tests.drawing import diagram, end, node, path, process, start, user

WHOLE = diagram(process("p", start("s"), user("u"), end("e"), path("s", "u", "e")))
#: no way to the end, a service task without a handler, a gateway that cannot tell
UNFINISHED = diagram(
    process(
        "p",
        start("s"),
        node("serviceTask", "work"),
        node("exclusiveGateway", "which"),
        user("a"),
        user("b"),
        end("e"),
        path("s", "work", "which", "a", "e"),
        path("which", "b"),
    )
)


def test_an_unfinished_drawing_is_kept_with_all_that_is_missing(engine: Engine) -> None:
    # when
    kept = engine.save_bundle_draft({"p.bpmn": UNFINISHED}, title="New offers", by="anna")
    # then
    assert (kept.title, kept.revision, kept.created_by) == ("New offers", 1, "anna")
    missing = {(problem.element, problem.rule) for problem in kept.problems if problem.stops}
    assert missing >= {
        ("work", "service-task-without-handler"),
        ("which-a", "flow-without-condition"),
        ("which-b", "flow-without-condition"),
        ("b", "node-never-left"),
    }
    assert not kept.deployable
    assert engine.bundle_draft(kept.id) == kept


def test_a_draft_is_never_executed_and_nothing_is_added_to_it(engine: Engine) -> None:
    kept = engine.save_bundle_draft({"p.bpmn": WHOLE}, title="", by="anna")

    assert engine.bundle_draft_files(kept.id) == {"p.bpmn": WHOLE}
    assert kept.title == "p.bpmn"
    assert engine.definitions() == []
    with pytest.raises(NotFound):
        engine.start("p", by="anna")


@pytest.mark.parametrize("data", [b"", b"<definitions", b"\x00\xff", b"{}"])
def test_even_what_cannot_be_read_is_kept_and_says_so(engine: Engine, data: bytes) -> None:
    kept = engine.save_bundle_draft({"p.bpmn": data}, title="x", by="anna")

    assert not kept.deployable
    assert engine.bundle_draft_files(kept.id) == {"p.bpmn": data}


def test_a_list_names_who_saved_each_draft_last(engine: Engine) -> None:
    one = engine.save_bundle_draft({"a.bpmn": UNFINISHED}, title="one", by="anna")
    two = engine.save_bundle_draft({"b.bpmn": UNFINISHED}, title="two", by="ben")
    engine.replace_bundle_draft(one.id, {"a.bpmn": WHOLE}, by="ben")

    listed = {draft.id: draft for draft in engine.bundle_drafts()}
    assert set(listed) == {one.id, two.id}
    assert (listed[one.id].title, listed[one.id].saved_by) == ("one", "ben")


def test_replacing_takes_all_files_and_counts(engine: Engine) -> None:
    first = engine.save_bundle_draft({"a.bpmn": UNFINISHED, "b.bpmn": WHOLE}, title="x", by="anna")

    second = engine.replace_bundle_draft(first.id, {"c.bpmn": WHOLE}, by="anna", revision=1)

    assert (second.files, second.revision, second.title) == (("c.bpmn",), 2, "x")
    assert second.deployable


def test_who_was_slower_does_not_overwrite(engine: Engine) -> None:
    draft = engine.save_bundle_draft({"a.bpmn": UNFINISHED}, title="x", by="anna")
    engine.replace_bundle_draft(draft.id, {"a.bpmn": WHOLE}, by="ben", revision=1)

    with pytest.raises(Conflict, match="ben has saved"):
        engine.replace_bundle_draft(draft.id, {"a.bpmn": UNFINISHED}, by="anna", revision=1)
    with pytest.raises(Conflict):
        engine.discard_bundle_draft(draft.id, by="anna", revision=1)
    with pytest.raises(Conflict):
        engine.deploy_bundle_draft(draft.id, by="anna", revision=1)
    assert engine.bundle_draft_files(draft.id) == {"a.bpmn": WHOLE}


def test_a_discarded_draft_is_gone_and_that_is_recorded(engine: Engine) -> None:
    draft = engine.save_bundle_draft({"a.bpmn": UNFINISHED}, title="x", by="anna")

    engine.discard_bundle_draft(draft.id, by="ben")

    assert engine.bundle_drafts() == []
    with pytest.raises(NotFound):
        engine.bundle_draft(draft.id)
    with pytest.raises(NotFound):
        engine.bundle_draft_files(draft.id)
    (act,) = engine.acts_on(["x"])
    assert (act.verb, act.by) == ("discard draft", "ben")


def test_a_whole_draft_is_deployed_and_gone(engine: Engine) -> None:
    draft = engine.save_bundle_draft({"a.bpmn": WHOLE}, title="Offers", by="anna")

    made = engine.deploy_bundle_draft(draft.id, by="root")

    assert (made.comment, made.created_by) == ("Offers", "root")
    assert engine.file(made.id, "a.bpmn") == WHOLE
    assert [one.active for one in engine.definitions()] == [True]
    assert engine.bundle_drafts() == []


def test_an_unfinished_draft_is_refused_and_stays(engine: Engine) -> None:
    draft = engine.save_bundle_draft({"a.bpmn": UNFINISHED}, title="x", by="anna")

    with pytest.raises(DeploymentRefused) as refused:
        engine.deploy_bundle_draft(draft.id, by="root")

    assert set(refused.value.problems) == set(draft.problems)
    assert engine.bundle_draft(draft.id) == draft
    assert engine.definitions() == []


def test_what_a_draft_lacks_is_asked_anew(engine: Engine) -> None:
    calling = diagram(
        process("q", start("s"), node("callActivity", "c", calledElement="p"), end("e"),
                path("s", "c", "e"))
    )  # fmt: skip
    draft = engine.save_bundle_draft({"q.bpmn": calling}, title="x", by="anna")
    assert {problem.rule for problem in draft.problems} == {"called-process-missing"}

    engine.deploy({"p.bpmn": WHOLE}, by="root")

    assert engine.bundle_draft(draft.id).deployable


def test_what_is_no_set_of_files_is_refused(engine: Engine) -> None:
    with pytest.raises(BadInput, match="at least one file"):
        engine.save_bundle_draft({}, title="x", by="anna")
    too_much = b" " * (engine.settings.upload_limit + 1)
    with pytest.raises(BadInput, match="at most"):
        engine.save_bundle_draft({"a.bpmn": too_much}, title="x", by="anna")
    for unknown in ("", "nothing"):
        with pytest.raises(NotFound):
            engine.replace_bundle_draft(unknown, {"a.bpmn": WHOLE}, by="anna")


def test_a_draft_that_is_not_there_is_refused_with_where_to_look(engine: Engine) -> None:
    with pytest.raises(NotFound, match="no draft 'gone'; `drafts list` names those that are"):
        engine.bundle_draft("gone")
