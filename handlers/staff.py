"""Who does the work: chosen by skill, team, shift and load, never at random and never silently."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, TypedDict
from zoneinfo import ZoneInfo

from engine import BpmnError, HandlerContext, handler
from handlers import records as tables
from handlers.records import Records, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Somebody who can be given work."""

    #: name of the account
    user: str
    name: str = ""
    email: str = ""
    skills: Sequence[str] = ()
    #: none: may work for any team
    teams: Sequence[str] = ()
    #: local times of the zone; a shift may pass midnight
    shift: tuple[str, str] = ("00:00", "24:00")
    #: Monday is 0
    days: Sequence[int] = (0, 1, 2, 3, 4, 5, 6)
    zone: str = "UTC"
    #: most hours of open orders at one time
    capacity_hours: Decimal | int = 40


def employ(records: Records, worker: Worker) -> None:
    """Store who can be given work, or change it."""
    ZoneInfo(worker.zone)  # refuses an unknown zone before it is stored
    records.employ(
        worker.user,
        {
            "name": worker.name or worker.user,
            "email": worker.email,
            "skills": json.dumps(list(worker.skills)),
            "teams": json.dumps(list(worker.teams)),
            "days": json.dumps(list(worker.days)),
            "shift_from": worker.shift[0],
            "shift_to": worker.shift[1],
            "zone": worker.zone,
            "capacity_hours": str(worker.capacity_hours),
            "active": True,
        },
    )


class Assigned(TypedDict):
    """What `staff.assign` returns."""

    #: assignment_id, user, name, hours
    assignment: dict[str, Any]


@handler("staff.assign", title="Assign staff", title_zh="分派人员")
def assign_staff(
    context: HandlerContext,
    case_number: Annotated[str, "number of the case"],
    title: Annotated[str, "what has to be done"],
    skill: Annotated[str | None, "what it takes; none: anybody"] = None,
    hours: Annotated[Decimal, "how long it will take"] = Decimal(1),
    teams: Annotated[
        list[str] | None, "teams that may do it, the preferred one first; none: any"
    ] = None,
    excluded: Annotated[list[str] | None, "users who did not accept"] = None,
) -> Assigned:
    """Assign the order to who has the skill, is on shift, has the hours, and has least to do.

    Somebody of an earlier team of `teams` comes before all of a later one. Nobody fits: the drawn
    error STAFF_SHORTAGE, with the reason as variable `shortage`. Orders of this title that excluded
    users still hold go back.
    """
    records = Records.of(context.settings)
    out = set(excluded or ())
    for user in out:
        held = {"case_number": case_number, "title": title, "user": user, "state": "assigned"}
        records.change(tables.work_order, held, state="returned", ended_at=context.now.isoformat())

    def choose(people: list[Row]) -> str | None:
        fit = [one for one in people if one["id"] not in out and _can(one, skill, teams)]
        free = [one for one in fit if on_shift(one, context.now) and _has_hours(one, hours)]
        ranked = sorted(free, key=lambda one: (_place(one, teams), *_pressure(one)))
        return ranked[0]["id"] if ranked else None

    order = {
        "case_number": case_number, "root_id": context.root_id, "title": title, "skill": skill,
        "hours": str(hours), "assigned_at": context.now.isoformat(),
    }  # fmt: skip
    row = records.assign(context.key, order, choose)
    if row is None:
        what = f"{title}: nobody with skill {skill or 'any'} is free for {hours} h"
        raise BpmnError("STAFF_SHORTAGE", what, {"shortage": what})
    person = records.get(tables.staff, id=row["user"]) or {}
    return {"assignment": {
        "assignment_id": row["id"], "user": row["user"], "name": person.get("name"),
        "hours": Decimal(row["hours"]),
    }}  # fmt: skip


def on_shift(person: Row, now: datetime) -> bool:
    """Tell whether somebody works at this moment, by the local time of the shift."""
    local = now.astimezone(ZoneInfo(person["zone"]))
    clock, begin, end = f"{local:%H:%M}", person["shift_from"], person["shift_to"]
    if begin <= end:
        return local.weekday() in json.loads(person["days"]) and begin <= clock < end
    # a night shift belongs to the day it began on
    day = local.weekday() if clock >= begin else (local.weekday() - 1) % 7
    return day in json.loads(person["days"]) and (clock >= begin or clock < end)


def _can(person: Row, skill: str | None, teams: list[str] | None) -> bool:
    own_teams = set(json.loads(person["teams"]))
    return (not skill or skill in json.loads(person["skills"])) and (
        not teams or not own_teams or bool(own_teams & set(teams))
    )


def _place(person: Row, teams: list[str] | None) -> int:
    """Return how early the teams of a person stand; who is in no team belongs to the first."""
    own = set(json.loads(person["teams"]))
    return next((place for place, team in enumerate(teams or ()) if team in own), 0)


def _has_hours(person: Row, hours: Decimal) -> bool:
    return bool(person["load"] + hours <= Decimal(person["capacity_hours"]))


def _pressure(person: Row) -> tuple[Decimal, str]:
    return person["load"] / max(Decimal(person["capacity_hours"]), Decimal(1)), person["id"]
