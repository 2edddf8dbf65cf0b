"""What people see of their work: the list, a task with all it needs, drafts of its form."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine import kernel
from engine.diagrams import words
from engine.diagrams.imports import EMBEDDED, forms_inside
from engine.diagrams.words import Words
from engine.model import Instance, UserTask
from engine.runtime.base import Base, found_task, page_size, plain_text, verb
from engine.store import definitions, instances, search, tasks, worklist
from engine.store.tasks import Ended
from engine.store.worklist import Draft, Listed

if TYPE_CHECKING:
    from engine.store.connect import Connection

#: name -> language -> text
Labels = Mapping[str, Mapping[str, str]]

__all__ = ["Counts", "Draft", "Listed", "TaskView", "Wanted", "WorkList"]

#: fields of a draft, and bytes of it as JSON
_MOST_FIELDS = 2000
#: definitions whose words are kept in memory
_KEPT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many open tasks; 1000 means that many or more."""

    mine: int
    #: that the person or one of the groups may claim
    groups: int
    all: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A user task with what its page shows."""

    task: UserTask
    #: the instance it belongs to, and the case
    instance: Instance
    root: Instance
    #: what the token sees; nothing for a task that is over
    variables: Mapping[str, Any]
    #: the file of its form; None if it has none or the deployment lacks it
    form: bytes | None
    #: names and texts of the elements of its process
    words: Mapping[str, Words]
    #: who has it since when, or who ended it
    fate: Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which open tasks a list shows."""

    #: mine | groups (what the person or the groups may claim) | all
    view: str = "mine"
    process_id: str | None = None
    #: candidate group
    group: str | None = None
    #: due earlier than this
    before: datetime | None = None
    #: in the name or the business key
    text: str | None = None


class WorkList(Base):
    """Reads for the operator's desk, and drafts."""

    def work_list(
        self,
        wanted: Wanted,
        *,
        user: str,
        groups: Iterable[str] = (),
        after: tuple[datetime | None, str] | None = None,
        limit: int = 50,
    ) -> list[Listed]:
        """Return open tasks, the most pressing first.

        `after` is the due time and id of the last one seen.
        """
        conditions = _conditions(wanted)
        with self.reading() as connection:
            if wanted.view == "mine":
                conditions["assignee"] = user
            elif wanted.view == "groups":
                conditions |= _claimable(connection, _candidates(user, groups))
            start = after or (worklist.FIRST, "")
            return worklist.page(connection, conditions, start, page_size(limit))

    def work_counts(self, *, user: str, groups: Iterable[str] = ()) -> Counts:
        """Return how much there is to do, for the tabs of the list."""
        with self.reading() as connection:
            return Counts(
                mine=worklist.count(connection, user),
                groups=len(worklist.claimable(connection, _candidates(user, groups))),
                all=worklist.count(connection),
            )

    def task_view(self, task_id: str) -> TaskView:
        """Return a task with everything its page shows. Raises NotFound."""
        with self.reading(one_moment=True) as connection:
            task = found_task(connection, task_id)
            instance = instances.get(connection, task.instance_id)
            root = instances.get(connection, task.root_id)
            fate = tasks.ended(connection, task_id)
            assert instance is not None
            assert root is not None
            assert fate is not None
            stored = instances.snapshot_of(connection, task.instance_id)
            snapshot = None if stored is None else stored[1]
            seen = {}
            if snapshot is not None:
                seen = kernel.visible_to(snapshot, task.token, self.fetch(connection))
            form = _form(connection, self, instance.definition_id, task.form_key)
        return TaskView(
            task=task, instance=instance, root=root, fate=fate, form=form,
            variables=seen, words=self.words(instance.definition_id),
        )  # fmt: skip

    def words(self, definition_id: str) -> Mapping[str, Words]:
        """Return names, texts and properties of a definition's elements. Raises NotFound."""
        found = _WORDS.get(definition_id)
        if found is None:
            with self.reading() as connection:
                deployment = self.library.known(connection, definition_id).deployment_id
                parsed = self.library.parsed(connection, definition_id)
                content = definitions.file_of(connection, deployment, parsed.file)
            found = words.words(content or b"")
            _keep(_WORDS, definition_id, found)
        return found

    def labels(self, definition_id: str) -> Mapping[str, Mapping[str, str]]:
        """Return what the forms beside a definition call its variables: name -> language -> text.

        "" is the language the form was drawn in. Raises NotFound.
        """
        return self._form_words(definition_id)[0]

    def choices(self, definition_id: str) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
        """Return what the forms call the values that may be chosen: name -> value -> language."""
        return self._form_words(definition_id)[1]

    def _form_words(self, definition_id: str) -> tuple[Labels, Mapping[str, Labels]]:
        found = _FORM_WORDS.get(definition_id)
        if found is None:
            with self.reading() as connection:
                deployment = self.library.known(connection, definition_id).deployment_id
                names = [n for n in definitions.file_names(connection, deployment) if _is_form(n)]
                files = [definitions.file_of(connection, deployment, name) for name in names]
                files += _forms_of(connection, self, definition_id).values()
            labels: dict[str, Mapping[str, str]] = {}
            choices: dict[str, dict[str, Mapping[str, str]]] = {}
            for component in (one for content in files for one in _components(content or b"")):
                name, properties = str(component["key"]), component.get("properties")
                texts = properties if isinstance(properties, dict) else {}
                labels.setdefault(name, _worded(component["label"], "label.", texts))
                for value in _values(component):
                    said = _worded(value.get("label"), f"value.{value.get('value')}.", texts)
                    choices.setdefault(name, {}).setdefault(str(value.get("value")), said)
            found = (labels, choices)
            _keep(_FORM_WORDS, definition_id, found)
        return found

    # -------------------------------------------------------------- drafts

    def draft(self, task_id: str, *, by: str) -> Draft | None:
        """Return what a person has typed into the form of a task and not sent."""
        with self.reading() as connection:
            return worklist.get_draft(connection, task_id, by)

    @verb
    def save_draft(self, task_id: str, fields: Mapping[str, list[str]], *, by: str) -> datetime:
        """Keep what a person has typed; return when. Raises NotFound, BadInput."""
        checked = {
            plain_text(name, "the name of a field", longest=500): [
                plain_text(text, name, longest=self.settings.input_limit) for text in texts
            ]
            for name, texts in list(fields.items())[:_MOST_FIELDS]
        }
        with self.transaction() as tx:
            found_task(tx.connection, task_id)
            worklist.keep_draft(tx.connection, task_id, by, checked, tx.now)
            return tx.now

    @verb
    def drop_drafts(self, task_id: str, *, by: str | None = None) -> None:
        """Forget a person's draft, or all drafts of a task that is over."""
        with self.transaction() as tx:
            worklist.drop_drafts(tx.connection, task_id, by)


