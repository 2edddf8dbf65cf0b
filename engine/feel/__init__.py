"""FEEL, the expression language of DMN 1.5 and of Camunda 8 diagrams: our own implementation.

No eval, no attribute access, limits on everything. A text is compiled once to closures.
"""

from __future__ import annotations

from engine.errors import FeelError
from engine.feel.expression import Expression, check, compile
from engine.feel.run import Limits
from engine.feel.values import (
    FarDate,
    FarDateTime,
    FineDuration,
    FineTime,
    Function,
    Range,
    YearsMonthsDuration,
)

__all__ = [
    "Expression",
    "FarDate",
    "FarDateTime",
    "FeelError",
    "FineDuration",
    "FineTime",
    "Function",
    "Limits",
    "Range",
    "YearsMonthsDuration",
    "check",
    "compile",
]
