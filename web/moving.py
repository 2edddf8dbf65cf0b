"""The pages that change running cases: to another version, all of one version or one; repairs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import ChangeRefused, Conflict, NotFound
from engine.model import Definition, InstanceState
from web import places
from web.context import engine, person
from web.drawings import Drawing, drawing, titles
from web.language import _, current, ngettext
from web.pages import Desk
from web.rights import holders

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.changes import MigrationReport, Move
    from engine.model import Instance, Problem

DESK = Desk("moving")
#: before the id of an element in the names of fields: where it goes on
_MAP = "to."
#: cases that one look or one push of the button is about
_PAGE = 100
_ADMINS = holders("change")


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """One problem, with the cases that have it."""

    problem: Problem
    #: of its element in the version that the cases run in; "" if it is about the case as a whole
    name: str
    cases: tuple[Any, ...]
    #: id and name of the elements of its kind in the other version
    choices: tuple[tuple[str, str], ...]


@DESK.page("/deployments/processes/<path:process_id>/migration", roles=_ADMINS)
def many(process_id: str) -> ResponseReturnValue:
    """Show which running cases of one version could go to another, and why others not."""
    source, target = _versions(process_id)
    mapping, after = _mapping(request.args), request.args.get("after") or None
    report = engine().plan_migrations(
        process_id, source.version, target.version, mapping, after=after, limit=_PAGE
    )  # fmt: skip
    more = {"process_id": process_id, "source": source.version, "target": target.version}
    return render_template(
        "moving/many.html", title=titles().get(process_id, process_id), source=source,
        target=target, report=report, mapping=mapping, versions=_of_process(process_id),
        objections=_objections(report, drawing(source.id), drawing(target.id)),
        named=_named(mapping, drawing(source.id), drawing(target.id)), after=after,
        next_url=_address("moving.many", mapping, after=report.next, **more)
        if report.next else None,
        first_url=_address("moving.many", mapping, **more) if after else None,
    )  # fmt: skip


@DESK.page(
    "/deployments/processes/<path:process_id>/migration", roles=_ADMINS, methods=["POST"]
)  # fmt: skip
def move_many(process_id: str) -> ResponseReturnValue:
    """Move the running cases of one version that can go, a page of them."""
    source, target = _versions(process_id)
    mapping = _mapping(request.form)
    why = request.form.get("why", "").strip()
    if not why:
        flash(_("Cases are moved with a reason: write one."), "error")
    else:
        report = engine().migrate_cases(
            process_id, source.version, target.version, mapping, by=person().name, why=why,
            after=request.form.get("after") or None, limit=_PAGE,
        )  # fmt: skip
        number = len(report.moved)
        flash(ngettext("%(num)s case runs in version %(version)s now.",
                       "%(num)s cases run in version %(version)s now.", number,
                       version=target.version), "ok" if number else "info")  # fmt: skip
    return redirect(_address("moving.many", mapping, process_id=process_id,
                             source=source.version, target=target.version), 303)  # fmt: skip


@DESK.page("/cases/<instance_id>/migration", roles=_ADMINS)
def one(instance_id: str) -> ResponseReturnValue:
    """Show what becomes of one case in another version."""
    instance = engine().case(instance_id)
    others = [d for d in _of_process(instance.process_id) if d.id != instance.definition_id]
    if instance.state is not InstanceState.RUNNING or not others:
        raise Conflict(_("This case has ended, or its process has no other version."))
    target = _chosen(others, request.args.get("target", type=int))
    mapping = _mapping(request.args)
    plan = engine().plan_migration(instance_id, target.version, mapping)
    here, there = drawing(instance.definition_id), drawing(target.id)
    return render_template(
        "moving/one.html", instance=instance, title=here.title, target=target, versions=others,
        plan=plan, mapping=mapping, lines=[_line(move, here, there) for move in plan.moves],
        objections=[_objection(p, (instance,), here, there) for p in plan.problems],
    )  # fmt: skip


@DESK.page("/cases/<instance_id>/migration", roles=_ADMINS, methods=["POST"])
def move_one(instance_id: str) -> ResponseReturnValue:
    """Move one case."""
    mapping = _mapping(request.form)
    target = request.form.get("target", type=int)
    why = request.form.get("why", "").strip()
    try:
        if why:
            moved = engine().migrate_case(
                instance_id, target, mapping, by=person().name, why=why
            )  # fmt: skip
            flash(_("The case runs in version %(n)s now.", n=moved.version), "ok")
            return redirect(url_for("cases.case", instance_id=instance_id), 303)
        flash(_("Cases are moved with a reason: write one."), "error")
    except ChangeRefused:
        # it went on since it was shown: the page says what stands against it now
        flash(_("The case has changed meanwhile. Look at it again."), "error")
    return redirect(_address("moving.one", mapping, instance_id=instance_id, target=target), 303)


@DESK.page("/cases/<instance_id>/modification", roles=_ADMINS)
def repair(instance_id: str) -> ResponseReturnValue:
    """Show the form that changes where a case stands."""
    return _repair_page(engine().case(instance_id), ())


@DESK.page("/cases/<instance_id>/modification", roles=_ADMINS, methods=["POST"])
def repaired(instance_id: str) -> ResponseReturnValue:
    """Take tokens away and put others down."""
    form = request.form
    why = form.get("why", "").strip()
    if not why:
        flash(_("A case is changed with a reason: write one."), "error")
        return _repair_page(engine().case(instance_id), ()), 422
    try:
        engine().modify(
            instance_id, cancel=places.tokens_and_ids(form.getlist("cancel")),
            start_before=[name for name in form.getlist("before") if name],
            start_after=[name for name in form.getlist("after") if name],
            ends=bool(form.get("ends")), by=person().name, why=why,
        )  # fmt: skip
    except ChangeRefused as refusal:
        return _repair_page(engine().case(instance_id), refusal.problems), 409
    flash(_("The case was changed."), "ok")
    return redirect(url_for("cases.case", instance_id=instance_id), 303)


def _repair_page(instance: Instance, problems: Iterable[Problem]) -> str:
    if instance.state is not InstanceState.RUNNING:
        raise Conflict(_("This case has ended."))
    drawn = drawing(instance.definition_id)
    active = engine().active_elements(instance.id)
    return render_template(
        "moving/repair.html", instance=instance, title=drawn.title, form=request.form,
        active=[(id, drawn.name(id), number) for id, number in active.items()],
        steps=[(step.id, drawn.name(step.id)) for step in drawn.steps],
        problems=[_objection(p, (instance,), drawn, drawn) for p in problems],
    )  # fmt: skip


# ------------------------------------------------------------------ what the pages show


def _of_process(process_id: str) -> list[Definition]:
    found = [one for one in engine().definitions() if one.process_id == process_id]
    if not found:
        raise NotFound(f"there is no process {process_id!r}")
    return found


def _versions(process_id: str) -> tuple[Definition, Definition]:
    """Return the version that the cases run in, and where they go: by default the active one."""
    known = _of_process(process_id)
    number = request.values.get("source", type=int)
    source = next((one for one in known if one.version == number), None)
    others = [one for one in known if one is not source]
    if source is None or not others:
        raise NotFound(f"there is no version {number} of process {process_id!r} to move from")
    return source, _chosen(others, request.values.get("target", type=int))


def _chosen(versions: list[Definition], number: int | None) -> Definition:
    """Return the version of a number, else the active one, else the newest."""
    fitting = [one for one in versions if one.version == number]
    return (fitting or [one for one in versions if one.active] or versions)[0]


def _mapping(given: Any) -> dict[str, str]:
    return {name.removeprefix(_MAP): value for name, value in given.items()
            if name.startswith(_MAP) and value}  # fmt: skip


def _named(mapping: dict[str, str], here: Drawing, there: Drawing) -> list[tuple[str, str]]:
    return [(here.name(source), there.name(target)) for source, target in mapping.items()]


def _address(endpoint: str, mapping: dict[str, str], **parts: Any) -> str:
    given: dict[str, Any] = {_MAP + name: value for name, value in mapping.items()}
    return url_for(endpoint, **parts, **given)


def _objections(report: MigrationReport, here: Drawing, there: Drawing) -> list[Objection]:
    """Return each problem once, with its cases; what touches most cases comes first."""
    found: dict[Problem, list[Any]] = defaultdict(list)
    for refusal in report.refused:
        for problem in refusal.problems:
            found[problem].append(refusal)
    ranked = sorted(found.items(), key=lambda pair: -len(pair[1]))
    return [_objection(problem, tuple(cases), here, there) for problem, cases in ranked]


def _objection(
    problem: Problem, cases: tuple[Any, ...], here: Drawing, there: Drawing
) -> Objection:
    step = here.step(problem.element) if problem.element else None
    same = [one for one in there.steps if step is not None and one.kind == step.kind]
    return Objection(
        problem=problem.told(current()), cases=cases,
        name=here.name(problem.element) if problem.element else "",
        choices=tuple((one.id, there.name(one.id)) for one in same),
    )  # fmt: skip


def _line(move: Move, here: Drawing, there: Drawing) -> dict[str, Any]:
    """Return what becomes of one active element, in words."""
    if move.token is None:
        said, drawn = _("begins to listen"), there
    elif move.to is None:
        said, drawn = _("listens no more"), here
    elif move.to != move.element_id:
        said, drawn = _("goes on at “%(name)s”", name=there.name(move.to)), here
    else:
        said, drawn = _("stays as it is"), here
    return {"name": drawn.name(move.element_id), "said": said, "id": move.element_id,
            "moves": move.to != move.element_id or move.token is None}  # fmt: skip
