"""Plays the cases of the demonstration on a clock of its own that ends at the present moment.

Everything goes through the verbs of the engine, as people would do it; only the time is made up.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from engine.clock import VirtualClock
from engine.runtime import Engine
from engine.worker import drain
from handlers.records import Records
from handlers.staff import Worker, employ
from web import intake
from web.demo_stories import STORIES, Story, form
from web.portal_forms import title_of

if TYPE_CHECKING:
    from engine.model import UserTask
    from engine.registry import Registry
    from engine.runtime.views import Wait
    from engine.settings import Settings

#: candidate group of a task -> who does it
_WHO = {"frontdesk": "operator", "delivery": "operator", "analyst": "analyst", "lead": "lead",
        "quality": "lead"}  # fmt: skip
_EXPERTS = ("analyst", "lead", "admin")
#: acts of one story at most: more means that it goes round in circles
_MOST_ACTS = 60


def play(
    settings: Settings, registry: Registry, now: datetime, stories: Sequence[Story] = STORIES
) -> int:
    """Play the stories up to now; return how many there are."""
    first = now - timedelta(hours=max(story.began_h for story in stories))
    clock = VirtualClock(first)
    engine = Engine(settings, clock=clock, registry=registry)
    _employ(settings)
    todo = [
        (now - timedelta(hours=story.began_h), place, Player(engine, story))
        for place, story in enumerate(stories)
    ]
    heapq.heapify(todo)
    while todo:
        at, place, player = heapq.heappop(todo)
        if at > now:
            continue
        drain(engine, at, registry=registry)
        again = player.act()
        drain(engine, at, registry=registry)
        if again:
            heapq.heappush(todo, (at + timedelta(minutes=player.story.pace_min), place, player))
    drain(engine, now, registry=registry)
    engine.close()
    Records.close_all()
    return len(stories)


def _employ(settings: Settings) -> None:
    records = Records.of(settings)
    for user, name, skills in (
        ("operator", "王芳", ("repair", "install", "maintenance", "software", "consulting")),
        ("lead", "Maria Lind", ("repair", "software", "consulting")),
    ):
        teams = ("senior", "field", "remote", "standby")
        employ(records, Worker(user=user, name=name, skills=skills, teams=teams))


class Player:
    """Acts for everybody in one story, one act at a time."""

    def __init__(self, engine: Engine, story: Story) -> None:
        self.engine = engine
        self.story = story
        self._root_id: str | None = None
        self._acts = 0

    def act(self) -> bool:
        """Do the next thing; False if nobody has anything to do any more."""
        self._acts += 1
        if self._root_id is None:
            self._root_id = self._ask()
            return True
        view = self.engine.case_view(self._root_id)
        if view.root.ended_at is not None or self._acts > _MOST_ACTS:
            return False
        tasks = [one for one in self.engine.tasks(limit=1000) if one.root_id == self._root_id]
        if any(one.element_id in self.story.stop for one in tasks):
            return self._withdraw()
        for task in tasks:
            if self._complete(task):
                return True
        return self._answer([wait for wait in view.waits if wait.kind == "message"])

    def _ask(self) -> str:
        story = self.story
        request = intake.Request(
            channel="web", text=story.text, subject=title_of(story.text), language=story.language,
            name=story.name, email=story.email, times=story.times,
        )  # fmt: skip
        return intake.begin(self.engine, request, key=story.key)

    def _complete(self, task: UserTask) -> bool:
        date = (self.engine.clock.now() + timedelta(days=2)).date().isoformat()
        given = form(self.story, task.element_id, date)
        if given is None:
            return False
        by = task.assignee or self._who(task)
        self.engine.claim(task.id, by=by)
        self.engine.complete(task.id, given, by=by)
        return True

    def _who(self, task: UserTask) -> str:
        if "experts" in task.candidate_groups:
            return _EXPERTS[task.token % len(_EXPERTS)]
        return next((_WHO[group] for group in task.candidate_groups if group in _WHO), "admin")

    def _answer(self, waits: list[Wait]) -> bool:
        """Let the customer answer; True also while everybody waits for a moment to come."""
        keys = {wait.name: wait.key for wait in waits}
        if "proposal_accepted" in keys:
            return self._answer_offer(keys)
        for name in ("needs_confirmed", "survey_answer", "customer_reply"):
            if name in keys and name in self.story.stop:
                return False
        if "needs_confirmed" in keys:
            self._send("needs_confirmed", keys, {"by": self.story.name})
        elif "survey_answer" in keys:
            answer = {"score": self.story.score, "comment": self.story.comment}
            self._send("survey_answer", keys, answer)
        return True

    def _answer_offer(self, keys: dict[str, str | None]) -> bool:
        number = (keys["proposal_accepted"] or "").rpartition("/P")[2]
        if f"proposal_accepted@{number}" in self.story.stop:
            return False
        if self.story.counter and number == "1":
            counter = {"by": self.story.name, "comment": self.story.counter, "wanted_total": None}
            self._send("proposal_countered", keys, counter)
        else:
            self._send("proposal_accepted", keys, {"by": self.story.name})
        return True

    def _withdraw(self) -> bool:
        if not self.story.withdraws or self._root_id is None:
            return False
        waits = self.engine.case_view(self._root_id).waits
        keys = {wait.name: wait.key for wait in waits if wait.kind == "message"}
        self._send("customer_withdraws", keys, {"reason": self.story.withdraws})
        return False

    def _send(
        self, name: str, keys: Mapping[str, str | None], payload: Mapping[str, object]
    ) -> None:
        self.engine.correlate(name, key=keys[name], payload=payload, by=intake.CUSTOMER)
