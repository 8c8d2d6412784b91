"""The one small language in which masks, samplers and beat trackers are written.

``beat & codebook<3``, ``typical(mass=0.2, steps=24)`` and ``steady(120bpm)`` are names with
arguments. Here is what they share: the scanner and parser of their texts (`read`), the checks of
arguments (`values`), the value that a text stands for and its canonical text (`Term`), and the
names themselves, those of plugins included (`Registry`). It knows none of the names; the rooms
that do (masks, samplers, analysis) call it, and it calls nobody but errors and units.
"""

from vampprompt.language.parse import Grammar, read
from vampprompt.language.registry import Registry
from vampprompt.language.term import Term, summary, usage
from vampprompt.language.values import (
    Count,
    FilePath,
    Length,
    Level,
    Offset,
    Period,
    Positive,
    Share,
    Text,
    number,
    whole,
)

__all__ = [
    "Count",
    "FilePath",
    "Grammar",
    "Length",
    "Level",
    "Offset",
    "Period",
    "Positive",
    "Registry",
    "Share",
    "Term",
    "Text",
    "number",
    "read",
    "summary",
    "usage",
    "whole",
]
