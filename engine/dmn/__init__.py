"""Decision models (DMN 1.1 to 1.6) on our FEEL: read once, evaluated with an explanation.

model = load(xml)
decided = model.evaluate("triage", {"severity": 3}, now=clock.now())
print(in_words(decided.explanation))
"""

from __future__ import annotations

from engine.dmn.model import Decided, DrawnDecision, Model, load, load_files
from engine.dmn.past import Different, WhatIf, again, mentions, past_inputs
from engine.dmn.words import in_words

__all__ = [
    "Decided",
    "Different",
    "DrawnDecision",
    "Model",
    "WhatIf",
    "again",
    "in_words",
    "load",
    "load_files",
    "mentions",
    "past_inputs",
]
