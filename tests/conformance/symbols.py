"""The symbols of BPMN as small SVG pictures, drawn here: one for each entry of SUPPORTED."""

from __future__ import annotations

import re

#: width and height of every picture
WIDTH, HEIGHT = 92, 64
_LINE = 'fill="none" stroke="#404040" stroke-width="1.6" stroke-linejoin="round"'
_FULL = 'fill="#404040" stroke="#404040" stroke-width="1.2" stroke-linejoin="round"'
_WHITE = 'fill="#ffffff" stroke="#404040" stroke-width="1.6"'

#: trigger -> path around 0,0, about 16 wide
_MARKS = {
    "message": "M-8,-5.5H8V5.5H-8ZM-8,-5.5L0,1L8,-5.5",
    "timer": "M0,-8A8,8 0 1 1 -0.01,-8ZM0,-5.5V0L4,2.5",
    "signal": "M0,-8L8,6H-8Z",
    "error": "M-7,7L-3,-7L2,1L7,-7L3,7L-2,-1Z",
    "escalation": "M0,-8L6.5,7L0,0.5L-6.5,7Z",
    "conditional": "M-6,-8H6V8H-6ZM-4,-4.5H4M-4,-1.5H4M-4,1.5H4M-4,4.5H4",
    "compensate": "M-8,0L-0.5,-6V6ZM0,0L7.5,-6V6Z",
    "cancel": "M-7,-4.5L-4.5,-7L0,-2.5L4.5,-7L7,-4.5L2.5,0L7,4.5L4.5,7L0,2.5L-4.5,7L-7,4.5L-2.5,0Z",
    "link": "M-8,-3H2V-7L8.5,0L2,7V3H-8Z",
    "multiple": "M0,-8L8,-2L5,7H-5L-8,-2Z",
    "all": "M-2,-8H2V-2H8V2H2V8H-2V2H-8V-2H-2Z",
    "terminate": "M0,-8.5A8.5,8.5 0 1 1 -0.01,-8.5Z",
}
#: kind of task -> mark in its upper left corner
_TASKS = {
    "userTask": "M0,-6A3,3 0 1 1 -0.01,-6ZM-6,7V4Q-6,1 -2,0.5H2Q6,1 6,4V7Z",
    "manualTask": "M-7,-2L-2,-5H6M-7,5H2Q6,5 6,3M-7,-2V5M1,-2H7M1,1H7",
    "serviceTask": (
        "M0,-6A6,6 0 1 1 -0.01,-6ZM0,-2.5A2.5,2.5 0 1 1 -0.01,-2.5ZM0,-8V-6M0,6V8M-8,0H-6M6,0H8"
    ),
    "scriptTask": "M-4,-7H6Q2,-3 5,0Q8,4 4,7H-6Q-2,4 -5,0Q-8,-4 -4,-7ZM-2,-3H3M-2,0H4M-1,3H4",
    "sendTask": _MARKS["message"],
    "receiveTask": _MARKS["message"],
    "businessRuleTask": "M-7,-6H7V6H-7ZM-7,-2.5H7M-7,1.5H7M-2.5,-2.5V6",
}
#: gateway -> its mark
_GATEWAYS = {
    "exclusiveGateway": "M-6,-7L6,7M6,-7L-6,7",
    "parallelGateway": "M0,-9V9M-9,0H9",
    "inclusiveGateway": "M0,-8A8,8 0 1 1 -0.01,-8Z",
    "complexGateway": "M0,-9V9M-9,0H9M-6,-6L6,6M6,-6L-6,6",
    "eventBasedGateway": "M0,-9A9,9 0 1 1 -0.01,-9ZM0,-5L5,-1L3,5H-3L-5,-1Z",
}
#: behaviour of an activity -> mark at its lower edge
_BELOW = {
    "multi-instance": "M-5,-5V5M0,-5V5M5,-5V5",
    "standard loop": "M-3,5A6,6 0 1 1 3,5M-3,5L-7,5M-3,5V1",
    "compensation activity": _MARKS["compensate"],
    "quantities": "M-8,-3H6L3,-6M6,-3L3,0",
    "sub": "M-6,-6H6V6H-6ZM0,-4V4M-4,0H4",
    "adHoc": "M-8,2Q-4,-5 0,0T8,-2",
}


def file_name(feature: str) -> str:
    """Return the name of the file of a picture."""
    return re.sub(r"[^a-z]+", "-", _spaced(feature).lower()).strip("-") + ".svg"


