"""Camunda Forms on the server: shown as plain HTML, read and checked in Python.

`load` reads the JSON of a form, `fill` puts variables or what was typed into it.
"""

from __future__ import annotations

from web.forms.fill import Filled, Sheet, Shown, fill, hidden_fields, row_field
from web.forms.model import Form, FormDamaged, load
from web.forms.rows import act_on_rows

__all__ = [
    "Filled",
    "Form",
    "FormDamaged",
    "Sheet",
    "Shown",
    "act_on_rows",
    "fill",
    "hidden_fields",
    "load",
    "row_field",
]
