"""Advisory locks of PostgreSQL have one space of numbers for all of a database."""

from __future__ import annotations

from engine.store import migrate, partitions
from handlers import records


def test_what_is_locked_for_minutes_is_not_what_numbers_cases() -> None:
    """A division reads the whole history under its lock; cases are numbered meanwhile."""
    # records: the number of cases and its tables, and beside it the hours of the staff
    numbers = [migrate._LOCK, partitions._LOCK, records._LOCK, records._LOCK + 1]
    assert len(set(numbers)) == len(numbers)
