"""Stored diagrams as pages need them: the file that draws a process, its steps, their names.

Definitions never change, so what was read once is kept; the cache is small.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import g, url_for

from engine.diagrams.outline import Outline, Step, outline
from engine.errors import NotFound
from web.context import engine
from web.language import _, current

if TYPE_CHECKING:
    from engine.model import Definition
    from engine.runtime import Engine

#: definitions that are kept read
_MANY = 256


class Drawing:
    """One process of one deployment: its file, its steps and the names in it."""

    def __init__(self, definition: Definition, file: str, content: bytes, read: Outline) -> None:
        self.definition = definition
        #: name of the file in its deployment
        self.file = file
        self.content = content
        self.outline = read
        self.steps: tuple[Step, ...] = read.processes[definition.process_id]
        self._by_id = {step.id: step for step in self.steps}

    def step(self, element_id: str) -> Step | None:
        """Return a step, None for anything else that has an id."""
        return self._by_id.get(element_id)

    def name(self, element_id: str | None) -> str:
        """Return the name of an element for the reader; its id if it has none."""
        if element_id is None:
            return self.title
        return self.outline.name(element_id, current()) or element_id

    def told(self, element_id: str, name: str) -> str | None:
        """Return a `zeebe:property` of an element."""
        return self.outline.properties.get(element_id, {}).get(name)

    @property
    def title(self) -> str:
        """The name of the process for the reader."""
        process_id = self.definition.process_id
        return self.outline.name(process_id, current()) or self.definition.name or process_id

    @property
    def address(self) -> str:
        """Where the viewer gets the file."""
        return url_for(
            "deployments.source", deployment_id=self.definition.deployment_id, name=self.file
        )


def drawing(definition_id: str) -> Drawing:
    """Return the drawing of a definition. Raises NotFound."""
    return _read(engine(), definition_id)


def present() -> dict[str, Drawing]:
    """Return the drawing of each process in its active version, else in its newest."""
    newest: dict[str, Definition] = {}
    for one in engine().definitions():
        if one.active or one.process_id not in newest:
            newest[one.process_id] = one
    return {process_id: drawing(one.id) for process_id, one in newest.items()}


def titles() -> dict[str, str]:
    """Return the name of each process for the reader; read once for a page."""
    if "process_titles" not in g:
        g.process_titles = {process_id: one.title for process_id, one in present().items()}
    found: dict[str, str] = g.process_titles
    return found


@lru_cache(maxsize=_MANY)
def _read(engine: Engine, definition_id: str) -> Drawing:
    definition = _definition(engine, definition_id)
    for name in engine.deployment(definition.deployment_id).files:
        content = engine.file(definition.deployment_id, name)
        read = outline(content) if b"definitions" in content[:4096] else None
        if read is not None and definition.process_id in read.processes:
            return Drawing(definition, name, content, read)
    raise NotFound(f"no file of its deployment draws {definition.process_id!r}")


def _definition(engine: Engine, definition_id: str) -> Definition:
    found = next((one for one in engine.definitions() if one.id == definition_id), None)
    if found is None:
        raise NotFound(f"there is no definition {definition_id!r}")
    return found


def words() -> dict[str, Any]:
    """Return the texts of the viewer's buttons."""
    return {"larger": _("Larger"), "smaller": _("Smaller"), "whole": _("Show all of it")}
