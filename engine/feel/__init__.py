"""FEEL, the expression language of DMN 1.5 and of Camunda 8 diagrams: our own implementation.

No eval, no attribute access, limits on everything. A text is compiled once to closures.
"""

from __future__ import annotations

from engine.errors import FeelError
from engine.feel.checks import Completion, Diagnostic, check, completions, diagnose
from engine.feel.expression import Expression, compile
from engine.feel.moments import FarDate, FarDateTime, FineDuration, FineTime, YearsMonthsDuration
from engine.feel.run import Limits
from engine.feel.values import Function, Range

__all__ = [
    "Completion",
    "Diagnostic",
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
    "completions",
    "diagnose",
]
