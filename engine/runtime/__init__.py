"""The engine as its callers see it: one method per verb, one transaction each.

Composed of one file per noun; `base` holds the one `transaction()`, `steps` the way from a command
to rows, `delivery` what goes from case to case.
"""

from __future__ import annotations

from engine.runtime.bundle_drafts import BundleDrafts
from engine.runtime.cases import Cases
from engine.runtime.data_stores import DataStores
from engine.runtime.decisions import Decisions
from engine.runtime.deployments import Deployments
from engine.runtime.escalations import Escalations
from engine.runtime.gauges import Gauges
from engine.runtime.incidents import Incidents
from engine.runtime.links import LinkEnds
from engine.runtime.messages import Messages
from engine.runtime.migration import Migrations
from engine.runtime.modification import Modifications
from engine.runtime.months import Months
from engine.runtime.nodes import Nodes
from engine.runtime.releases import Releases
from engine.runtime.tasks import Tasks
from engine.runtime.tokens import ApiToken, Tokens
from engine.runtime.users import User, Users
from engine.runtime.views import Views
from engine.runtime.work import Ledger
from engine.runtime.worklist import WorkList

__all__ = ["ApiToken", "Engine", "User"]


class Engine(
    BundleDrafts, Deployments, Decisions, Cases, Tasks, Messages, Ledger, Incidents,
    Migrations, Modifications, Tokens, Users, LinkEnds, Escalations, Releases, Views, WorkList,
    DataStores, Nodes, Gauges, Months,
):  # fmt: skip
    """Runs cases on one database. Safe to share by threads; made anew after a fork.

    `announce` is told after a commit that there is work: when it is due, or None for now.
    """
