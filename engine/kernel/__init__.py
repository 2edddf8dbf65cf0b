"""The token: SpiffWorkflow, hardened. `step` runs a command, `parse` builds a definition.

Pure: no database, no clock, no network. See docs/architecture.md for the way of a token.
"""

from __future__ import annotations

from engine.kernel.correlation import correlation_key
from engine.kernel.definition import Definition, Element
from engine.kernel.element_parsers import ParseFault
from engine.kernel.large import Fetch
from engine.kernel.migration import Migration
from engine.kernel.objections import Objections
from engine.kernel.parser import parse
from engine.kernel.snapshot import FORMAT, REFERENCES_FROM
from engine.kernel.step import plan_migration, step
from engine.kernel.timers import parse_cycle, parse_duration, parse_moment
from engine.kernel.tokens import Limits, World
from engine.kernel.triggers import next_due
from engine.kernel.variables import active_in, large_in, listeners_of, variables_of, visible_to

__all__ = [
    "FORMAT",
    "Definition",
    "Element",
    "Fetch",
    "Limits",
    "Migration",
    "Objections",
    "ParseFault",
    "REFERENCES_FROM",
    "World",
    "active_in",
    "correlation_key",
    "large_in",
    "listeners_of",
    "next_due",
    "parse",
    "parse_cycle",
    "parse_duration",
    "parse_moment",
    "plan_migration",
    "step",
    "variables_of",
    "visible_to",
]
