"""What each route of the API does: from a checked call to one verb of the engine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from engine.errors import NotFound
from engine.model import InstanceState
from web import places
from web.render import cursor
from web.route import Answer, Call


def page(call: Call, rows: Sequence[Any]) -> Answer:
    """Return one page of a list, and from where the next one goes on; null after the last."""
    more = bool(rows) and len(rows) == call.query["limit"]
    return Answer(body={"items": rows, "next": cursor(rows[-1]) if more else None})


def deploy(call: Call) -> Answer:
    """Store a bundle."""
    deployment = call.engine.deploy(
        call.bundle,
        by=call.caller.name,
        activate=call.query["activate"],
        comment=call.query["comment"],
    )
    return Answer(body=deployment, status=201 if deployment.created else 200)


def check(call: Call) -> Answer:
    """List the problems of a bundle."""
    problems = call.engine.check(call.bundle)
    return Answer(body={"deployable": not any(p.stops for p in problems), "problems": problems})


def deployment(call: Call) -> Answer:
    """Show a deployment."""
    return Answer(body=call.engine.deployment(call.path["deployment_id"]))


def file(call: Call) -> Answer:
    """Give a file back, byte for byte as it was uploaded."""
    data = call.engine.file(call.path["deployment_id"], call.path["name"])
    digest = hashlib.sha256(data).hexdigest()
    return Answer(body=data, headers={"ETag": f'"{digest}"', "Content-Disposition": "attachment"})


def drafts(call: Call) -> Answer:
    """List the drafts of bundles."""
    return Answer(body={"items": call.engine.bundle_drafts(), "next": None})


def save_draft(call: Call) -> Answer:
    """Keep a draft."""
    made = call.engine.save_bundle_draft(
        call.bundle, title=call.query["title"], by=call.caller.name
    )
    return Answer(body=made, status=201, headers={"Location": f"/api/drafts/{made.id}"})


def draft(call: Call) -> Answer:
    """Show a draft."""
    return Answer(body=call.engine.bundle_draft(call.path["draft_id"]))


def replace_draft(call: Call) -> Answer:
    """Replace the files of a draft."""
    return Answer(
        body=call.engine.replace_bundle_draft(
            call.path["draft_id"],
            call.bundle,
            by=call.caller.name,
            title=call.query["title"],
            revision=call.query["revision"],
        )
    )


def draft_file(call: Call) -> Answer:
    """Give a file of a draft back."""
    files = call.engine.bundle_draft_files(call.path["draft_id"])
    if call.path["name"] not in files:
        raise NotFound(f"the draft has no file {call.path['name']!r}")
    return Answer(body=files[call.path["name"]], headers={"Content-Disposition": "attachment"})


def discard_draft(call: Call) -> Answer:
    """Forget a draft."""
    gone = call.engine.discard_bundle_draft(
        call.path["draft_id"], by=call.caller.name, revision=call.body["revision"]
    )
    return Answer(body=gone)


def deploy_draft(call: Call) -> Answer:
    """Deploy a draft."""
    deployment = call.engine.deploy_bundle_draft(
        call.path["draft_id"],
        by=call.caller.name,
        activate=call.body["activate"],
        comment=call.body["comment"],
        revision=call.body["revision"],
    )
    return Answer(body=deployment, status=201 if deployment.created else 200)


def definitions(call: Call) -> Answer:
    """List all versions."""
    return Answer(body={"items": call.engine.definitions(), "next": None})


def activate(call: Call) -> Answer:
    """Choose the version for new instances."""
    return Answer(
        body=call.engine.activate(
            call.path["process_id"],
            call.body["version"],
            by=call.caller.name,
            why=call.body["why"],
        )
    )


def start(call: Call) -> Answer:
    """Start an instance."""
    instance = call.engine.start(
        call.body["process_id"],
        call.body["variables"],
        business_key=call.body["business_key"],
        start_key=call.idempotency_key,
        version=call.body["version"],
        start_event=call.body["start_event"],
        by=call.caller.name,
    )
    return Answer(
        body=instance,
        status=201 if instance.created else 200,
        headers={"Location": f"/api/instances/{instance.id}"},
    )


def instances(call: Call) -> Answer:
    """List instances."""
    state = call.query["state"]
    rows = call.engine.cases(
        state=InstanceState(state) if state else None,
        process_id=call.query["process_id"],
        business_key=call.query["business_key"],
        after=call.query["after"],
        limit=call.query["limit"],
    )
    return page(call, rows)


def instance(call: Call) -> Answer:
    """Show an instance; its revision is the ETag."""
    found = call.engine.case(call.path["instance_id"])
    return Answer(body=found, headers={"ETag": f'"{found.revision}"'})


def history(call: Call) -> Answer:
    """List what happened in an instance."""
    rows = call.engine.history(
        call.path["instance_id"], after=call.query["after"], limit=call.query["limit"]
    )
    return page(call, rows)


def variables(call: Call) -> Answer:
    """Show the variables of an instance."""
    return Answer(body=call.engine.variables(call.path["instance_id"]))


def cancel(call: Call) -> Answer:
    """End an instance."""
    return Answer(
        body=call.engine.cancel(call.path["instance_id"], by=call.caller.name, why=call.body["why"])
    )


def erase(call: Call) -> Answer:
    """Remove values from a history."""
    case = call.path["instance_id"]
    rows = call.engine.erase(case, call.body["names"], by=call.caller.name, why=call.body["why"])
    return Answer(body={"instance": case, "rows": rows})


def tasks(call: Call) -> Answer:
    """List tasks of people."""
    query = call.query
    rows = call.engine.tasks(
        user=query["user"],
        groups=query["group"],
        instance_id=query["instance_id"],
        process_id=query["process_id"],
        state=query["state"],
        after=query["after"],
        limit=query["limit"],
    )
    return page(call, rows)


def task(call: Call) -> Answer:
    """Show a task."""
    return Answer(body=call.engine.task(call.path["task_id"]))


def claim(call: Call) -> Answer:
    """Take a task."""
    return Answer(body=call.engine.claim(call.path["task_id"], by=call.caller.name))


def unclaim(call: Call) -> Answer:
    """Give a task back."""
    return Answer(body=call.engine.unclaim(call.path["task_id"], by=call.caller.name))


def complete(call: Call) -> Answer:
    """Complete a task."""
    return Answer(
        body=call.engine.complete(call.path["task_id"], call.body["variables"], by=call.caller.name)
    )


def correlate(call: Call) -> Answer:
    """Send a message."""
    body = call.body
    ttl_s = body["ttl_s"]
    return Answer(
        body=call.engine.correlate(
            body["name"],
            key=body["key"],
            payload=body["payload"],
            message_id=body["message_id"],
            ttl_s=None if ttl_s is None else float(ttl_s),
            by=call.caller.name,
        )
    )


def signal(call: Call) -> Answer:
    """Send a signal."""
    name = call.body["name"]
    reached = call.engine.signal(name, payload=call.body["payload"], by=call.caller.name)
    return Answer(body={"name": name, "receivers": reached})


def evaluate_conditions(call: Call) -> Answer:
    """Start instances at conditional start events."""
    begun = call.engine.evaluate_conditions(
        call.body["variables"],
        process_id=call.body["process_id"],
        business_key=call.body["business_key"],
        by=call.caller.name,
    )
    return Answer(body={"instances": begun})


def migrate_case(call: Call) -> Answer:
    """Move an instance to another version."""
    body = call.body
    return Answer(
        body=call.engine.migrate_case(
            call.path["instance_id"], body["version"], body["mapping"], by=call.caller.name,
            why=body["why"],
        )
    )  # fmt: skip


def plan_migration(call: Call) -> Answer:
    """Say what a move would do."""
    body = call.body
    return Answer(
        body=call.engine.plan_migration(
            call.path["instance_id"], body["version"], body["mapping"]
        )
    )  # fmt: skip


def migrate_cases(call: Call) -> Answer:
    """Move many cases."""
    body = call.body
    return Answer(
        body=call.engine.migrate_cases(
            call.path["process_id"], body["from_version"], body["to_version"], body["mapping"],
            by=call.caller.name, why=body["why"], after=body["after"], limit=body["limit"],
        )
    )  # fmt: skip


def plan_migrations(call: Call) -> Answer:
    """Say what a move of many cases would do."""
    body = call.body
    return Answer(
        body=call.engine.plan_migrations(
            call.path["process_id"], body["from_version"], body["to_version"], body["mapping"],
            after=body["after"], limit=body["limit"],
        )
    )  # fmt: skip


def modify(call: Call) -> Answer:
    """Repair where an instance stands."""
    body = call.body
    return Answer(
        body=call.engine.modify(
            call.path["instance_id"], cancel=places.tokens_and_ids(body["cancel"]),
            start_before=places.beginnings(body["start_before"]),
            start_after=places.beginnings(body["start_after"]), ends=body["ends"],
            by=call.caller.name, why=body["why"],
        )
    )  # fmt: skip


def incidents(call: Call) -> Answer:
    """List incidents."""
    rows = call.engine.incidents(
        open=call.query["open"],
        instance_id=call.query["instance_id"],
        after=call.query["after"],
        limit=call.query["limit"],
    )
    return page(call, rows)


def retry(call: Call) -> Answer:
    """Try again where an incident stopped a case."""
    return Answer(body=call.engine.retry(call.path["incident_id"], by=call.caller.name))
