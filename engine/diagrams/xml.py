"""Diagrams are read as all XML of strangers is (engine/xml.py)."""

from __future__ import annotations

from engine.xml import MAX_BYTES, read_xml

__all__ = ["MAX_BYTES", "read_xml"]
