"""The values that travel between the layers: what a step asks for, and what the store hands out.

Nothing here has behaviour. All times are aware UTC, all ids are UUIDv7 texts unless said otherwise.
A *token* is the number of one activation inside one root instance (1, 2, 3 ... never used twice).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

#: what a variable may hold: JSON, Decimal, and FEEL's dates, times and durations
Value = Any
Variables = Mapping[str, Value]
#: metadata of a field that is kept, and left out of what callers are shown
INNER = MappingProxyType({"inner": True})


class InstanceState(StrEnum):
    """The states of a process instance; all but RUNNING are final."""

    RUNNING = "running"  # has work, a task, a timer, a wait or an incident
    COMPLETED = "completed"  # every token reached an end
    TERMINATED = "terminated"  # a terminate end event was reached at its top level
    FAILED = "failed"  # a BPMN error was thrown and nothing drawn caught it
    CANCELLED = "cancelled"  # ended from outside


class Severity(StrEnum):
    """How much a problem weighs; the first two stop a deployment."""

    ERROR = "error"  # breaks a rule of BPMN, DMN, FEEL or of the dialect
    UNSUPPORTED = "unsupported"  # correct, but this engine does not execute it
    WARNING = "warning"  # will run, but probably not as meant
    INFO = "info"  # good to know


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One objection of the deploy gate."""

    #: name of the file in the bundle
    file: str
    #: id of the element; None where the place has no id
    element: str | None
    #: line in the file, from 1; None if unknown
    line: int | None
    #: what is wrong, one sentence for a process analyst
    message: str
    #: what to do about it, one sentence; may be empty
    advice: str = ""
    #: weight
    severity: Severity = Severity.ERROR
    #: name of the rule, such as end-event-left; "" in what older versions stored
    rule: str = ""
    #: message and advice in further languages: (language, message, advice)
    translations: tuple[tuple[str, str, str], ...] = field(default=(), metadata=INNER)

    @property
    def stops(self) -> bool:
        """True if the problem stops the deployment."""
        return self.severity in (Severity.ERROR, Severity.UNSUPPORTED)

    def told(self, language: str) -> Problem:
        """Return the problem with its sentences in a language; as it is where it has none."""
        for code, message, advice in self.translations:
            if code == language:
                return replace(self, message=message, advice=advice)
        return self


