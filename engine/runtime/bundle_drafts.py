"""Drafts: unfinished bundles that are kept and shown with all that is missing, never executed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from engine.clock import new_id
from engine.errors import BadInput, Conflict, NotFound
from engine.model import BundleDraft, Deployment
from engine.runtime.base import plain_text, verb
from engine.runtime.deployments import Deployments
from engine.store import bundle_drafts, tokens


class BundleDrafts(Deployments):
    """The verbs about drafts. Nothing is added to the files: they are kept byte for byte."""

    def bundle_drafts(self) -> list[BundleDraft]:
        """Return all drafts, the one that was saved last first, without files and problems."""
        with self.reading() as connection:
            return bundle_drafts.every(connection)

    def bundle_draft(self, draft_id: str) -> BundleDraft:
        """Return a draft with what the gate says of it now. Raises NotFound."""
        with self.reading() as connection:
            found = bundle_drafts.get(connection, draft_id)
            if found is None:
                raise _unknown(draft_id)
            contents = bundle_drafts.files(connection, draft_id)
        return self._shown(found, contents)

    def bundle_draft_files(self, draft_id: str) -> dict[str, bytes]:
        """Return the files of a draft. Raises NotFound."""
        with self.reading() as connection:
            if bundle_drafts.get(connection, draft_id) is None:
                raise _unknown(draft_id)
            return bundle_drafts.files(connection, draft_id)

    @verb
    def save_bundle_draft(self, files: Mapping[str, bytes], *, title: str, by: str) -> BundleDraft:
        """Keep files as a new draft, whatever is wrong with them; an empty title is a file's name.

        Raises BadInput for what is no set of files at all.
        """
        plain_text(by, "by")
        self._admit(files)
        with self.transaction() as tx:
            fresh = BundleDraft(
                id=new_id(), title=_title(title, files), revision=1, created_at=tx.now,
                created_by=by, saved_at=tx.now, saved_by=by,
            )  # fmt: skip
            bundle_drafts.add(tx.connection, fresh, files)
        return self._shown(fresh, files)

    @verb
    def replace_bundle_draft(
        self,
        draft_id: str,
        files: Mapping[str, bytes],
        *,
        by: str,
        title: str = "",
        revision: int | None = None,
    ) -> BundleDraft:
        """Replace all files of a draft; an empty title leaves the old one.

        `revision` is the one that was changed: raises Conflict if somebody was faster. Raises
        NotFound and BadInput.
        """
        plain_text(by, "by")
        self._admit(files)
        with self.transaction() as tx:
            old = bundle_drafts.get(tx.connection, draft_id, lock=True)
            if old is None:
                raise _unknown(draft_id)
            _same(old, revision)
            fresh = replace(
                old, title=_title(title or old.title, files), revision=old.revision + 1,
                saved_at=tx.now, saved_by=by,
            )  # fmt: skip
            bundle_drafts.replace(tx.connection, fresh, files)
        return self._shown(fresh, files)

    @verb
    def discard_bundle_draft(
        self, draft_id: str, *, by: str, revision: int | None = None
    ) -> BundleDraft:
        """Forget a draft and its files; recorded with who. Raises NotFound and Conflict."""
        with self.transaction() as tx:
            old = bundle_drafts.get(tx.connection, draft_id, lock=True)
            if old is None:
                raise _unknown(draft_id)
            _same(old, revision)
            bundle_drafts.drop(tx.connection, draft_id)
            tokens.record(
                tx.connection, id=new_id(), at=tx.now, by=plain_text(by, "by"),
                verb="discard draft", subject=old.title, why="",
            )  # fmt: skip
            return old

    def deploy_bundle_draft(
        self,
        draft_id: str,
        *,
        by: str,
        activate: bool = True,
        comment: str = "",
        revision: int | None = None,
    ) -> Deployment:
        """Deploy a draft like any bundle; it is forgotten then, since the deployment has its files.

        Raises NotFound, Conflict, and DeploymentRefused: the draft stays as it is.
        """
        with self.reading() as connection:
            found = bundle_drafts.get(connection, draft_id)
            if found is None:
                raise _unknown(draft_id)
            _same(found, revision)
            contents = bundle_drafts.files(connection, draft_id)
        made = self.deploy(contents, by=by, activate=activate, comment=comment or found.title)
        # who has replaced the draft meanwhile keeps the new one
        with suppress(Conflict, NotFound):
            self.discard_bundle_draft(draft_id, by=by, revision=found.revision)
        return made

    def _admit(self, files: Mapping[str, bytes]) -> None:
        if not files:
            raise BadInput("a draft needs at least one file")
        if sum(len(content) for content in files.values()) > self.settings.upload_limit:
            raise BadInput(f"a draft has at most {self.settings.upload_limit:,} bytes")
        for name in files:
            plain_text(name, "the name of a file", longest=255)

    def _shown(self, draft: BundleDraft, files: Mapping[str, bytes]) -> BundleDraft:
        return replace(draft, files=tuple(sorted(files)), problems=tuple(self.check(files)))


def _unknown(draft_id: str) -> NotFound:
    return NotFound(f"there is no draft {draft_id!r}; `drafts list` names those that are")


def _title(title: str, files: Mapping[str, bytes]) -> str:
    return plain_text(title.strip(), "title", longest=200) or min(files)


def _same(draft: BundleDraft, revision: int | None) -> None:
    if revision is not None and revision != draft.revision:
        raise Conflict(
            f"{draft.saved_by} has saved the draft {draft.title!r} again meanwhile"
            f" (revision {draft.revision}, not {revision}); look at it first"
        )
