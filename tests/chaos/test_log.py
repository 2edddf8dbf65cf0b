"""docs/reliability.md shows the sums of the runs that were noted; none of them broke anything."""

from __future__ import annotations

from tests.chaos.log import PAGE, filled, killed, parts, read


def test_the_page_says_what_the_log_says() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page == filled(page, parts()), "python -m tests.chaos.log writes it anew"


def test_no_run_that_is_counted_broke_an_invariant() -> None:
    assert [run for run in read() if run.violations] == []


def test_a_crash_of_the_database_is_a_kill_and_a_freeze_is_none() -> None:
    assert killed({"kill web": 3, "crash database": 2, "freeze worker": 9, "end extra": 1}) == 5
