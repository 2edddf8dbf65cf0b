"""All tables in one place: `tables_deployed`, `_cases`, `_search`, `_past`, `_archive`,
`_people`, `_nodes`.

Tenant leads every key, ids are UUIDv7 texts, moments are aware UTC. A change in any of them needs a
file in migrations/.
"""

from __future__ import annotations

from engine.store.shape import metadata
from engine.store.tables_archive import archive, archived
from engine.store.tables_cases import (
    candidate,
    gate,
    incident,
    instance,
    message,
    subscription,
    user_task,
    work,
)
from engine.store.tables_deployed import (
    bundle_draft,
    bundle_draft_file,
    data_store,
    decision,
    definition,
    deployment,
    deployment_file,
    file,
    meta,
    trigger,
)
from engine.store.tables_nodes import duty
from engine.store.tables_past import act, api_token, blob, history
from engine.store.tables_people import account, bucket, draft, web_session
from engine.store.tables_search import case_number

__all__ = [
    "account", "act", "api_token", "archive", "archived", "blob", "bucket", "bundle_draft",
    "bundle_draft_file", "candidate", "case_number", "data_store", "decision", "definition",
    "deployment", "deployment_file", "draft", "duty", "file", "gate", "history", "incident",
    "instance", "message", "meta", "metadata", "subscription", "trigger", "user_task",
    "web_session", "work",
]  # fmt: skip
