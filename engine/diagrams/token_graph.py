"""Where tokens can go in one scope, whatever the data say: control flow as a small token game.

A token stands on a sequence flow (or in a link). Nodes with one way in take it as it comes; only
gateways that join wait. Data decide nothing here: each way that a gateway may choose is tried.
Nodes that do not wait for others are played first, since they touch no other token; that keeps
the number of states small and loses no ending.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations
from typing import TypeVar

from lxml.etree import _Element as Element

from engine.diagrams.diagram import Diagram, child, is_compensation, is_event_sub_process, truth
from engine.diagrams.links import link_pairs
from engine.diagrams.names import is_bpmn, plain, text_of
from engine.diagrams.schema import is_a

#: states of one scope; beyond them nothing is said
MAX_STATES = 4000
#: tokens on one flow; more mean that they multiply without end
MAX_TOKENS = 2
#: ways that a gateway may choose any of
MAX_WAYS = 6
#: ends that take every other token with them
_CLEARS = {"terminate", "error", "cancel"}

Item = TypeVar("Item")
#: tokens by flow, sorted
Marking = tuple[tuple[int, int], ...]


@dataclass(slots=True, kw_only=True)
class Found:
    """What the game showed; complete only if `whole`."""

    #: joins that a token reached
    reached: set[Element] = field(default_factory=set)
    #: joins that went on
    joined: set[Element] = field(default_factory=set)
    #: joins where a token stayed for ever in some run
    stuck: set[Element] = field(default_factory=set)
    #: all states were seen
    whole: bool = True


class Net:
    """The nodes of a scope and the places between them."""

    def __init__(self, diagram: Diagram, scope: Element) -> None:
        self.diagram = diagram
        self.nodes = [node for node in diagram.nodes(scope) if not _apart(node)]
        #: ways out of a node and into it, as numbers of places
        self.out: dict[Element, list[int]] = {node: [] for node in self.nodes}
        self.into: dict[Element, list[int]] = {node: [] for node in self.nodes}
        #: place -> node it leads to
        self.target: list[Element] = []
        #: place -> its sequence flow; None for a link
        self.flow: list[Element | None] = []
        self._place_all()
        #: border of an activity -> events
        self.border = {
            node: [b for b in diagram.boundary_events(node) if b in self.out] for node in self.nodes
        }
        self.joins = [node for node in self.nodes if self.is_join(node)]

    def _place_all(self) -> None:
        for node in self.nodes:
            for flow in self.diagram.outgoing(node):
                target = self.diagram.find(flow.get("targetRef"), "flowNode")
                if target in self.out:
                    self._place(node, target, flow)
        links = [
            node
            for node in self.nodes
            if is_bpmn(node, "intermediateThrowEvent", "intermediateCatchEvent")
            and "link" in self.diagram.definition_kinds(node)
        ]
        for throw, catches in link_pairs(self.diagram, links).items():
            for catch in catches:
                self._place(throw, catch, None)

    def _place(self, source: Element, target: Element, flow: Element | None) -> None:
        self.out[source].append(len(self.target))
        self.into[target].append(len(self.target))
        self.target.append(target)
        self.flow.append(flow)

    def is_join(self, node: Element) -> bool:
        """Tell whether a node waits for tokens of several ways."""
        return is_bpmn(node, "parallelGateway", "inclusiveGateway") and len(self.into[node]) > 1

    def starts(self) -> list[Element]:
        """Return what a token may begin at, each by itself."""
        starts = [node for node in self.nodes if is_bpmn(node, "startEvent") or _begins(node)]
        return starts or [
            node
            for node in self.nodes
            if not self.into[node] and not is_bpmn(node, "boundaryEvent")
        ]

    def begins_at_once(self) -> bool:
        """Tell whether there is no start: then every node that nothing leads to begins."""
        return not any(is_bpmn(node, "startEvent") or _begins(node) for node in self.nodes)

    # ------------------------------------------------ the ways out of a node

    def ways(self, node: Element) -> Iterator[tuple[int, ...]] | None:
        """Yield the sets of places that get a token when a node is done; None: too many."""
        own = list(self._own_ways(node))
        if not own:
            return None
        events = [event for event in self.border[node] if self._catches(event)]
        stopping = [e for e in events if truth(e, "cancelActivity", default=True)]
        besides = [e for e in events if e not in stopping]
        if len(besides) > 2:
            return None
        extra = [tuple(chain(*(self.out[e] for e in some))) for some in _subsets(besides)]
        every = own + [tuple(self.out[event]) for event in stopping]
        return (way + more for way in every for more in extra)

    def _catches(self, event: Element) -> bool:
        return "compensate" not in self.diagram.definition_kinds(event)

    def _own_ways(self, node: Element) -> Iterator[tuple[int, ...]]:
        out = self.out[node]
        if is_bpmn(node, "exclusiveGateway", "eventBasedGateway"):
            yield from ((place,) for place in out) if out else ((),)
        elif len(out) < 2 or is_bpmn(node, "parallelGateway"):
            yield tuple(out)
        else:
            yield from self._chosen(node, out)

    def _chosen(self, node: Element, out: Sequence[int]) -> Iterator[tuple[int, ...]]:
        """Yield what conditions may choose: those without one always, the default if none."""
        default = plain(node.get("default"))
        asked, always, other = [], [], []
        for place in out:
            flow = self.flow[place]
            if flow is not None and default and flow.get("id") == default:
                other.append(place)
            elif flow is not None and text_of(child(flow, "conditionExpression")):
                asked.append(place)
            else:
                always.append(place)
        if len(asked) > MAX_WAYS:
            return
        for some in _subsets(asked):
            if some or always:
                yield (*some, *always)
        if not always and other:
            yield tuple(other)


def _subsets(items: Sequence[Item]) -> Iterator[tuple[Item, ...]]:
    yield from chain.from_iterable(combinations(items, size) for size in range(len(items) + 1))


def _apart(node: Element) -> bool:
    return is_event_sub_process(node) or is_compensation(node)


def _begins(node: Element) -> bool:
    return is_a(node, "receiveTask", "eventBasedGateway") and truth(
        node, "instantiate", default=False
    )


# ------------------------------------------------------------------ the game


class Game:
    """One walk through all states of a net."""

    def __init__(self, net: Net) -> None:
        self._net = net
        self._far = _reach(net)
        #: the deepest token moves first, so that one path is walked to its join before the next
        self._depth = _depths(net)
        self.found = Found()
        self._seen: set[Marking] = set()
        self._todo: list[Marking] = []

    def play(self) -> Found:
        """Return what the runs from every start show."""
        net, starts = self._net, self._net.starts()
        if net.begins_at_once():
            self._begin(tuple(chain.from_iterable(self._first(node) for node in starts)))
        else:
            self.found.whole = len(starts) <= MAX_WAYS
            for some in _subsets(starts) if self.found.whole else ():
                if some:
                    self._starts(some)
        while self._todo and self.found.whole:
            self._step(self._todo.pop())
        return self.found

    def _first(self, node: Element) -> tuple[int, ...]:
        return next(iter(self._net.ways(node) or [()]))

    def _starts(self, nodes: Sequence[Element]) -> None:
        markings: list[tuple[int, ...]] = [()]
        for node in nodes:
            ways = self._net.ways(node)
            if ways is None:
                self.found.whole = False
                return
            markings = [one + way for one in markings for way in list(ways)]
        for one in markings:
            self._begin(one)

    def _begin(self, places: tuple[int, ...]) -> None:
        tokens: dict[int, int] = {}
        for place in places:
            tokens[place] = tokens.get(place, 0) + 1
        self._add(tokens)

    def _add(self, tokens: Mapping[int, int]) -> None:
        if any(number > MAX_TOKENS for number in tokens.values()):
            self.found.whole = False
            return
        marking = tuple(sorted((place, number) for place, number in tokens.items() if number))
        if marking in self._seen:
            return
        if len(self._seen) >= MAX_STATES:
            self.found.whole = False
            return
        self._seen.add(marking)
        self._todo.append(marking)

    def _step(self, marking: Marking) -> None:
        tokens = dict(marking)
        net = self._net
        free = [place for place in tokens if not net.is_join(net.target[place])]
        if free:
            place = max(free, key=self._depth.__getitem__)
            self._move(tokens, net.target[place], [place])
            return
        reached = [join for join in net.joins if any(place in tokens for place in net.into[join])]
        self.found.reached.update(reached)
        for join in reached:
            places = self._ready(join, tokens)
            if places:
                self.found.joined.add(join)
                self._move(tokens, join, places)
                return
        self.found.stuck.update(reached)

    def _ready(self, join: Element, tokens: Mapping[int, int]) -> list[int]:
        """Return the places that a join takes a token from; none if it waits (BPMN 13.4)."""
        into = self._net.into[join]
        held = [place for place in into if place in tokens]
        if is_bpmn(join, "parallelGateway"):
            return held if len(held) == len(into) else []
        empty = {place for place in into if place not in tokens}
        for place in tokens:
            if place in into:
                continue
            ahead = self._far[join].get(place, frozenset())
            if ahead & empty and not ahead & set(held):
                return []
        return held

    def _move(self, tokens: Mapping[int, int], node: Element, taken: Sequence[int]) -> None:
        left = dict(tokens)
        for place in taken:
            left[place] -= 1
            if not left[place]:
                del left[place]
        if is_bpmn(node, "endEvent") and _CLEARS & set(self._net.diagram.definition_kinds(node)):
            return
        ways = self._net.ways(node)
        if ways is None:
            self.found.whole = False
            return
        for way in ways:
            after = dict(left)
            for place in way:
                after[place] = after.get(place, 0) + 1
            self._add(after)


def _depths(net: Net) -> list[int]:
    """Return a number for each place, larger the later a walk into the depth comes there."""
    order: dict[int, int] = {}
    waiting = [place for node in net.starts() for place in reversed(net.out[node])]
    while waiting:
        place = waiting.pop()
        if place not in order:
            order[place] = len(order)
            node = net.target[place]
            after = chain(net.out[node], *(net.out[event] for event in net.border[node]))
            waiting += reversed(list(after))
    return [order.get(place, 0) for place in range(len(net.target))]


def _reach(net: Net) -> dict[Element, dict[int, frozenset[int]]]:
    """Return for each inclusive join: place -> ways into the join that a token on it may take."""
    found: dict[Element, dict[int, frozenset[int]]] = {}
    for join in net.joins:
        if is_bpmn(join, "inclusiveGateway"):
            found[join] = _ahead(net, join)
    return found


def _ahead(net: Net, join: Element) -> dict[int, frozenset[int]]:
    ahead = {place: frozenset((place,)) for place in net.into[join]}
    changed = True
    while changed:
        changed = False
        # from the end: most flows lead on to later ones, so that few rounds are needed
        for place in range(len(net.target) - 1, -1, -1):
            node = net.target[place]
            if node is join:
                continue
            after = [*net.out[node], *chain(*(net.out[e] for e in net.border[node]))]
            known = ahead.get(place, frozenset())
            more = known.union(*(ahead.get(one, frozenset()) for one in after))
            if more != known:
                ahead[place] = more
                changed = True
    return ahead
