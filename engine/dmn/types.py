"""Item definitions: the types of a model, as FEEL types that know their allowed values."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lxml.etree import _Element as Element

from engine import feel
from engine.dmn.findings import Findings
from engine.dmn.xml import child, children, named, text_of
from engine.errors import FeelError
from engine.feel.types import (
    ANY,
    SIMPLE_TYPES,
    ContextType,
    FunctionType,
    ListType,
    Mismatch,
    Type,
)
from engine.feel.values import BOOLEAN, DATE, DAYS, MOMENT, MONTHS, NUMBER, STRING, TIME
from engine.feel.values import text_of as value_text
from engine.sentences import heard

_NUMBER = SIMPLE_TYPES["number"]
#: kinds of values that lie in an order, or are one of a few
SIMPLE = (NUMBER, STRING, BOOLEAN, DATE, TIME, MOMENT, DAYS, MONTHS)
#: spellings of other tools and of older versions
_ALIASES: dict[str, Type] = {
    **dict.fromkeys(("integer", "int", "long", "short", "double", "float", "decimal"), _NUMBER),
    "any": ANY,
    "text": SIMPLE_TYPES["string"],
    "datetime": SIMPLE_TYPES["dateTime"],
    "daysAndTimeDuration": SIMPLE_TYPES["dayTimeDuration"],
    "yearsAndMonthsDuration": SIMPLE_TYPES["yearMonthDuration"],
}
#: the types of an imported model by its prefix, with allowed values or without; None for no model
Foreign = Callable[[str, bool], "Types | None"]


class Constrained(Type):
    """A type with allowed values (unary tests on `?`)."""

    def __init__(self, name: str, base: Type, tests: feel.Expression) -> None:
        self.name = name
        self.base = base
        self.tests = tests

    def matches(self, value: object) -> bool:
        """Tell whether a value is of the base type and allowed."""
        return value is None or (self.base.matches(value) and self._allows(value))

    def coerce(self, value: object) -> object:
        """Return the value as the base type; Mismatch if it is not among the allowed ones."""
        found = self.base.coerce(value)
        if found is not None and not self._allows(found):
            raise Mismatch(self.why(found))
        return found

    def why(self, value: object) -> str:
        """Return which values are allowed, where the type is right."""
        if not self.base.matches(value):
            return self.base.why(value)
        wanted = f"{self.name} allows {self.tests.text}"
        return f"{wanted}, not {value_text(value, nested=True)[:100]}"

    def _allows(self, value: object) -> bool:
        return self.tests.evaluate({"?": value}) is True


def constraints(kind: Type | None) -> list[feel.Expression]:
    """Return the tests that values of a type have to pass, the innermost last."""
    return [kind.tests, *constraints(kind.base)] if isinstance(kind, Constrained) else []


def unconstrained(kind: Type | None) -> Type | None:
    """Return a type without its allowed values."""
    return unconstrained(kind.base) if isinstance(kind, Constrained) else kind


def simple_kind(kind: Type | None) -> str:
    """Return the kind of a simple type, such as `number`; "" for any other type."""
    found = unconstrained(kind)
    return found.name if found is not None and found.name in SIMPLE else ""


class Recursive(Type):
    """A type inside its own definition; what it means is known when the definition is read."""

    def __init__(self, name: str) -> None:
        self.name = name
        #: set once the definition is read
        self.meant: Type = ANY

    def matches(self, value: object) -> bool:
        """Tell whether a value is of the type that is meant."""
        return value is None or self.meant.matches(value)

    def why(self, value: object) -> str:
        """Return why a value is not of the type that is meant."""
        return self.meant.why(value)


class Types:
    """The types of one model by name, read when they are first asked for.

    FEEL's `instance of` looks at types without their allowed values (`constrained=False`).
    """

    def __init__(
        self, root: Element, findings: Findings, foreign: Foreign, *, constrained: bool = True
    ) -> None:
        self._findings = findings
        self._foreign = foreign
        self._with_values = constrained
        self._drawn = {named(item): item for item in children(root, "itemDefinition")}
        self._known: dict[str, Type] = {}
        self._reading: dict[str, Recursive] = {}
        for name, item in self._drawn.items():
            if not name:
                findings.error(item, "an item definition has no name", "give it a name")

    def all(self) -> Mapping[str, Type]:
        """Return every type of the model by name."""
        return {name: found for name in self._drawn if (found := self.named(name)) is not None}

    def named(self, name: str) -> Type | None:
        """Return a type of this model; None where it declares none of this name."""
        if name in self._known:
            return self._known[name]
        if name not in self._drawn:
            return None
        if name in self._reading:
            return self._reading[name]
        self._reading[name] = recursive = Recursive(name)
        found = self._read(self._drawn[name])
        if isinstance(unconstrained(found), Recursive):
            self._findings.error(
                self._drawn[name], "the type “{name}” is defined by itself",
                "give it the type that its values have", name=name,
            )  # fmt: skip
            found = ANY
        recursive.meant = found
        del self._reading[name]
        self._known[name] = found
        return found

    def of(self, element: Element | None) -> Type | None:
        """Return the type that an element refers to (attribute or child `typeRef`), if any."""
        if element is None:
            return None
        written = element.get("typeRef")
        if written is None:
            written = text_of(child(element, "typeRef"))
        return self.referred(element, written.strip()) if written.strip() else None

    def referred(self, element: Element, written: str) -> Type | None:
        """Return the type that is meant by a reference; a problem where there is none."""
        name = " ".join(written.split())
        prefix, colon, rest = name.rpartition(":")
        if colon:
            space = element.nsmap.get(prefix) or ""
            if prefix == "feel" or space.rstrip("/").endswith("FEEL"):
                return SIMPLE_TYPES.get(rest) or _ALIASES.get(rest)
            name = rest
        found = self.named(name) or SIMPLE_TYPES.get(name)
        if found is None and "." in name:
            found = self._imported(*name.split(".", 1))
        if found is None and colon:
            found = self._imported(prefix, rest)
        found = found or self._imported("", name) or _ALIASES.get(name)
        if found is None:
            self._findings.error(
                element, "there is no type “{name}”", "define it, or correct", name=written
            )
        return found

    def _imported(self, prefix: str, name: str) -> Type | None:
        types = self._foreign(prefix, self._with_values)
        return None if types is None else types.named(name)

    def _read(self, item: Element) -> Type:
        name = named(item)
        components = list(children(item, "itemComponent"))
        function = child(item, "functionItem")
        if components:
            found: Type = ContextType({named(part): self._read(part) for part in components})
        elif function is not None:
            found = self._function(function)
        else:
            found = self.of(item) or ANY
        found = self._constrained(name, found, child(item, "allowedValues"))
        if item.get("isCollection") in ("true", "1"):
            found = ListType(found)
        return self._constrained(name, found, child(item, "typeConstraint"))

    def _function(self, function: Element) -> Type:
        written = function.get("outputTypeRef")
        result = self.referred(function, written) if written else None
        parameters = [self.of(part) or ANY for part in children(function, "parameters")]
        return FunctionType(parameters, result or ANY)

    def _constrained(self, name: str, base: Type, allowed: Element | None) -> Type:
        text = text_of(allowed)
        if allowed is None or not self._with_values or text in ("", "-"):
            return base
        try:
            return Constrained(name, base, feel.compile(text, kind="unary"))
        except FeelError as cause:
            self._findings.error(
                allowed, "the allowed values cannot be read: {cause}",
                "write values or intervals such as 1, 2, [5..8]", cause=heard(str(cause)),
            )  # fmt: skip
            return base