# ------------------------------------------------------------------ commands to the kernel


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Begin a new root instance."""

    #: id of the new instance
    instance_id: str
    #: which definition
    definition_id: str
    #: initial variables, admitted by codec.admit
    variables: Variables
    #: the start event to begin at; None means the none start event
    element_id: str | None = None
    #: the customer's or caller's name for the case
    business_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """A user task was completed, or a handler returned."""

    token: int
    #: the form data or the handler's output
    result: Variables


@dataclass(frozen=True, slots=True, kw_only=True)
class Throw:
    """A handler raised a BPMN error."""

    token: int
    code: str
    message: str = ""
    variables: Variables = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire:
    """A timer is due."""

    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """A message or a signal has reached a waiting catch."""

    token: int
    name: str
    payload: Variables
    #: values of the correlation properties by name (plain BPMN correlation only)
    keys: Variables = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Go on after a piece of a long run was saved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Try again where an incident stopped a token; a failed work item is a row's matter."""

    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """End the whole instance from outside."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrate:
    """Go on in another version of the process."""

    #: the root, or an instance that it has called
    instance_id: str
    #: the version it goes to
    definition_id: str
    #: element or flow of the present version -> of the other one, where the ids differ
    mapping: Mapping[str, str] = field(default_factory=dict)


class Begin(NamedTuple):
    """Where a modification puts a token."""

    element_id: str
    #: behind the element, on its one way out; else at it
    after: bool = False
    #: the token whose sub-process it is, where several run; None: the only one, or a new one
    inside: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Modify:
    """Take tokens away and put others down, as a repair."""

    #: the root, or an instance that it has called
    instance_id: str
    #: tokens by number, or all at an element by its id
    cancel: tuple[int | str, ...] = ()
    begin: tuple[Begin, ...] = ()
    #: the case may end, if nothing of it is left
    ends: bool = False
    #: for the history
    why: str = ""


Command = Start | Complete | Throw | Fire | Deliver | Resume | Retry | Cancel | Migrate | Modify


# ------------------------------------------------------------------ effects of a step


class Event(NamedTuple):
    """One thing that happened; becomes one history row. `kind` is listed in docs/reference.md."""

    kind: str
    instance_id: str
    element_id: str | None = None
    token: int | None = None
    #: variable, message, signal, error code; for element.activated the flow it came by
    name: str | None = None
    #: new value of the variable, payload, message text
    value: Value = None


class NewWork(NamedTuple):
    """An outstanding obligation: call a handler, wait for a moment, go on."""

    #: service | timer | continue
    kind: str
    instance_id: str
    element_id: str
    #: 0 for continue
    token: int
    #: name of the handler; "" for timers
    topic: str
    #: not before; None means now
    due_at: datetime | None
    #: how often a failed attempt is repeated; None means what the handler says
    retries: int | None
    #: inputs of the handler by name, and its task headers
    inputs: Variables
    headers: Mapping[str, str]
    #: larger goes first
    priority: int = 0
    #: rows of one lane are done one after another, in the order of their creation; None: no order
    lane: str | None = None


class NewUserTask(NamedTuple):
    """A task for people."""

    instance_id: str
    #: the process it is drawn in: of the called instance, where it lies in one
    process_id: str
    element_id: str
    token: int
    name: str
    assignee: str | None
    candidate_groups: tuple[str, ...]
    candidate_users: tuple[str, ...]
    due_at: datetime | None
    follow_up_at: datetime | None
    #: 0..100, 50 is usual
    priority: int
    form_key: str | None


class NewSubscription(NamedTuple):
    """A catch that waits for a message or a signal."""

    #: message | signal
    kind: str
    instance_id: str
    element_id: str
    token: int
    name: str
    #: correlation key; None matches any key
    key: str | None


class Closed(NamedTuple):
    """A work item, user task or subscription that is over (done or cancelled) with its token."""

    #: work | task | subscription
    kind: str
    token: int
    #: completed | cancelled
    why: str


class ThrownMessage(NamedTuple):
    """A message for exactly one receiver, anywhere."""

    instance_id: str
    element_id: str
    token: int
    name: str
    key: str | None
    payload: Variables
    #: how long it is kept if nobody waits; None: the setting's default
    ttl_s: float | None = None


class ThrownSignal(NamedTuple):
    """A signal for all who wait, in other instances (its own instance has had it already)."""

    instance_id: str
    element_id: str
    token: int
    name: str
    payload: Variables


class NewIncident(NamedTuple):
    """A token cannot go on by itself."""

    instance_id: str
    element_id: str
    token: int
    #: fault (retryable at the element) | uncaught_error (final) | runaway (too long without a wait)
    kind: str
    message: str


class CalledInstance(NamedTuple):
    """A called process began inside the caller's snapshot."""

    instance_id: str
    parent_id: str
    #: token of the call activity
    parent_token: int
    definition_id: str


@dataclass(slots=True, kw_only=True)
class Step:
    """What one command led to. The runtime stores all of it in one transaction."""

    #: the new state; None when the instance has ended
    snapshot: bytes | None = None
    state: InstanceState = InstanceState.RUNNING
    events: list[Event] = field(default_factory=list)
    works: list[NewWork] = field(default_factory=list)
    user_tasks: list[NewUserTask] = field(default_factory=list)
    subscriptions: list[NewSubscription] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    messages: list[ThrownMessage] = field(default_factory=list)
    signals: list[ThrownSignal] = field(default_factory=list)
    incidents: list[NewIncident] = field(default_factory=list)
    #: tokens whose open incidents are over (retried with success, or cancelled)
    resolved: list[int] = field(default_factory=list)
    called: list[CalledInstance] = field(default_factory=list)
    #: data stores that were written: name -> value
    stores: dict[str, Value] = field(default_factory=dict)
    #: JSON of large values that the new state refers to and that were not stored before, by hash
    large: dict[str, str] = field(default_factory=dict)
    #: called instances that ended, with their final state
    returned: list[tuple[str, InstanceState]] = field(default_factory=list)


