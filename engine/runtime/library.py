"""The definitions that this process has parsed; they never change, so they stay for good."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from engine import diagrams
from engine.errors import BadInput, NotFound
from engine.store import definitions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine import dmn, kernel, model
    from engine.languages import Languages
    from engine.store.connect import Connection

#: the largest number that the column of versions holds
_LAST_VERSION = 2**31 - 1


class Library:
    """Parsed definitions and their versions by definition id, filled as they are needed."""

    def __init__(self, languages: Languages) -> None:
        self._languages = languages
        self._parsed: dict[str, kernel.Definition] = {}
        self._known: dict[str, model.Definition] = {}
        #: decision models by file, by deployment id
        self._models: dict[str, Mapping[str, dmn.Model]] = {}
        self._parsing = threading.Lock()

    def parsed(self, connection: Connection, definition_id: str) -> kernel.Definition:
        """Return the executable form of a definition. Raises NotFound."""
        found = self._parsed.get(definition_id)
        if found is None:
            with self._parsing:
                found = self._parsed.get(definition_id) or self._load(connection, definition_id)
        return found

    def keep(self, definition_id: str, parsed: kernel.Definition) -> None:
        """Remember what was parsed for its deployment; harmless if that is not stored after all."""
        self._parsed[definition_id] = parsed

    def decision_model(self, connection: Connection, deployment_id: str, file: str) -> dmn.Model:
        """Return the decision model in a file of a deployment."""
        found = self._models.get(deployment_id)
        if found is None:
            with self._parsing:
                found = diagrams.load_models(definitions.files(connection, deployment_id))
                self._models[deployment_id] = found
        return found[file]

    def keep_models(self, deployment_id: str, models: Mapping[str, dmn.Model]) -> None:
        """Remember the models that were read for a deployment."""
        self._models[deployment_id] = models

    def known(self, connection: Connection, definition_id: str) -> model.Definition:
        """Return what never changes about a definition (so not whether it is active)."""
        found = self._known.get(definition_id)
        if found is None:
            found = definitions.get(connection, definition_id)
            if found is None:
                raise NotFound(f"there is no definition {definition_id!r}")
            self._known[definition_id] = found
        return found

    def _load(self, connection: Connection, definition_id: str) -> kernel.Definition:
        """Parse the whole bundle: its processes tend to call each other."""
        deployment_id = self.known(connection, definition_id).deployment_id
        files = definitions.files(connection, deployment_id)
        parsed = diagrams.load(files, languages=self._languages)
        for one in definitions.of_deployment(connection, deployment_id):
            self._parsed[one.id] = parsed[one.process_id]
        return self._parsed[definition_id]


def deployed(connection: Connection, process_id: str, version: int | None) -> model.Definition:
    """Return a version of a process, by None the active one. Raises BadInput, NotFound."""
    if version is None:
        found = definitions.active(connection, process_id)
        missing = f"no active version of process {process_id!r}"
    else:
        if not isinstance(version, int) or isinstance(version, bool):
            raise BadInput(f"version is a whole number, not {version!r}")
        known = 0 < version <= _LAST_VERSION
        found = definitions.version(connection, process_id, version) if known else None
        missing = f"no version {version} of process {process_id!r}"
    if found is None:
        raise NotFound(f"there is {missing}; `definitions` lists what is deployed")
    return found
