"""Decision models (DMN 1.1 to 1.6) on our FEEL: read once, evaluated with an explanation.

model = load(xml)
decided = model.evaluate("triage", {"severity": 3}, now=clock.now())
"""

from __future__ import annotations

from engine.dmn.model import Decided, DrawnDecision, Model, load, load_files

__all__ = ["Decided", "DrawnDecision", "Model", "load", "load_files"]
