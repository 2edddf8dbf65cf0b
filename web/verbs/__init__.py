"""The verbs of the command line, one file per noun; each file lists its commands in VERBS."""

from __future__ import annotations
