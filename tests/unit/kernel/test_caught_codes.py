"""What was caught, as variables: the properties `caught.code` and `caught.message` of an event."""

from __future__ import annotations

import pytest

from engine.model import Throw
from tests.drawing import (
    about,
    boundary,
    diagram,
    end,
    error,
    extension,
    node,
    path,
    process,
    service,
    start,
    sub,
    user,
)
from tests.unit.kernel.player import Player

SAID = (
    '<zeebe:properties><zeebe:property name="caught.code" value="reason"/>'
    '<zeebe:property name="caught.message" value="words"/></zeebe:properties>'
)


def raised(play: Player, code: str, message: str = "", **variables: object) -> None:
    """Let the handler raise a drawn error."""
    (row,) = [row for row in play.works.values() if row.element_id == "work"]
    play.do(Throw(token=row.token, code=code, message=message, variables=variables))


def at_the_border(inside: str, catches: str = "<errorEventDefinition/>") -> bytes:
    return diagram(
        error("lost", "LOST"),
        process(
            "p", start("s"), service("work", "shop.order"), end("e"),
            boundary("b", "work", inside, catches), user("mend"), end("m"),
            path("s", "work", "e"), path("b", "mend", "m"),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    "catches", ["<errorEventDefinition/>", '<errorEventDefinition errorRef="lost"/>']
)
def test_code_and_message_of_an_error_become_variables(catches: str) -> None:
    play = Player(at_the_border(extension(SAID), catches)).start()

    raised(play, "LOST", "the parcel is gone", parcel=7)

    assert play.open == ["mend"]
    assert play.variables() == {"reason": "LOST", "words": "the parcel is gone", "parcel": 7}


def test_an_error_without_a_message_sets_the_variable_to_null() -> None:
    play = Player(at_the_border(extension(SAID))).start()

    raised(play, "LOST")

    assert play.variables() == {"reason": "LOST", "words": None}


def test_without_the_properties_nothing_of_it_is_seen() -> None:
    play = Player(at_the_border("")).start()

    raised(play, "LOST", "the parcel is gone")

    assert play.variables() == {}


def test_outputs_of_the_event_may_use_them() -> None:
    mapped = '<zeebe:ioMapping><zeebe:output source="=reason + &quot;!&quot;" target="shout"/>'
    play = Player(at_the_border(extension(SAID, mapped + "</zeebe:ioMapping>"))).start()

    raised(play, "LOST")

    assert play.variables() == {"shout": "LOST!"}


def test_an_event_sub_process_gets_them_too() -> None:
    inner = node(
        "subProcess", "mending", start("es", extension(SAID), "<errorEventDefinition/>"),
        user("mend"), end("m"), path("es", "mend", "m"), triggeredByEvent="true",
    )  # fmt: skip
    drawing = diagram(
        process("p", start("s"), service("work", "shop.order"), end("e"), path("s", "work", "e"),
                inner)
    )  # fmt: skip
    play = Player(drawing).start()

    raised(play, "LOST", "gone")

    assert play.open == ["mend"]
    assert {"LOST", "gone"} <= {
        event.value for event in play.events if event.kind == "variable.set"
    }


def test_the_code_of_an_escalation_becomes_a_variable() -> None:
    inside = sub("part", start("is"), end("ie", about("escalation", "late")), path("is", "ie"))
    drawing = diagram(
        node("escalation", "late", escalationCode="LATE"),
        process(
            "p", start("s"), inside, end("e"), user("look"), end("l"),
            boundary("b", "part", extension(SAID), "<escalationEventDefinition/>"),
            path("s", "part", "e"), path("b", "look", "l"),
        ),
    )  # fmt: skip
    play = Player(drawing).start()

    assert play.open == ["look"]
    assert play.variables() == {"reason": "LATE", "words": None}