def _spaced(feature: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", feature)


def symbol(feature: str) -> str:
    """Return the SVG of an entry of SUPPORTED."""
    inside = _event(feature) or _gateway(feature) or _other(feature) or _activity(feature)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return (
        f'{head} width="{WIDTH}" height="{HEIGHT}" role="img">'
        f"<title>{feature}</title>{inside}</svg>\n"
    )


def _mark(path: str, x: float, y: float, style: str = _LINE, scale: float = 1) -> str:
    return f'<path d="{path}" transform="translate({x:g} {y:g}) scale({scale:g})" {style}/>'


def _event(feature: str) -> str:
    found = re.fullmatch(r"(event start|start|catch|throw|end|boundary)(?: (\w+))?", feature)
    if feature == "several triggers of one event":
        return _circle("catch") + _mark(_MARKS["multiple"], 46, 32)
    if feature == "several triggers, all needed to start a process":
        return _circle("start") + _mark(_MARKS["all"], 46, 32)
    if feature.startswith("compensation, cancel or link"):
        return _circle("throw") + _mark(_MARKS["multiple"], 46, 32, _FULL)
    if found is None:
        return ""
    position, trigger = found.groups()
    host = _box(8, 6, 66, 38) if position == "boundary" else ""
    frame = _box(6, 6, 80, 52, dash="3 3") if position == "event start" else ""
    filled = position in ("throw", "end")
    x, y = (60, 44) if position == "boundary" else (46, 32)
    mark = _mark(_MARKS[trigger], x, y, _FULL if filled else _LINE) if trigger else ""
    return host + frame + _circle(position, x, y) + mark


def _circle(position: str, x: float = 46, y: float = 32) -> str:
    width = 3.4 if position == "end" else 1.6
    outer = f'<circle cx="{x}" cy="{y}" r="16" {_WHITE}/>'.replace('"1.6"', f'"{width}"')
    double = position in ("catch", "throw", "boundary")
    return outer + (f'<circle cx="{x}" cy="{y}" r="13" {_LINE}/>' if double else "")


def _gateway(feature: str) -> str:
    kind = next((name for name in _GATEWAYS if name in feature), None)
    if kind is None:
        return ""
    diamond = f'<path d="M46,8L70,32L46,56L22,32Z" {_WHITE}/>'
    mark = _GATEWAYS[kind]
    if feature != kind:  # it starts the process
        inner = _MARKS["all"] if feature.startswith("parallel ") else "M0,-5L5,-1L3,5H-3L-5,-1Z"
        return (
            diamond
            + _mark("M0,-10A10,10 0 1 1 -0.01,-10Z", 46, 32)
            + _mark(inner, 46, 32, scale=0.8)
        )
    return diamond + _mark(mark, 46, 32)


def _other(feature: str) -> str:
    if feature == "dataStoreReference":
        body = f'<path d="M24,16V50Q46,60 68,50V16" {_WHITE}/>'
        return (
            body
            + f'<ellipse cx="46" cy="16" rx="22" ry="7" {_WHITE}/>'
            + _mark("M-22,0Q0,10 22,0M-22,6Q0,16 22,6", 46, 19)
        )
    if "without a start event" in feature:
        return _box(4, 4, 84, 56) + _box(24, 20, 44, 26)
    if "plain start events" in feature:
        return _box(4, 4, 84, 56) + _small_start(22) + _small_start(46)
    if feature in ("choreographyTask", "callChoreography", "subChoreography"):
        bands = "M10,18H82M10,46H82"
        below = _mark(_BELOW["sub"], 46, 39, scale=0.7) if feature.startswith("sub") else ""
        heavy = feature.startswith("call")
        return _box(10, 6, 72, 52, heavy=heavy) + f'<path d="{bands}" {_LINE}/>' + below
    return ""


def _small_start(y: float) -> str:
    return f'<circle cx="22" cy="{y}" r="8" {_WHITE}/><path d="M30,{y}H50" {_LINE}/>'


def _activity(feature: str) -> str:
    heavy = feature in ("callActivity", "global task")
    box = _box(8, 8, 76, 48, heavy=heavy, dash="3 3" if feature == "event sub-process" else "")
    if feature == "transaction":
        box += _box(11, 11, 70, 42)
    task = next((name for name in _TASKS if feature.startswith(name)), None)
    if task is not None:
        style = _FULL if task == "sendTask" else _LINE
        if feature == "receiveTask that starts the process":
            box += f'<circle cx="21" cy="21" r="11" {_LINE}/>'
            return box + _mark(_TASKS[task], 21, 21, style, 0.75)
        return box + _mark(_TASKS[task], 21, 20, style, 0.85)
    names = [name for name in _BELOW if feature.startswith(name)]
    if feature in ("subProcess", "transaction", "event sub-process", "callActivity"):
        names = ["sub"]
    elif feature == "adHocSubProcess":
        names = ["adHoc"]
    return box + "".join(_mark(_BELOW[name], 46, 46, scale=0.9) for name in names)


def _box(
    x: float, y: float, width: float, height: float, *, heavy: bool = False, dash: str = ""
) -> str:
    more = f' stroke-dasharray="{dash}"' if dash else ""
    style = _WHITE.replace('"1.6"', '"4"') if heavy else _WHITE
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="7" {style}{more}/>'
