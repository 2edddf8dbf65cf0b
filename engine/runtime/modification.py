"""Repairs of running cases: tokens are taken away and put down."""

from __future__ import annotations

from collections.abc import Sequence

from engine import kernel
from engine.clock import new_id
from engine.errors import BadInput, NotFound
from engine.model import Begin, Instance, Modify
from engine.runtime import steps
from engine.runtime.base import Base, plain_text, verb
from engine.runtime.migration import locked
from engine.store import instances, tokens

#: places that one repair names
_MOST = 100

Place = str | Begin


class Modifications(Base):
    """The verb that changes where a case stands."""

    @verb
    def modify(
        self,
        instance_id: str,
        *,
        cancel: Sequence[int | str] = (),
        start_before: Sequence[Place] = (),
        start_after: Sequence[Place] = (),
        ends: bool = False,
        by: str,
        why: str = "",
    ) -> Instance:
        """Take tokens of a running instance away and put others down, all in one transaction.

        `cancel` names tokens by number, or all at an element by its id; what runs inside them and
        listens for them goes too. A token begins before or after an element; `Begin` says in which
        of several sub-processes. The case ends only if `ends` says that it may. Raises NotFound,
        BadInput, Conflict if it has ended, and ChangeRefused with all that forbids it.
        """
        plain_text(by, "by")
        plain_text(why, "why")
        gone = tuple(_token_or_id(one) for one in _listed(cancel, "cancel"))
        begin = [_place(one) for one in _listed(start_before, "start_before")]
        begin += [_place(one)._replace(after=True) for one in _listed(start_after, "start_after")]
        if not gone and not begin:
            raise BadInput("say what to cancel or where to start")
        with self.transaction() as tx:
            case, instance = locked(tx, instance_id)
            command = Modify(
                instance_id=instance.id, cancel=gone, begin=tuple(begin), ends=bool(ends), why=why
            )
            changed = steps.advance(tx, case, command, by=by)
            tokens.record(
                tx.connection, id=new_id(), at=tx.now, by=by, verb="modify", subject=instance.id,
                why=why,
            )  # fmt: skip
            if instance.id == case.id:
                return changed.value()
            after = instances.get(tx.connection, instance.id)
            assert after is not None
            return after

    def active_elements(self, instance_id: str) -> dict[str, int]:
        """Return at which elements a running instance stands, with how many tokens, oldest first.

        Empty for one that has ended. Raises NotFound.
        """
        with self.reading() as connection:
            stored = instances.snapshot_of(connection, instance_id)
            if stored is None:
                raise NotFound(f"there is no case {instance_id!r}")
            return {} if stored[1] is None else kernel.active_in(stored[1], instance_id)


def _listed(given: Sequence[object], what: str) -> Sequence[object]:
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise BadInput(f"{what} is a list, not {type(given).__name__}")
    if len(given) > _MOST:
        raise BadInput(f"{what} names {len(given)} places, at most {_MOST} are allowed")
    return given


def _token_or_id(one: object) -> int | str:
    if isinstance(one, int) and not isinstance(one, bool):
        return one
    return plain_text(one, "what to cancel")


def _place(one: object) -> Begin:
    place = one if isinstance(one, Begin) else Begin(one)  # type: ignore[arg-type]
    plain_text(place.element_id, "where to start")
    if place.inside is not None and type(place.inside) is not int:
        raise BadInput(f"inside is the number of a token, not {type(place.inside).__name__}")
    return place