# ------------------------------------------------------------------ start triggers of a definition


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTrigger:
    """How instances of a definition begin without anybody calling `start`."""

    #: message | signal | timer | conditional
    kind: str
    element_id: str
    #: name of the message or signal; "" for the others
    name: str = ""
    #: first due moment of a timer, counted from activation
    due_at: datetime | None = None
    #: further firings after the first: None = for ever, 0 = none
    repeats: int | None = 0
    #: ISO 8601 duration between two firings of a cycle, or its cron
    interval: str = ""


# ---------------------------------------------------- stored values, as the verbs return them


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One version of one process."""

    id: str
    process_id: str
    version: int
    name: str
    deployment_id: str
    #: content hash of the bundle
    hash: str
    #: new instances use this version
    active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A set of files that was accepted."""

    id: str
    hash: str
    created_at: datetime
    created_by: str
    comment: str
    #: names of the files
    files: tuple[str, ...]
    definitions: tuple[Definition, ...]
    #: warnings and notes of the gate
    problems: tuple[Problem, ...] = ()
    #: False if an equal bundle was there already and nothing was stored
    created: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleDraft:
    """A set of files that is kept and shown, finished or not; nothing of it is executed."""

    id: str
    #: what its author calls it
    title: str
    #: grows by one with each replacement of the files
    revision: int
    created_at: datetime
    created_by: str
    saved_at: datetime
    saved_by: str
    #: names of the files
    files: tuple[str, ...] = ()
    #: what the gate says of it now; empty in lists
    problems: tuple[Problem, ...] = ()

    @property
    def deployable(self) -> bool:
        """True if no problem stops its deployment."""
        return not any(problem.stops for problem in self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A process instance, root or called."""

    id: str
    #: the instance whose snapshot and lock it shares; itself for a root
    root_id: str
    parent_id: str | None
    definition_id: str
    process_id: str
    version: int
    business_key: str | None
    state: InstanceState
    started_at: datetime
    ended_at: datetime | None
    #: counts its commits; the ETag
    revision: int
    #: False if a start with the same key had created it before
    created: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class UserTask:
    """A task for people, open or over."""

    id: str
    root_id: str
    instance_id: str
    process_id: str
    business_key: str | None
    element_id: str
    token: int
    name: str
    #: open | completed | cancelled
    state: str
    assignee: str | None
    candidate_groups: tuple[str, ...]
    candidate_users: tuple[str, ...]
    created_at: datetime
    due_at: datetime | None
    follow_up_at: datetime | None
    priority: int
    form_key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A claimed work item: what a worker needs to do it and to settle it."""

    id: str
    root_id: str
    instance_id: str
    element_id: str
    token: int
    #: service | timer | continue | deliver | start
    kind: str
    topic: str
    #: number of this attempt, from 1, counted at the claim
    attempt: int
    #: attempts allowed beyond the first; None: what the handler says
    retries: int | None
    #: the fencing token: settling needs the same number
    fence: int
    due_at: datetime
    #: stable over attempts: root instance / element / token
    key: str
    inputs: Variables
    headers: Mapping[str, str]
    #: the attempt before ended without a word (its process died), so this one runs alone
    lost: bool = False
    #: larger goes first
    priority: int = 0
    #: rows of one lane are done one after another
    lane: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that needs a person."""

    id: str
    root_id: str
    instance_id: str
    element_id: str
    token: int
    #: work | fault | uncaught_error | runaway
    kind: str
    message: str
    #: Python traceback of a handler; "" otherwise
    trace: str
    work_id: str | None
    created_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One event of an instance; `seq` has no gap within a root instance."""

    root_id: str
    seq: int
    at: datetime
    kind: str
    instance_id: str
    element_id: str | None
    token: int | None
    actor: str | None
    name: str | None
    value: Value
    #: True if the value was erased; the row stays so that the numbering has no gap
    erased: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """What became of a message."""

    #: delivered | started | buffered | duplicate
    outcome: str
    message_id: str
    instance_id: str | None
