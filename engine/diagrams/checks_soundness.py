"""Soundness: can the work come to an end, can joins be satisfied, does a loop ever pause.

What is said holds whatever the data are. Where a diagram is too large or uses what the token game
does not know (complex joins, quantities, ad-hoc parts), it is said that its joins are not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lxml.etree import _Element as Element

from engine.diagrams.checks_activities import zeebe_of
from engine.diagrams.diagram import Diagram, is_event_sub_process, truth
from engine.diagrams.names import is_bpmn
from engine.diagrams.report import Report
from engine.diagrams.schema import is_a
from engine.diagrams.token_graph import Game, Net
from engine.sentences import Phrase, phrase

#: events in whose scope the work may end although no path leads to an end
_ENDS_ALL = {"terminate", "error", "cancel"}
_PAUSES = ("userTask", "receiveTask", "callActivity", "eventBasedGateway")


def check_soundness(diagram: Diagram, report: Report) -> None:
    """Check every scope that is executed."""
    for scope in diagram.scopes:
        if not diagram.is_executable(scope):
            continue
        net = Net(diagram, scope)
        if is_bpmn(scope, "adHocSubProcess"):
            if _joining(net):
                _unjudged(scope, scope, phrase("its activities begin in any order"), report)
            continue
        lost = _without_end(net)
        if lost and not _stopped_from_outside(diagram, scope):
            _no_way_out(net, lost, report)
        _loops(diagram, net, lost, report)
        if _joining(net) and not lost:
            _joins(diagram, scope, net, report)


# ------------------------------------------------------------------ the way to an end


def _without_end(net: Net) -> set[Element]:
    """Return the nodes from which no path leads to where a token may vanish."""
    before: dict[Element, list[Element]] = {node: [] for node in net.nodes}
    for node in net.nodes:
        for after in _after(net, node):
            before[after].append(node)
    waiting = [node for node in net.nodes if not net.out[node]]
    good = set(waiting)
    while waiting:
        for node in before[waiting.pop()]:
            if node not in good:
                good.add(node)
                waiting.append(node)
    return set(net.nodes) - good


def _after(net: Net, node: Element) -> list[Element]:
    return [*(net.target[place] for place in net.out[node]), *net.border[node]]


def _stopped_from_outside(diagram: Diagram, scope: Element) -> bool:
    """Tell whether an event may end the work of a scope: then a path without an end is meant."""
    inner = [node for node in diagram.nodes(scope) if is_event_sub_process(node)]
    starts = [start for one in inner for start in diagram.nodes(one)]
    if any(is_bpmn(s, "startEvent") and truth(s, "isInterrupting", default=True) for s in starts):
        return True
    if any(_ENDS_ALL & set(diagram.definition_kinds(node)) for node in diagram.nodes(scope)
           if is_bpmn(node, "endEvent")):  # fmt: skip
        return True
    if is_bpmn(scope, "process"):
        return False
    border = diagram.boundary_events(scope)
    if any(truth(event, "cancelActivity", default=True) for event in border):
        return True
    return _stopped_from_outside(diagram, diagram.scope_of(scope))


def _no_way_out(net: Net, lost: set[Element], report: Report) -> None:
    """Name where the path is left that could still have come to an end."""
    entries = {node: [n for n in net.nodes if node in _after(net, n)] for node in lost}
    doors = [
        node
        for node in net.nodes
        if node in lost and (not entries[node] or any(n not in lost for n in entries[node]))
    ]
    for node in doors:
        report.warning(
            node,
            "from {node} on no path leads to an end",
            "draw a way out of the loop, such as an exclusive gateway that leads to an end event",
            node=node,
        )


# ------------------------------------------------------------------ loops


def _loops(diagram: Diagram, net: Net, lost: set[Element], report: Report) -> None:
    """Name the circles in which nothing waits: no person, no handler, no event."""
    busy = [node for node in net.nodes if not _pauses(diagram, node)]
    for circle in _circles(net, busy):
        first = circle[0]
        if lost.issuperset(circle):
            report.warning(
                first,
                "the loop around {node} never pauses and never ends",
                "draw a way out of it, and let a timer, a task or a message slow it down",
                node=first,
            )
        else:
            report.info(
                first,
                "nothing in the loop around {node} waits, so it turns as fast as it can",
                "let a timer, a task or a message slow it down if it may turn often",
                node=first,
            )


def _pauses(diagram: Diagram, node: Element) -> bool:
    if is_bpmn(node, *_PAUSES) or zeebe_of(node, "taskDefinition") is not None:
        return True
    if is_bpmn(node, "intermediateCatchEvent"):
        return "link" not in diagram.definition_kinds(node)
    if is_a(node, "subProcess"):
        return is_bpmn(node, "adHocSubProcess") or any(
            _pauses(diagram, inner) for inner in diagram.nodes(node)
        )
    return False


def _circles(net: Net, nodes: Sequence[Element]) -> Iterator[list[Element]]:
    """Yield each set of nodes that lie on circles through each other, in the order of the file."""
    left = _trimmed(net, nodes)
    for node in nodes:
        if node not in left:
            continue
        after = {one: [n for n in _after(net, one) if n in left] for one in left}
        before: dict[Element, list[Element]] = {one: [] for one in left}
        for one, targets in after.items():
            for target in targets:
                before[target].append(one)
        round_trip = _beyond(node, after) & _beyond(node, before)
        left -= round_trip | {node}
        if round_trip:
            yield [one for one in nodes if one in round_trip]


def _beyond(node: Element, steps: Mapping[Element, Sequence[Element]]) -> set[Element]:
    """Return what one or more steps lead to."""
    seen: set[Element] = set()
    waiting = [node]
    while waiting:
        for one in steps[waiting.pop()]:
            if one not in seen:
                seen.add(one)
                waiting.append(one)
    return seen


def _trimmed(net: Net, nodes: Sequence[Element]) -> set[Element]:
    """Return what is left when nodes that nothing inside leads on from are taken away, in turn."""
    inside = set(nodes)
    before: dict[Element, list[Element]] = {node: [] for node in nodes}
    left = {}
    for node in nodes:
        after = [one for one in _after(net, node) if one in inside]
        left[node] = len(after)
        for one in after:
            before[one].append(node)
    waiting = [node for node in nodes if not left[node]]
    while waiting:
        gone = waiting.pop()
        inside.discard(gone)
        for node in before[gone]:
            left[node] -= 1
            if not left[node]:
                waiting.append(node)
    return inside


# ------------------------------------------------------------------ joins


def _joining(net: Net) -> bool:
    """Tell whether anything in a scope waits for several tokens."""
    return bool(net.joins) or any(_beyond_the_game(net, node) for node in net.nodes)


def _beyond_the_game(net: Net, node: Element) -> Phrase | None:
    """Return why the token game does not know a node, None if it does."""
    if is_bpmn(node, "complexGateway") and len(net.into[node]) > 1:
        return phrase("its condition decides how many it waits for")
    if any((node.get(name) or "1").strip() != "1"
           for name in ("startQuantity", "completionQuantity")):  # fmt: skip
        return phrase("it takes or gives more than one token")
    together = is_bpmn(node, "eventBasedGateway") and truth(node, "instantiate", default=False)
    several = is_bpmn(node, "startEvent") and truth(node, "parallelMultiple", default=False)
    return phrase("several events begin it") if together or several else None


def _unjudged(scope: Element, node: Element, why: Phrase, report: Report) -> None:
    report.info(
        node,
        "whether all that is joined in {scope} comes together is not judged, because of {node}:"
        " {why}",
        "play it with every way that the data may take",
        scope=scope,
        node=node,
        why=why,
    )


def _joins(diagram: Diagram, scope: Element, net: Net, report: Report) -> None:
    for node in net.nodes:
        if why := _beyond_the_game(net, node):
            _unjudged(scope, node, why, report)
            return
    found = Game(net).play()
    if not found.whole:
        _unjudged(scope, scope, phrase("its tokens can stand in too many ways"), report)
        return
    dead = [join for join in net.joins if join in found.reached - found.joined]
    for join in dead:
        report.warning(
            join,
            "{join} waits for tokens that never come together, so nothing behind it is reached",
            "join paths of which only one is taken by an exclusive gateway",
            join=join,
        )
    if len(net.starts()) > 1:
        return
    for join in net.joins:
        if join in found.stuck and join not in dead and is_bpmn(join, "parallelGateway"):
            report.warning(
                join,
                "{join} may wait for a path that is not taken",
                "let every path that leads to it begin at one parallel gateway, or join them by"
                " an inclusive gateway",
                join=join,
            )
