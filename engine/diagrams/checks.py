"""The gate for one file: all checks in their order; none stops the others."""

from __future__ import annotations

from engine.diagrams.checks_activities import check_activities, check_incoming_data
from engine.diagrams.checks_collaboration import check_collaborations
from engine.diagrams.checks_compensation import check_compensation
from engine.diagrams.checks_data import check_data, check_interfaces, check_operations
from engine.diagrams.checks_events import check_events
from engine.diagrams.checks_flows import check_connections, check_flows
from engine.diagrams.checks_gateways import check_gateways
from engine.diagrams.checks_links import check_links
from engine.diagrams.checks_listeners import check_emptiness, check_listeners
from engine.diagrams.checks_schema import check_ids, check_references, check_schema
from engine.diagrams.checks_soundness import check_soundness
from engine.diagrams.checks_texts import check_texts
from engine.diagrams.checks_triggers import (
    check_caught,
    check_correlation,
    check_event_names,
    check_triggers,
)
from engine.diagrams.diagram import Diagram
from engine.diagrams.dialects import check_dialect
from engine.diagrams.report import Report
from engine.diagrams.rewrite_data import data_names
from engine.diagrams.support import check_decoration, check_support
from engine.languages import Languages

#: checks that need nothing but the file
CHECKS = (
    check_schema,
    check_ids,
    check_references,
    check_flows,
    check_gateways,
    check_connections,
    check_soundness,
    check_events,
    check_triggers,
    check_event_names,
    check_caught,
    check_correlation,
    check_links,
    check_listeners,
    check_emptiness,
    check_compensation,
    check_activities,
    check_incoming_data,
    check_data,
    check_operations,
    check_interfaces,
    check_collaborations,
    check_dialect,
    check_support,
    check_decoration,
)


def check(diagram: Diagram, report: Report, *, languages: Languages, default: str) -> None:
    """Run every check on one file."""
    for one in CHECKS:
        one(diagram, report)
    check_texts(diagram, report, languages.knowing(data_names(diagram.root)), default)