#: definitions never change, so what was read stays right; shared by all engines of the process
_WORDS: dict[str, Mapping[str, Words]] = {}
_INSIDE: dict[str, Mapping[str, bytes]] = {}
_FORM_WORDS: dict[str, tuple[Labels, Mapping[str, Labels]]] = {}
_FILLING = threading.Lock()
#: deployments that are searched for a form that is not beside its diagram
_SEARCHED = 100


def _keep(known: dict[str, Any], definition_id: str, found: Any) -> None:
    with _FILLING:
        if len(known) >= _KEPT:
            known.clear()
        known[definition_id] = found


def _conditions(wanted: Wanted) -> dict[str, Any]:
    found: dict[str, Any] = {"process_id": wanted.process_id, "before": wanted.before}
    if wanted.group is not None:
        found["group"] = search.pattern(json.dumps(wanted.group, ensure_ascii=False))
    if wanted.text:
        found["text"] = plain_text(wanted.text, "text")
    return {name: value for name, value in found.items() if value is not None}


def _candidates(user: str, groups: Iterable[str]) -> list[str]:
    return [*(f"group:{group}" for group in groups), f"user:{user}", tasks.ANYBODY]


def _claimable(connection: Connection, names: list[str]) -> dict[str, Any]:
    """Return the condition for what candidates may claim: few by their ids, many by the index."""
    ids = worklist.claimable(connection, names)
    return {"names": names} if len(ids) >= worklist.COUNTED else {"ids": ids}


def _form(
    connection: Connection, engine: Base, definition_id: str, key: str | None
) -> bytes | None:
    """Return the form of this id: beside the definition, else the one that was deployed last."""
    if not key:
        return None
    wanted = key.rpartition(":")[2].lstrip("/")
    beside = engine.library.known(connection, definition_id).deployment_id
    if key.startswith(EMBEDDED):
        return _forms_of(connection, engine, definition_id).get(wanted)
    if (found := _form_in(connection, beside, wanted)) is not None:
        return found
    # a diagram may be uploaded without the forms that did not change
    others = (one.id for one in definitions.page(connection, None, _SEARCHED))
    return next((form for one in others if (form := _form_in(connection, one, wanted))), None)


def _forms_of(connection: Connection, engine: Base, definition_id: str) -> Mapping[str, bytes]:
    """Return the forms inside the diagram of a definition by their ids."""
    found: Mapping[str, bytes] | None = _INSIDE.get(definition_id)
    if found is None:
        deployment = engine.library.known(connection, definition_id).deployment_id
        files = {
            name: definitions.file_of(connection, deployment, name) or b""
            for name in definitions.file_names(connection, deployment)
        }
        found = forms_inside(files[engine.library.parsed(connection, definition_id).file], files)
        _keep(_INSIDE, definition_id, found)
    return found


def _form_in(connection: Connection, deployment_id: str, wanted: str) -> bytes | None:
    for name in definitions.file_names(connection, deployment_id):
        if not _is_form(name):
            continue
        content = definitions.file_of(connection, deployment_id, name)
        if content is not None and (name == wanted or _id_of(content) == wanted):
            return content
    return None


def _is_form(name: str) -> bool:
    return name.lower().endswith((".form", ".json"))


def _components(form: bytes) -> list[dict[str, Any]]:
    """Return the components of a form that have a key, also those inside others."""
    try:
        todo = [json.loads(form)]
    except ValueError:
        return []
    found: list[dict[str, Any]] = []
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            found += [one] if one.get("key") and one.get("label") else []
            inner = one.get("components")
            todo += reversed(inner) if isinstance(inner, list) else []
    return found


def _values(component: dict[str, Any]) -> list[dict[str, Any]]:
    found = component.get("values")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _worded(drawn: Any, start: str, properties: dict[str, Any]) -> dict[str, str]:
    told = {key.removeprefix(start): str(text) for key, text in properties.items()
            if key.startswith(start)}  # fmt: skip
    return {"": str(drawn), **told}


def _id_of(form: bytes) -> str | None:
    try:
        found = json.loads(form)
    except ValueError:
        return None
    return found.get("id") if isinstance(found, dict) else None
