"""Engines that are wrong on purpose: the fault tests are worth something because they notice.

`CASEWAY_MUTANT` names one; it is read when this module is loaded, and `apply` changes the engine of
this process. `ignore_fence` is built into the engine, since it must also run in real processes.
"""

from __future__ import annotations

import os

#: which one this process is; None for the real engine
NAME = os.environ.get("CASEWAY_MUTANT") or None
