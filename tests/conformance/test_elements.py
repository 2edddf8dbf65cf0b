"""docs/elements.md says what is so: each element that runs has a test that executes it."""

from __future__ import annotations

import os

import pytest

from engine.diagrams.support import SUPPORTED, YES
from tests.conformance import elements
from tests.conformance.corpora import CORPORA, Case
from tests.conformance.page import Result
from tests.conformance.proofs import of_kit
from tests.conformance.run import KIT, ROOT, _lost_proofs
from tests.conformance.symbols import file_name, symbol

ANEW = "is out of date: `make elements`"


def test_every_entry_of_the_gate_is_told_once() -> None:
    told = [feature for entries in elements.TOLD.values() for feature in entries]

    assert sorted(told) == sorted(SUPPORTED)


def test_every_element_that_runs_has_a_proof() -> None:
    assert elements.unproved(elements.stored()) == []


def test_the_page_and_its_pictures_are_up_to_date() -> None:
    assert elements.PAGE.read_text(encoding="utf-8") == elements.page(elements.stored()), ANEW
    drawn = {path.name: path.read_text(encoding="utf-8") for path in elements.PICTURES.iterdir()}
    assert drawn == {file_name(feature): symbol(feature) for feature in SUPPORTED}, ANEW


@pytest.mark.slow
def test_every_test_that_is_named_still_executes_its_element() -> None:
    # given
    named = elements.stored()["tests"]
    tests = sorted({test for tests in named.values() for test in tests})
    # when
    there = [test for test in tests if elements.exists(test)]
    found = elements.collect(there, named=len(tests))["tests"]
    # then
    lost = {f: [t for t in named[f] if t not in found.get(f, ())] for f in named}
    assert {feature: tests for feature, tests in lost.items() if tests} == {}, ANEW


@pytest.mark.parametrize("corpus", [elements.PROBES, elements.PROCESS_TESTS])
def test_every_test_of_the_corpora_that_is_named_contains_its_element(corpus: str) -> None:
    # given
    if not KIT.is_dir():
        assert os.environ.get("CI") != "true", "CI leaves nothing out"
        pytest.skip(f"there is no {os.path.relpath(KIT, ROOT)}")
    named = elements.stored()[corpus]
    # when
    found = of_kit(elements.records_of(corpus))
    # then
    assert [f for f in named if not set(named[f]) <= set(found.get(f, ()))] == []


def test_what_does_not_run_says_what_to_do_instead() -> None:
    refused = [feature for feature, advice in SUPPORTED.items() if advice != YES]
    written = elements.PAGE.read_text(encoding="utf-8")

    assert refused
    for feature in refused:
        assert f"`{feature}` | **Does not run**; instead: {SUPPORTED[feature]}." in written


def test_a_corpus_that_fails_where_the_page_names_it_is_noticed() -> None:
    # given
    corpus = next(c for c in CORPORA if c.key == elements.PROBES)
    named = next(iter(elements.stored()[elements.PROBES].values()))[0]
    # when
    passed = Result(corpus, [Case("g", named, True)], 0)
    failed = Result(corpus, [Case("g", named, False, "why")], 0)
    # then
    assert _lost_proofs([passed]) == []
    assert _lost_proofs([failed]) == [named]
