"""The JSON API as one table: routing, checks of input and the OpenAPI document follow it."""

from __future__ import annotations

from engine.model import InstanceState
from web import acts
from web.route import MOST_ROWS, USUAL_ROWS, Field, Route

AFTER = Field(name="after", doc="Go on after this id: the `next` of the page before.")
LIMIT = Field(name="limit", kind="integer", doc="Rows of a page.", default=USUAL_ROWS,
              low=1, high=MOST_ROWS)  # fmt: skip
INSTANCE = Field(name="instance_id", doc="Only of this instance.")
PROCESS = Field(name="process_id", doc="Only of this process.")
VARIABLES = Field(name="variables", kind="object", doc="Variables by name.", default={})
PAYLOAD = Field(name="payload", kind="object", doc="Become variables at the catch.", default={})
WHY = Field(name="why", doc="The reason, kept in the record.", default="")
STATE = Field(name="state", doc="Only in this state.",
              choices=tuple(state.value for state in InstanceState))  # fmt: skip
TASK_STATE = Field(name="state", doc="Only in this state.", default="open",
                   choices=("open", "completed", "cancelled"))  # fmt: skip

ROUTES: tuple[Route, ...] = (
    Route(method="POST", path="/api/checks", name="check", right="check", act=acts.check,
          summary="List every problem of a bundle; nothing is stored.", answers="Check",
          upload=True),
    Route(method="POST", path="/api/deployments", name="deploy", right="deploy",
          act=acts.deploy, summary="Check a bundle and store it: all of it, or nothing.",
          answers="Deployment", upload=True, status=201,
          query=(Field(name="activate", kind="boolean", default=True,
                       doc="New instances use the new versions."),
                 Field(name="comment", default="", doc="What changed."))),
    Route(method="GET", path="/api/deployments/{deployment_id}", name="deployment",
          right="read_definitions", act=acts.deployment, summary="Show a deployment.",
          answers="Deployment"),
    Route(method="GET", path="/api/deployments/{deployment_id}/files/{name}", name="file",
          right="read_definitions", act=acts.file, answers="File",
          summary="Give a file back, byte for byte as it was uploaded."),
    Route(method="GET", path="/api/definitions", name="definitions", right="read_definitions",
          act=acts.definitions, summary="List all versions of all processes.",
          answers="Definition", listed=True),
    Route(method="POST", path="/api/definitions/{process_id}/activate", name="activate",
          right="activate", act=acts.activate, answers="Definition",
          summary="Let new instances use a version; also the way back to an older one.",
          body=(Field(name="version", kind="integer", required=True, doc="Which.", low=1), WHY)),
    Route(method="POST", path="/api/instances", name="start", right="start", act=acts.start,
          summary="Start an instance. With the header Idempotency-Key a repeated call starts "
                  "nothing and answers 200 with the instance of the first.",
          answers="Instance", idempotent=True, status=201, refusals=(409, 429),
          body=(Field(name="process_id", required=True, doc="Id of the process."), VARIABLES,
                Field(name="business_key", doc="The caller's own name for the case."),
                Field(name="version", kind="integer", low=1, doc="Default: the active one."))),
    Route(method="GET", path="/api/instances", name="instances", right="read_cases",
          act=acts.instances, summary="List cases, newest first.",
          answers="Instance", listed=True,
          query=(STATE, PROCESS, Field(name="business_key", doc="Only of this name."),
                 AFTER, LIMIT)),
    Route(method="GET", path="/api/instances/{instance_id}", name="instance",
          right="read_cases", act=acts.instance, answers="Instance",
          summary="Show an instance; the ETag is its revision."),
    Route(method="GET", path="/api/instances/{instance_id}/history", name="history",
          right="read_cases", act=acts.history, answers="HistoryRow", listed=True,
          summary="List what happened, event by event, in the order of `seq`.",
          query=(Field(name="after", kind="integer", default=0, doc="Go on after this `seq`.",
                       low=0), LIMIT)),
    Route(method="GET", path="/api/instances/{instance_id}/variables", name="variables",
          right="read_cases", act=acts.variables, summary="Show the variables of an instance.",
          answers="Variables"),
    Route(method="POST", path="/api/instances/{instance_id}/cancel", name="cancel",
          right="cancel", act=acts.cancel, summary="End an instance now.", answers="Instance",
          body=(WHY,), refusals=(409,)),
    Route(method="GET", path="/api/tasks", name="tasks", right="read_tasks", act=acts.tasks,
          summary="List the tasks of people, oldest first.", answers="UserTask", listed=True,
          query=(Field(name="user", doc="Only what this user has claimed or may claim."),
                 Field(name="group", many=True, doc="Only of these candidate groups."),
                 PROCESS, INSTANCE, TASK_STATE, AFTER, LIMIT)),
    Route(method="GET", path="/api/tasks/{task_id}", name="task", right="read_tasks",
          act=acts.task, summary="Show a task.", answers="UserTask"),
    Route(method="POST", path="/api/tasks/{task_id}/claim", name="claim", right="work_on_tasks",
          act=acts.claim, summary="Take a task.", answers="UserTask", refusals=(409,)),
    Route(method="POST", path="/api/tasks/{task_id}/unclaim", name="unclaim",
          right="work_on_tasks", act=acts.unclaim, summary="Give a task back to its group.",
          answers="UserTask", refusals=(409,)),
    Route(method="POST", path="/api/tasks/{task_id}/complete", name="complete",
          right="work_on_tasks", act=acts.complete, answers="Instance", refusals=(409,),
          summary="Complete a task with the data of its form.", body=(VARIABLES,)),
    Route(method="POST", path="/api/messages", name="correlate", right="correlate",
          act=acts.correlate, answers="Correlation",
          summary="Send a message to the one case that waits for it, now or later.",
          body=(Field(name="name", required=True, doc="Name of the message."),
                Field(name="key", doc="The correlation key: which case is meant."), PAYLOAD,
                Field(name="message_id", doc="A second message with this id is dropped."),
                Field(name="ttl_s", kind="number", low=0,
                      doc="Seconds it is kept while nobody waits for it."))),
    Route(method="POST", path="/api/signals", name="signal", right="signal", act=acts.signal,
          summary="Send a signal to every catch that waits for it now.", answers="Receivers",
          body=(Field(name="name", required=True, doc="Name of the signal."), PAYLOAD)),
    Route(method="GET", path="/api/incidents", name="incidents", right="read_cases",
          act=acts.incidents, summary="List what needs a person.", answers="Incident",
          listed=True,
          query=(Field(name="open", kind="boolean", default=True, doc="false: the resolved."),
                 INSTANCE, AFTER, LIMIT)),
    Route(method="POST", path="/api/incidents/{incident_id}/retry", name="retry",
          right="retry", act=acts.retry, summary="Try again where an incident stopped a case.",
          answers="Incident", refusals=(409,)),
)  # fmt: skip
